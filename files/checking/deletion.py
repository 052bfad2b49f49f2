"""What a file has to be besides, whose rows are deleted by one job of Ampersand's."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from files.checking.records import Records, Unreadable, readable
from files.findings import Report

# Where the key is not Salesforce's Id, Ampersand asks Salesforce for the ids in one
# question with all keys in it.
MOST_CHARACTERS = 4_000
_SALESFORCE_ID = "id"


def check_deletion(path: Path, key: str, report: Report) -> None:
    """Add what keeps the file at `path` from being deleted by the column `key`.

    That column has to be the only one. If it is not Salesforce's Id, all its cells
    together must have fewer than 4,000 characters. Raises OSError.
    """
    with path.open("rb") as file:
        records = iter(Records(file))
        try:
            names = [readable(name) for name in next(records, [])]
            _tell_columns(names, key, report)
            if len(names) == 1 and key.casefold() != _SALESFORCE_ID:
                _tell_length(records, names[0], report)
        except Unreadable:
            # The check told it.
            return


def _tell_columns(names: Sequence[str], key: str, report: Report) -> None:
    for name in names:
        if name.casefold() != key.casefold():
            message = (
                f"A delete needs only one column, {key}. Exclude this one: it would be "
                "ignored."
            )
            report.add("blocks", "extra-column", message, row=1, line=1, column=name)


def _tell_length(records: Iterator[list[str]], name: str, report: Report) -> None:
    total = 0
    for count, cells in enumerate(records):
        total += len(readable(cells[0])) if cells else 0
        if total >= MOST_CHARACTERS:
            message = (
                "A delete by another column than Id is limited to keys of "
                f"{MOST_CHARACTERS:,} characters in total. The first {count:,} rows "
                "reach that limit; split the file there, or delete by Id."
            )
            report.add("blocks", "long-keys", message, column=name)
            return
