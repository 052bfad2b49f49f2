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


_LEAVE_OUT = "Rename the column under Columns, or exclude it."
_CORRECT = "Fix the cells, or exclude these rows."

RULES: dict[str, RuleTitle] = {
    # The file as a whole
    "bom": RuleTitle("Byte order mark at the start", "Save the file without it."),
    "delimiter": RuleTitle(
        "Columns not separated by commas", "Save the file with commas."
    ),
    "empty": RuleTitle("The file is empty", "Choose another file."),
    "line-ends": RuleTitle(
        "Line endings other than LF", "Save the file with LF line endings."
    ),
    "no-rows": RuleTitle("No rows below the header", "Choose another file."),
    "not-csv": RuleTitle("Not a CSV file", "Choose another file."),
    "not-decodable": RuleTitle(
        "Unreadable characters",
        "Choose another encoding under “Change how it is read”.",
        "lines",
    ),
    "not-utf-8": RuleTitle(
        "Not UTF-8",
        "Save the file as UTF-8, or fix these lines.",
        "lines",
    ),
    "no-header": RuleTitle(
        "Header row not found", "Choose another row under “Change how it is read”."
    ),
    "sep-line": RuleTitle(
        "“sep=” line before the header",
        "Choose the header row under “Change how it is read”.",
    ),
    "title-rows": RuleTitle(
        "Title rows above the header",
        "Use the row with the key as header.",
        "",
        "begin",
    ),
    "too-big": RuleTitle("File too large", "Send it from a URL, or split it."),
    "stopped": RuleTitle(
        "Check stopped early", "Make sure that it is the right file and key."
    ),
    "unreadable": RuleTitle(
        "Unclosed quote: rows cannot be told apart from here on",
        "Fix the quotes in the file.",
        "",
        "other-file",
    ),
    # The header
    "blank-column": RuleTitle(
        "Columns without a name", _LEAVE_OUT, "columns", "leave-columns"
    ),
    "column-spaces": RuleTitle(
        "Column names with extra spaces or invisible characters",
        "Remove them.",
        "columns",
        "take-spaces",
    ),
    "key-case": RuleTitle(
        "Primary key differs from the header in upper and lower case"
    ),
    # Rows that go out as records
    "id-column": RuleTitle(
        "Id column in a create", _LEAVE_OUT, "columns", "leave-columns"
    ),
    "long-keys": RuleTitle(
        "Too many keys for one delete", "Split the file, or delete by Id."
    ),
    "extra-column": RuleTitle(
        "Columns not needed for a delete", _LEAVE_OUT, "columns", "leave-columns"
    ),
    "too-many-keys": RuleTitle(
        "Too many keys to look up",
        "Use record ids, or split the file.",
        "",
        "other-file",
    ),
    "key-not-asked": RuleTitle(
        "Keys that cannot be looked up", "Exclude these rows.", "rows"
    ),
    "key-several": RuleTitle(
        "Keys that match several records", "Exclude these rows.", "rows"
    ),
    "key-not-shown": RuleTitle(
        "Matched records without the key", "Exclude these rows.", "rows"
    ),
    "key-shared": RuleTitle(
        "Several rows for the same record", "Keep one row per record.", "rows"
    ),
    "big-record": RuleTitle(
        "Rows too large for one request", "Shorten them, or exclude them.", "rows"
    ),
    "kind": RuleTitle("Wrong data type", _CORRECT, "cells"),
    "key-missing": RuleTitle(
        "Primary key not in the header", "Choose the key column.", "", "key"
    ),
    "long-header": RuleTitle(
        "Header too long", "Remove columns from the file.", "", "other-file"
    ),
    "long-name": RuleTitle("Column name too long", "Fix the header.", "", "other-file"),
    "more-columns": RuleTitle(
        "Errors and warnings in more columns",
        "Fix the columns above first. All of them are in the CSV.",
    ),
    "missing-column": RuleTitle(
        "Required fields missing",
        "Add the column below, unless every row is an update.",
        "columns",
    ),
    "read-only-column": RuleTitle(
        "Read-only fields",
        "Exclude these columns.",
        "columns",
        "leave-columns",
    ),
    "same-field": RuleTitle("Two columns mapped to one field", _LEAVE_OUT, "columns"),
    "repeated-column": RuleTitle(
        "Duplicate column names", _LEAVE_OUT, "columns", "leave-columns"
    ),
    "too-many-columns": RuleTitle(
        "Too many columns", "Remove columns from the file.", "", "other-file"
    ),
    "unknown-column": RuleTitle(
        "Unknown fields", _LEAVE_OUT, "columns", "leave-columns"
    ),
    # Rows
    "empty-row": RuleTitle("Blank rows", "Exclude them.", "rows"),
    "lone-cr": RuleTitle("Stray line breaks (CR)", "Remove them in the file.", "rows"),
    "long-cell": RuleTitle("Cells too long", "Shorten them.", "cells"),
    "long-row": RuleTitle("Rows too long", "Shorten them.", "rows"),
    "nul": RuleTitle("NUL characters", "Save the file as UTF-8 text.", "rows"),
    "inner-quotes": RuleTitle(
        "Quotes inside unquoted cells",
        "Quote the cells: their values stay the same.",
        "cells",
        "quotes",
    ),
    "quotes": RuleTitle("Unbalanced quotes", "Fix them in the file.", "rows"),
    "ragged-row": RuleTitle(
        "Wrong number of columns",
        "Fix them in the file, or exclude these rows.",
        "rows",
    ),
    "repeated-header": RuleTitle(
        "Header repeated among the rows", "Exclude these rows.", "rows"
    ),
    "report-end": RuleTitle(
        "Report totals and footers",
        "Exclude these rows, unless they are records.",
        "rows",
    ),
    # The key
    "blank-key": RuleTitle(
        "Missing keys", "Fill in the key, or exclude these rows.", "rows"
    ),
    "key-spaces": RuleTitle(
        "Keys with extra spaces or invisible characters",
        "Trim the column.",
        "rows",
        "trim",
    ),
    "key-twins": RuleTitle(
        "Keys that look the same",
        "Salesforce may treat them as one record: check them.",
        "rows",
    ),
    "repeated-key": RuleTitle("Duplicate keys", "Keep one row per key.", "rows"),
    # Values
    "altered-id": RuleTitle("Altered record ids", _CORRECT, "cells"),
    "boolean": RuleTitle("Not true or false", _CORRECT, "cells"),
    "cell-error": RuleTitle(
        "Excel errors",
        "Fix the formulas in Excel, or send these cells blank.",
        "cells",
        "placeholders",
    ),
    "date": RuleTitle(
        "Unrecognized date format",
        "Choose the format to convert them.",
        "cells",
        "dates",
    ),
    "date-time": RuleTitle(
        "Unrecognized date and time format",
        "Choose the format to convert them.",
        "cells",
        "dates",
    ),
    "email": RuleTitle("Invalid e-mail addresses", _CORRECT, "cells"),
    "formula-text": RuleTitle(
        "Excel formula around a value", "Send the plain value.", "cells", "repair"
    ),
    "id": RuleTitle("Invalid Salesforce ids", _CORRECT, "cells"),
    "long-number": RuleTitle(
        "Numbers rounded by Excel", "Enter them as text in Excel.", "cells"
    ),
    "long-numbers": RuleTitle(
        "Columns with numbers rounded by Excel",
        "Enter them as text in Excel.",
        "columns",
    ),
    "hidden-columns": RuleTitle(
        "Columns hidden in Excel",
        "They are sent like the others: exclude what you do not want to send.",
        "columns",
        "leave-columns",
    ),
    "hidden-rows": RuleTitle(
        "Rows hidden in Excel",
        "They are sent like the others: exclude what you do not want to send.",
        "rows",
    ),
    "merged-cells": RuleTitle(
        "Merged cells", "Unmerge them in Excel and fill in each cell."
    ),
    "no-value": RuleTitle(
        "Formulas without a saved value", "Open and save the file in Excel.", "cells"
    ),
    "old-results": RuleTitle(
        "Formulas that may have old results", "Open and save the file in Excel."
    ),
    "shown-otherwise": RuleTitle(
        "Excel shows another value than is sent",
        "Enter the value you want in Excel.",
        "cells",
    ),
    "lost-characters": RuleTitle(
        "Text with lost characters", "Export it from the source again.", "cells"
    ),
    "misread": RuleTitle(
        "Garbled characters (wrong encoding)",
        "Repair them.",
        "cells",
        "repair",
    ),
    "number": RuleTitle("Unrecognized number format", _CORRECT, "cells"),
    "number-range": RuleTitle(
        "Numbers out of range or with too many decimals", _CORRECT, "cells"
    ),
    "picklist": RuleTitle("Invalid picklist values", _CORRECT, "cells"),
    "placeholder": RuleTitle(
        "Placeholders such as NULL",
        "Send them blank or as #N/A, unless they are real values.",
        "cells",
        "placeholders",
    ),
    "required-blank": RuleTitle(
        "Required values missing", "Fill them in, unless the row is an update.", "rows"
    ),
    "scientific": RuleTitle(
        "Numbers shortened by Excel", "Enter them as text in Excel.", "cells"
    ),
    "time": RuleTitle("Unrecognized time format", _CORRECT, "cells"),
    "too-long": RuleTitle("Too long for the field", _CORRECT, "cells"),
    "unseen": RuleTitle("Invisible characters", "Trim removes them.", "cells", "trim"),
    # Counted by column, for information
    "blanks": RuleTitle(
        "Blank cells leave fields unchanged",
        "Tick “Blank clears” to clear them.",
        "columns",
    ),
    "cell-spaces": RuleTitle(
        "Leading or trailing spaces",
        "Trim them unless they are intended.",
        "columns",
        "trim",
    ),
    "nulls": RuleTitle(
        "#N/A clears fields", "Make sure that this is intended.", "columns"
    ),
    # An address
    "expired": RuleTitle("The URL has expired", "Get a new one."),
    "expires-soon": RuleTitle("The URL expires soon", "Send it before then."),
    "large": RuleTitle("Very large file", "Splitting it is safer."),
    "packed": RuleTitle("The file is compressed", "Store it uncompressed."),
    "redirected": RuleTitle("The URL redirects", "Check where it leads."),
    "size-unknown": RuleTitle("Unknown file size"),
    "status": RuleTitle("The URL does not return the file", "Fix the URL."),
}


# Of files that make no bulk job, where that changes a title.
OF_RECORDS: dict[str, dict[str, RuleTitle]] = {
    "create": {
        "missing-column": RULES["missing-column"]._replace(
            todo="Add the column below."
        ),
        "required-blank": RULES["required-blank"]._replace(
            todo="Fill them in, or exclude these rows."
        ),
        "blanks": RULES["blanks"]._replace(
            title="Blank cells are not sent", todo="Make sure that this is intended."
        ),
        "nulls": RULES["nulls"]._replace(title="#N/A sends no value"),
    },
    "delete": {
        "key-twins": RULES["key-twins"]._replace(
            todo="They may be one record: check them."
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


def is_about_rows(rule: str) -> bool:
    """Whether the row of each finding of a rule is at fault."""
    return title_of(rule).is_about_rows


def is_about_cells(rule: str) -> bool:
    """Whether each finding of a rule is about one cell, and what it holds."""
    return title_of(rule).counts == "cells"
