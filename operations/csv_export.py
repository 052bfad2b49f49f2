"""CSV for spreadsheets: text that would be taken for a formula is made harmless.

A spreadsheet may split a line where its own country has separators, and then quotes
around our cells hold nothing together. So a formula is looked for after every separator
and line end, also inside a cell.
"""

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse

from files.unseen import UNSEEN

CSV = "text/csv; charset=utf-8"
# A byte order mark: by it Excel knows that a file is UTF-8.
MARK = "\ufeff"

# Signs that begin a formula (OWASP, "CSV Injection"), in all their widths and heights.
_STARTS = r"=+\-@＝＋－＠﹦﹢﹣﹫⁼⁺⁻₌₊₋−"
# Where some program may begin another cell: separators, wide and Arabic ones among
# them, and all that ends a line.
_BORDERS = r",;\t|，；｜、،؛\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029"
# What may stand before the sign and be passed over: spaces, what nobody sees, quotes.
_PASSED = rf'"{UNSEEN} \xa0\u1680\u2000-\u200a\u202f\u205f\u3000'
_SIGN_AHEAD = rf"(?=(?:(?![{_BORDERS}])[{_PASSED}])*+[{_STARTS}])"
_FORMULA_INSIDE = re.compile(rf"[{_BORDERS}]{_SIGN_AHEAD}")
# A tab or a line end may begin a formula as well; by "sep=" Excel splits elsewhere.
_BAD_BEGINNING = re.compile(rf'{_SIGN_AHEAD}|[\t\r\n]|[\s"]*(?i:sep=)')
_SUSPECT = re.compile(rf"[{_STARTS}\t\r\n]")


class _Line:
    """What `csv.writer` writes to: hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def guarded(value: object) -> str:
    """Return `value` as a cell that no spreadsheet calculates: formulas get a "'"."""
    text = "" if value is None else str(value)
    if not _SUSPECT.search(text):
        return text
    begins_badly = _BAD_BEGINNING.match(text)
    if _FORMULA_INSIDE.search(text):
        text = _FORMULA_INSIDE.sub(r"\g<0>'", text)
    return f"'{text}" if begins_badly else text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a guarded CSV file for spreadsheets one by one.

    All cells are in quotes, so that one with another country's separator stays whole.
    """
    writer = csv.writer(_Line(), quoting=csv.QUOTE_ALL)
    yield MARK + writer.writerow([guarded(name) for name in header])
    for row in rows:
        yield writer.writerow([guarded(cell) for cell in row])


def exact_lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a CSV file for programs one by one, its cells as they are."""
    return map(csv.writer(_Line(), lineterminator="\n").writerow, rows)


def digest_of(lines: Iterable[str]) -> str:
    """Return the SHA-256 of what `download` sends of these lines."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(_encoded(line))
    return digest.hexdigest()


def _encoded(line: str) -> bytes:
    return line.encode(errors="replace")


def download(
    lines: Iterable[str], *, file_name: str, content_type: str = CSV
) -> StreamingHttpResponse:
    """Return lines as a file to save, sent while they are read.

    `file_name` is ours: ASCII, without quotes.
    """
    return StreamingHttpResponse(
        map(_encoded, lines),
        content_type=content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{file_name}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )
