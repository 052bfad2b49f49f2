"""Small files with one fault each, of those that tables out of Excel are known for.

Each has 30 rows, and its fault in row 17. Only the bytes of `SOUND` are without any.
"""

KEY = "id"
KINDS = {"id": "string", "name": "string", "amount": "currency", "day": "date"}
ROWS = 30
FAULTY = 17


def _file(row: bytes, end: bytes = b"\n") -> bytes:
    rows = [f"k-{n},Name {n},{n}.50,2024-12-31".encode() for n in range(2, ROWS + 2)]
    lines = [b",".join(name.encode() for name in KINDS), *rows]
    before, after = lines[: FAULTY - 1], lines[FAULTY:]
    text = [line + b"\n" for line in before] + [row + end]
    return b"".join(text + [line + b"\n" for line in after])


SOUND = _file(b"k-17,Name 17,17.50,2024-12-31")
FAULTS = {
    "long_row": _file(b"k-17,Name 17,17.50,2024-12-31,more"),
    "short_row": _file(b"k-17,Name 17,17.50"),
    "blank_line": _file(b""),
    "text_after_quote": _file(b'k-17,"Name" 17,17.50,2024-12-31'),
    "quote_within_cell": _file(b'k-17,5" pipe,17.50,2024-12-31'),
    "quote_without_end": _file(b'k-17,"Name 17,17.50,2024-12-31'),
    "no_utf8": _file(b"k-17,Ren\xe9,17.50,2024-12-31"),
    "nul": _file(b"k-17,Na\0me,17.50,2024-12-31"),
    "cr_within_cell": _file(b"k-17,Na\rme,17.50,2024-12-31"),
    "one_crlf": _file(b"k-17,Name 17,17.50,2024-12-31", b"\r\n"),
    "key_twice": _file(b"k-16,Name 17,17.50,2024-12-31"),
    "no_such_day": _file(b"k-17,Name 17,17.50,2023-02-29"),
}
