"""What is wrong with the header, and the columns that it makes."""

from collections.abc import Sequence

from files import unseen
from files.checking.columns import Column
from files.checking.purposes import NEW, WORDS, Purpose
from files.checking.records import UNCHECKED
from files.checking.structure import LONGEST_HEADER, LONGEST_NAME, MOST_COLUMNS
from files.field import Field
from files.fields.field_lists import FieldIndex
from files.findings import ROW, Level, Report
from files.shown import shown

NAMES_LISTED = 30
_SEPARATORS = ((";", "semicolons"), ("\t", "tabs"), ("|", "pipes"))


def check_header(
    names: list[str],
    length: int,
    key: str | None,
    fields: Sequence[Field],
    report: Report,
    purpose: Purpose = "upsert",
) -> list[Column]:
    """Check the first record, of `length` characters, and return its columns.

    Their fields are the declared ones, None where there are none. `report.key` is set
    to the key as the header spells it. There are none where the header is larger than
    anything that is sent: then nothing else of the file is looked at.
    """
    if not _is_of_a_size(names, length, report):
        return []
    report.columns = names
    _check_names(names, report)
    place = None if key is None else _find_key(names, key, report)
    columns = [
        Column(number, name, is_key=number == place)
        for number, name in enumerate(names)
    ]
    index = FieldIndex(fields)
    if fields:
        _check_fields(columns, index, fields, report, purpose)
    _check_fills(columns, index, report)
    return columns


def _add(
    report: Report, rule: str, message: str, column: str | None, level: Level = "blocks"
) -> None:
    report.add(level, rule, message, row=1, line=1, column=column)


def _is_of_a_size(names: list[str], length: int, report: Report) -> bool:
    """Tell whether a header is no larger than any that is sent, and why it is."""
    width, longest = len(names), max(map(len, names))
    told: dict[str, str] = {}
    if longest > LONGEST_NAME:
        told["long-name"] = (
            f"The header has a name of {longest:,} characters; no field's name is "
            f"longer than {LONGEST_NAME}. Check that it is the right file and that the "
            "header is in row 1."
        )
    if length > LONGEST_HEADER:
        told["long-header"] = (
            f"The header has {length:,} characters; the limit is {LONGEST_HEADER:,}. "
            "Remove columns from the file."
        )
    if width > MOST_COLUMNS:
        told["too-many-columns"] = (
            f"The header has {width:,} columns; the limit is {MOST_COLUMNS:,}. Remove "
            "columns from the file."
        )
    for rule, message in told.items():
        _add(report, rule, f"{message} {UNCHECKED}", None)
    return not told


def _check_names(names: list[str], report: Report) -> None:
    seen: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        bare = unseen.bare(name)
        if not bare:
            message = f"Column {number:,} has no name. Name it, or exclude it."
            _add(report, "blank-column", message, name or f"#{number}")
            continue
        if name != bare:
            message = (
                f"Column name “{unseen.marked(name)}” has {_unseen_in(name)}; "
                "Salesforce reads them as part of the name. Remove them."
            )
            _add(report, "column-spaces", message, name)
        first = seen.setdefault(bare.lower(), number)
        if first != number:
            message = (
                f"Columns {first:,} and {number:,} are both called “{bare}”. "
                "Salesforce ignores upper and lower case in names. Exclude one."
            )
            _add(report, "repeated-column", message, name)


def _unseen_in(name: str) -> str:
    """Name the characters of a column's name that nobody sees."""
    found = [c for c in dict.fromkeys(name) if unseen.is_unseen(c) and c not in "\t\n"]
    if not found:
        return "leading or trailing spaces"
    called = ", ".join(map(unseen.called, found[:NAMES_LISTED]))
    return f"invisible characters ({called})"


def _find_key(names: list[str], key: str, report: Report) -> int | None:
    """Return the place of the key's column, None where there is none."""
    fitting = [i for i, name in enumerate(names) if name.lower() == key.lower()]
    bare = [unseen.bare(name).lower() for name in names]
    if not fitting and bare.count(unseen.bare(key).lower()) == 1:
        # That its name has more to it blocks already.
        return bare.index(unseen.bare(key).lower())
    if not fitting:
        message = f"The primary key “{key}” is not in the header.{_hint(names)}"
        _add(report, "key-missing", message, None)
        return None
    place = next((i for i in fitting if names[i] == key), fitting[0])
    report.key = names[place]
    if report.key != key:
        message = (
            f"The primary key was entered as “{key}”, but the header has "
            f"“{report.key}”. The header's spelling is sent."
        )
        _add(report, "key-case", message, report.key, "warns")
    return place


def has_key(names: Sequence[str], key: str, fields: Sequence[Field]) -> bool:
    """Whether cells may be a header: the key is one of them, by its name or label."""
    wanted = {key.lower()}
    wanted |= {f.label.lower() for f in fields if f.name.lower() == key.lower()}
    return any(unseen.bare(name).lower() in wanted - {""} for name in names)


def tell_title(row: int, line: int, key: str, report: Report) -> None:
    """Tell that the header is below the first row."""
    message = (
        f"The primary key “{key}” is in row {ROW}: the rows above it are a title, not "
        "the header. Use that row as header. Nothing else was checked."
    )
    report.add("blocks", "title-rows", message, row=row, line=line)


def _hint(names: list[str]) -> str:
    """Guess why a header has one column only."""
    if len(names) != 1:
        more = ", …" if len(names) > NAMES_LISTED else ""
        listed = map(unseen.marked, names[:NAMES_LISTED])
        return f" It has: {', '.join(listed)}{more}."
    for sign, name in _SEPARATORS:
        if sign in names[0]:
            return f" The columns seem to be separated by {name}; commas are needed."
    return f" It has one column: {unseen.marked(names[0][:200])}."


def _check_fills(columns: list[Column], index: FieldIndex, report: Report) -> None:
    """Warn of columns that fill a field which a column of another name fills, too."""
    fills: dict[str, tuple[str, str]] = {}
    for column in columns:
        name = unseen.bare(report.columns[column.place])
        if not name:
            continue
        field = index.filled_by(name)
        first, first_bare = fills.setdefault(field.lower(), (column.name, name))
        if first_bare.lower() == name.lower():
            continue
        message = (
            f"{shown(first)} and {shown(column.name)} both fill {field}. It is not "
            "defined which one wins. Exclude one."
        )
        _add(report, "same-field", message, column.name, "warns")


def _check_fields(
    columns: list[Column],
    index: FieldIndex,
    fields: Sequence[Field],
    report: Report,
    purpose: Purpose,
) -> None:
    filled: set[str] = set()
    for column in columns:
        name = unseen.bare(column.name) if report.columns[column.place] else ""
        if not name:
            continue
        match = index.find(name)
        if match.field is None:
            _tell_unknown(column.name, match.suggestions, report, purpose)
            continue
        filled.add(match.field.name)
        if match.is_relationship:
            continue
        column.field = match.field
        if match.field.is_read_only and not column.is_key:
            message = (
                f"Salesforce refuses any value for {column.name}: the field is "
                "read-only. Exclude the column."
            )
            _add(report, "read-only-column", message, column.name)
    for field in fields if purpose in NEW else ():
        if field.is_required and field.name not in filled:
            message = (
                f"There is no column for {field.name}, which is required: "
                f"{WORDS[purpose].no_column}"
            )
            level: Level = "blocks" if purpose == "create" else "warns"
            _add(report, "missing-column", message, field.name, level)


def _tell_unknown(
    name: str, near: Sequence[str], report: Report, purpose: Purpose
) -> None:
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    message = (
        f"The object has no field “{name[:200]}”, {WORDS[purpose].no_field}.{meant} "
        "Rename the column or exclude it."
    )
    _add(report, "unknown-column", message, name)
