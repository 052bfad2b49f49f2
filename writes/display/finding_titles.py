"""What each kind of finding is called on a page, and what to do about it."""

from typing import Literal, NamedTuple

Counts = Literal["cells", "rows", "lines", "columns", ""]
Mend = Literal[
    "leave-columns",
    "take-spaces",
    "trim",
    "dates",
    "key",
    "begin",
    "quotes",
    "placeholders",
    "repair",
    "other-file",
    "",
]


class RuleTitle(NamedTuple):
    """`counts` is what one finding stands for, `mend` what the page offers at once.

    Where it stands for a cell, a row or a line, its row is at fault; elsewhere the row
    is no more than an example, and must not be offered to be left out. Where only
    another file helps, "other-file", nothing else is offered.
    """

    title: str
    todo: str = ""
    counts: Counts = ""
    mend: Mend = ""

    @property
    def is_about_rows(self) -> bool:
        """Whether the row of each of its findings is at fault."""
        return self.counts in ("cells", "rows", "lines")


_LEAVE_OUT = "Rename the column under Columns, or leave it out."
_CORRECT = "Correct the cells, or leave these rows out."

RULES: dict[str, RuleTitle] = {
    # The file as a whole
    "bom": RuleTitle("Byte order mark at the start", "Save the file without it."),
    "delimiter": RuleTitle("Columns not separated by commas", "Save it with commas."),
    "empty": RuleTitle("The file is empty", "Choose another file."),
    "line-ends": RuleTitle("Line ends other than LF", "Save the file with LF."),
    "no-rows": RuleTitle("No row below the header", "Choose another file."),
    "not-csv": RuleTitle("Not a CSV file", "Choose another file."),
    "not-decodable": RuleTitle(
        "Characters that cannot be read",
        "Read the file with other characters.",
        "lines",
    ),
    "not-utf-8": RuleTitle(
        "Characters that are not UTF-8",
        "Save the file as UTF-8, or correct the lines.",
        "lines",
    ),
    "no-header": RuleTitle("No such row to begin with", "Read it otherwise."),
    "sep-line": RuleTitle("A note to Excel before the header", "Read it otherwise."),
    "title-rows": RuleTitle(
        "A title above the header", "Begin at the row of the key.", "", "begin"
    ),
    "too-big": RuleTitle("Too large", "Put it at a URL, or make it smaller."),
    "stopped": RuleTitle(
        "Not checked to its end", "Look whether it is the right file and key."
    ),
    "unreadable": RuleTitle(
        "From here on rows cannot be told apart",
        "Correct the quotes in the file.",
        "",
        "other-file",
    ),
    # The header
    "blank-column": RuleTitle(
        "Columns without a name", _LEAVE_OUT, "columns", "leave-columns"
    ),
    "column-spaces": RuleTitle(
        "Column names with spaces or characters that nobody sees",
        "Take them out.",
        "columns",
        "take-spaces",
    ),
    "key-case": RuleTitle("The key is spelled otherwise in the header"),
    # Rows that go out as records
    "id-column": RuleTitle(
        "A column of ids in a create", _LEAVE_OUT, "columns", "leave-columns"
    ),
    "long-keys": RuleTitle(
        "Too many keys for one delete", "Split the file, or delete by Id."
    ),
    "extra-column": RuleTitle(
        "A column that a delete has no use for", _LEAVE_OUT, "columns", "leave-columns"
    ),
    "too-many-keys": RuleTitle(
        "More keys than are looked up", "Give ids, or split the file.", "", "other-file"
    ),
    "key-not-asked": RuleTitle(
        "Keys that are not looked up", "Leave these rows out.", "rows"
    ),
    "key-several": RuleTitle(
        "Keys of several records", "Leave these rows out.", "rows"
    ),
    "key-not-shown": RuleTitle(
        "Records found that do not show the key", "Leave these rows out.", "rows"
    ),
    "key-shared": RuleTitle(
        "Rows that would write the same record", "Keep one of each.", "rows"
    ),
    "big-record": RuleTitle(
        "Rows too large for one request", "Shorten them, or leave them out.", "rows"
    ),
    "kind": RuleTitle("Values of another kind than their field", _CORRECT, "cells"),
    "key-missing": RuleTitle(
        "The primary key is not in the header", "Choose the column.", "", "key"
    ),
    "long-header": RuleTitle(
        "The header is too long", "Take columns out of the file.", "", "other-file"
    ),
    "long-name": RuleTitle(
        "A column name is too long", "Correct the header.", "", "other-file"
    ),
    "more-columns": RuleTitle(
        "Findings in more columns",
        "Correct the other columns first. All findings are in the download.",
    ),
    "missing-column": RuleTitle(
        "Required fields without a column",
        "Add the column below, unless every row is an update.",
        "columns",
    ),
    "read-only-column": RuleTitle(
        "Columns that Salesforce does not let you write",
        "Leave them out.",
        "columns",
        "leave-columns",
    ),
    "same-field": RuleTitle("Two columns for one field", _LEAVE_OUT, "columns"),
    "repeated-column": RuleTitle(
        "Two columns with one name", _LEAVE_OUT, "columns", "leave-columns"
    ),
    "too-many-columns": RuleTitle(
        "Too many columns", "Take columns out of the file.", "", "other-file"
    ),
    "unknown-column": RuleTitle(
        "Columns that the object does not have", _LEAVE_OUT, "columns", "leave-columns"
    ),
    # Rows
    "empty-row": RuleTitle("Empty lines", "Leave them out.", "rows"),
    "lone-cr": RuleTitle("Stray line breaks (CR)", "Remove them in the file.", "rows"),
    "long-cell": RuleTitle("Cells that are too long", "Shorten them.", "cells"),
    "long-row": RuleTitle("Rows that are too long", "Shorten them.", "rows"),
    "nul": RuleTitle("NUL characters", "Save the file as UTF-8 text.", "rows"),
    "inner-quotes": RuleTitle(
        "Quotes inside cells that are not quoted",
        "Put the cells in quotes: what they hold stays the same.",
        "cells",
        "quotes",
    ),
    "quotes": RuleTitle("Quotes that do not fit", "Correct them in the file.", "rows"),
    "ragged-row": RuleTitle(
        "Rows with another number of cells",
        "Correct them in the file, or leave these rows out.",
        "rows",
    ),
    "repeated-header": RuleTitle(
        "The header stands among the rows again", "Leave these rows out.", "rows"
    ),
    "report-end": RuleTitle(
        "Totals and notes of a report",
        "Leave these rows out, unless they are records.",
        "rows",
    ),
    # The key
    "blank-key": RuleTitle(
        "Rows without a key", "Fill the key in, or leave these rows out.", "rows"
    ),
    "key-spaces": RuleTitle(
        "Keys with spaces at their ends or characters that nobody sees",
        "Trim.",
        "rows",
        "trim",
    ),
    "key-twins": RuleTitle(
        "Keys that look alike",
        "Salesforce may take them for one record: look at them.",
        "rows",
    ),
    "repeated-key": RuleTitle(
        "Keys that stand in several rows", "Keep one row of each.", "rows"
    ),
    # Values
    "altered-id": RuleTitle("Ids that were altered", _CORRECT, "cells"),
    "boolean": RuleTitle("Neither true nor false", _CORRECT, "cells"),
    "cell-error": RuleTitle(
        "Errors of Excel",
        "Mend the formulas in Excel, or send nothing in their place.",
        "cells",
        "placeholders",
    ),
    "date": RuleTitle(
        "Dates in another form",
        "Say how they are written and they are converted.",
        "cells",
        "dates",
    ),
    "date-time": RuleTitle(
        "Dates and times in another form",
        "Say how they are written and they are converted.",
        "cells",
        "dates",
    ),
    "email": RuleTitle("Not e-mail addresses", _CORRECT, "cells"),
    "formula-text": RuleTitle(
        "Signs for Excel around a value", "Send the bare value.", "cells", "repair"
    ),
    "id": RuleTitle("Not Salesforce ids", _CORRECT, "cells"),
    "long-number": RuleTitle(
        "Numbers that Excel has rounded", "Enter them as text in Excel.", "cells"
    ),
    "long-numbers": RuleTitle(
        "Columns of numbers that Excel has rounded",
        "Enter them as text in Excel.",
        "columns",
    ),
    "hidden-columns": RuleTitle(
        "Columns that Excel hides",
        "They go out like the others: leave out what is not meant.",
        "columns",
        "leave-columns",
    ),
    "hidden-rows": RuleTitle(
        "Rows that Excel hides",
        "They go out like the others: leave out what is not meant.",
        "rows",
    ),
    "merged-cells": RuleTitle(
        "Merged cells", "Unmerge them in Excel, and fill each one in."
    ),
    "no-value": RuleTitle(
        "Formulas without a saved value", "Open and save it in Excel.", "cells"
    ),
    "shown-otherwise": RuleTitle(
        "Cells that Excel shows otherwise than they go out",
        "Enter in Excel what is meant.",
        "cells",
    ),
    "lost-characters": RuleTitle(
        "Text that has lost characters", "Take it from the source again.", "cells"
    ),
    "misread": RuleTitle(
        "Text that was read with the wrong characters",
        "Send it as it was meant.",
        "cells",
        "repair",
    ),
    "number": RuleTitle("Not numbers as Salesforce reads them", _CORRECT, "cells"),
    "number-range": RuleTitle("Numbers too large or too exact", _CORRECT, "cells"),
    "picklist": RuleTitle("Values that the picklist lacks", _CORRECT, "cells"),
    "placeholder": RuleTitle(
        "Words for “no value”",
        "Send them blank or as #N/A, unless they are meant.",
        "cells",
        "placeholders",
    ),
    "required-blank": RuleTitle(
        "Required cells that are blank", "Fill them in, unless it is an update.", "rows"
    ),
    "scientific": RuleTitle(
        "Numbers that Excel has shortened", "Enter them as text in Excel.", "cells"
    ),
    "time": RuleTitle("Times in another form", _CORRECT, "cells"),
    "too-long": RuleTitle("Longer than the field takes", _CORRECT, "cells"),
    "unseen": RuleTitle(
        "Characters that nobody sees", "Trim, which takes them out.", "cells", "trim"
    ),
    # Counted by column, for information
    "blanks": RuleTitle(
        "Blank cells do not clear", "Tick “Blank clears” to clear them.", "columns"
    ),
    "cell-spaces": RuleTitle(
        "Cells with spaces at their ends",
        "Trim them if that is not meant.",
        "columns",
        "trim",
    ),
    "nulls": RuleTitle("#N/A clears fields", "Look whether that is meant.", "columns"),
    # An address
    "expired": RuleTitle("The address has ended", "Have a new one made."),
    "expires-soon": RuleTitle("The address ends soon", "Send it before that."),
    "large": RuleTitle("Very large", "Splitting it is safer."),
    "packed": RuleTitle("The file comes packed", "Store it unpacked."),
    "redirected": RuleTitle("The address leads elsewhere", "Look at where it leads."),
    "size-unknown": RuleTitle("The size is not told"),
    "status": RuleTitle("The address does not give the file", "Correct the address."),
}


# Of files that make no bulk job, where that changes a title.
OF_RECORDS: dict[str, dict[str, RuleTitle]] = {
    "create": {
        "missing-column": RULES["missing-column"]._replace(
            todo="Add the column below."
        ),
        "required-blank": RULES["required-blank"]._replace(
            todo="Fill them in, or leave these rows out."
        ),
        "blanks": RULES["blanks"]._replace(
            title="Blank cells are left out", todo="Look whether that is meant."
        ),
        "nulls": RULES["nulls"]._replace(title="#N/A sends no value"),
    },
    "delete": {
        "key-twins": RULES["key-twins"]._replace(
            todo="They may be one record: look at them."
        ),
    },
}


def title_of(rule: str, action: str = "upsert") -> RuleTitle:
    """Return the title of a rule; of one without, its name in words.

    `action` is what the rows of the file are for.
    """
    if of_records := OF_RECORDS.get(action, {}).get(rule):
        return of_records
    return RULES.get(rule) or RuleTitle(rule.replace("-", " ").capitalize())
