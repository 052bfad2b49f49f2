"""CSV for spreadsheets: text that would be taken for a formula is made harmless."""

import csv
from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse

CSV = "text/csv; charset=utf-8"
# A byte order mark: by it Excel knows that a file is UTF-8.
MARK = "\ufeff"
# OWASP, "CSV Injection": these begin a formula; Excel takes the wide forms, too.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class _Line:
    """What `csv.writer` writes to: hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def guarded(value: object) -> str:
    """Return `value` as a cell that no spreadsheet calculates: formulas get a "'"."""
    text = "" if value is None else str(value)
    begins = text.lstrip(" \u00a0\ufeff").startswith(FORMULA_STARTS)
    return f"'{text}" if begins else text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a guarded CSV file for spreadsheets one by one."""
    writer = csv.writer(_Line())
    yield MARK + writer.writerow([guarded(name) for name in header])
    for row in rows:
        yield writer.writerow([guarded(cell) for cell in row])


def exact_lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a CSV file for programs one by one, its cells as they are."""
    return map(csv.writer(_Line(), lineterminator="\n").writerow, rows)


def download(
    lines: Iterable[str], *, file_name: str, content_type: str = CSV
) -> StreamingHttpResponse:
    """Return lines as a file to save, sent while they are read.

    `file_name` is ours: ASCII, without quotes.
    """
    return StreamingHttpResponse(
        (line.encode(errors="replace") for line in lines),
        content_type=content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{file_name}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )
