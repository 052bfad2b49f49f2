"""Files such as people bring, made anew each time: all that is in them is invented."""

import csv
import io
from collections.abc import Iterable, Sequence

from sandbox.ids import record_id

Row = Sequence[object]

OPPORTUNITIES = 3_000
NO_DAY = "2030-02-30"
"""A date that the provider refuses: it has the form of one."""

EXPORTED = 240
"""Rows of an export: more than the provider works on at once."""
WITHOUT_KEY = 8
"""The last rows of an export, which have no key."""

_EXPORT_HEADER = (
    *("ID", "ISDELETED", "NAME", "BILLINGSTREET", "BILLINGCITY", "ANNUALREVENUE"),
    *("CREATEDDATE", "CREATEDBYID", "LASTMODIFIEDDATE", "LASTMODIFIEDBYID"),
    *("SYSTEMMODSTAMP", "EXTERNAL_ID__C"),
)


def opportunities() -> bytes:
    """Return 3,000 sound opportunities, "example-1" to "example-3000"."""
    return _opportunities("2030-01-31" for _ in range(OPPORTUNITIES))


def opportunities_with_a_bad_row() -> bytes:
    """Return eight opportunities; "example-3" closes on `NO_DAY`."""
    return _opportunities(NO_DAY if n == 3 else "2030-01-31" for n in range(1, 9))


def exported_accounts() -> bytes:
    """Return what an export holds: much of it is not for writing.

    It is Windows-1252, all in quotes, with names of fields in upper case, a column for
    each read-only field, streets of two lines, and rows without a key at its end.
    """
    stamp, person = "2030-01-31T08:00:00.000Z", record_id("005", 1)
    rows = [
        (
            *(record_id("001", n), "false", f"Société Example {n:04}"),
            *(f"{n} Example Street\nFloor {n % 9}", "Example Town", "1.5E6"),
            *(stamp, person, stamp, person, stamp),
            "" if n > EXPORTED - WITHOUT_KEY else f"example-{n}",
        )
        for n in range(1, EXPORTED + 1)
    ]
    return _csv([_EXPORT_HEADER, *rows], csv.QUOTE_ALL).encode("cp1252")


def _opportunities(days: Iterable[str]) -> bytes:
    rows: list[Row] = [("Name", "StageName", "external_id__c", "CloseDate")]
    for n, day in enumerate(days, start=1):
        rows.append((f"Example {n:04}", "Prospecting", f"example-{n}", day))
    return _csv(rows).encode()


def _csv(rows: Iterable[Row], quoting: int = csv.QUOTE_MINIMAL) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n", quoting=quoting).writerows(rows)
    return file.getvalue()
