"""Odd and damaged files: name → bytes, key and fields. Over 200, all built here.

They are small, so that tests can look at them in blocks of 64 bytes: what matters then
lies at the start, in the middle, at the end and on borders of blocks.
"""

import io
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

from files.field import Field


class Odd(NamedTuple):
    """One file of the corpus."""

    data: bytes
    key: str = "id"
    fields: tuple[Field, ...] = ()


FIELDS = (
    Field(name="id", length=12, is_external_id=True),
    Field(name="name", length=20, is_required=True),
    Field(name="day", type="date"),
    Field(name="moment", type="datetime"),
    Field(name="clock", type="time"),
    Field(name="amount", type="currency", digits=6, scale=2),
    Field(name="count", type="int", digits=4),
    Field(name="size", type="double"),
    Field(name="mail", type="email", length=30),
    Field(name="on", type="boolean"),
    Field(
        name="tier", type="picklist", is_restricted=True, values=("Gold", "Blue sky")
    ),
    Field(
        name="tags",
        type="multipicklist",
        is_restricted=True,
        values=("a", "b", 'c"d', "e,f"),
    ),
    Field(name="OwnerId", type="reference", relationship="Owner", references=("User",)),
    Field(name="notes", type="textarea", length=60),
    Field(name="made", type="datetime", is_creatable=False, is_updateable=False),
)

# A sound value of each field that has rules, and odd ones: doubtful, wrong, hostile.
SOUND = {
    "day": "2024-02-29",
    "moment": "2024-12-31T10:00:00Z",
    "clock": "10:00:00.000Z",
    "amount": "1234.50",
    "count": "-12",
    "size": "1.5E3",
    "mail": "a.b@example.com",
    "on": "TRUE",
    "tier": "Gold",
    "tags": "a;b",
    "OwnerId": "001xx000003DGbYAAW",
    "notes": "fine",
    "name": "Ann",
}
VALUES = {
    "day": [
        "2023-02-29",
        "2024-13-01",
        "12/31/2024",
        "31.12.2024",
        "03/04/2024",
        "45292",
        "1699-12-31",
        "4001-01-01",
        "2024-1-1",
        "2024-01-01T00:00:00Z",
        "2024-04-31",
        "2024-00-10",
        "2024-10-00",
        "٢٠٢٤-٠١-٠١",
        "2024–01–01",
    ],
    "moment": [
        "2024-12-31 10:00:00",
        "2024-12-31T10:00:00",
        "2024-12-31T10:00:00+14:00",
        "2024-12-31T10:00:00+15:00",
        "2024-12-31T10:00:00.000+01:60",
        "2024-12-31T24:00:00Z",
        "2024-12-31T10:60:00Z",
        "2024-12-31t10:00:00z",
        "2024-12-31",
        "2024-02-30T10:00:00.123Z",
        "2024-12-31T10:00:00.1234Z",
        "12/31/2024 5:00 PM",
    ],
    "clock": ["10:00", "24:00:00.000Z", "10:00:00", "10:61:00Z", "noon"],
    "amount": [
        "1,234.50",
        "1.234,50",
        "$12",
        "1e3",
        "12345678",
        "1.234",
        "1.2.3",
        "--1",
        "1-",
        "+1.",
        ".5",
        ".",
        "-",
        "1234567.00",
        "0001234.5",
        "１２",
    ],
    "count": ["1.0", "12345", "99999999999", "1e2", "x", "00012", "+5"],
    "size": ["1.5E3", "NaN", "1E9999", "0x1F", "1_000", "1 000"],
    "mail": [
        "a@b",
        "a@@b.c",
        "@b.co",
        "a@b..co",
        "a b@c.de",
        "a@b.c,d@e.fg",
        "ü@example.com",
        "a@.example.com",
        "a@example.com.",
        "very.long.address@example.company",
        "a.b@companyname",
        "a;b@example.com",
    ],
    "on": ["yes", "2", "tRuE", "10", "True ", "truetrue", "falsey"],
    "tier": ["gold", "Silver", "Gold ", "Blue", "Blue skyx", "Göld", "Goldd"],
    "tags": ["a;x", ";", "a;;b", 'c"d', "e,f", 'c""d', "A"],
    "OwnerId": [
        "001xx000003DGbYAAX",
        "001XX000003DGBYAAW",
        "001xx000003DGbY",
        "001xx000003DGb",
        "001xx000003DGb!",
        "1.2E+17",
        "001xx000003dgbyaaw",
    ],
    "notes": ["x" * 61, "ü" * 40, "ü" * 61, "1.2E+17", "=T(1)"],
    "name": ["1.2E+17", "5E+123", "x" * 21, "ü" * 20, "1,2E+10", "{row}", "=1+1"],
}
# Cells that say something in any column.
ANYWHERE = [
    "#N/A",
    " x",
    "x ",
    "\tx",
    "x\u00a0",
    "\u3000x",
    "x\u2003",
    "\u0085",
    "  ",
    "#N/A ",
    "#n/a",
    "#N/B",
    "\u201cx\u201d",
    "x\x1f",
    "\x1cx",
    "A\u200b1",
    "A1\u00ad",
    "\u3164",
    "x\x07y",
    "x\x7f",
    "\u2764\ufe0f",
    "Caf\u00c3\u00a9",
    "it\u00e2\u20ac\u2122s",
    "Caf\u221a\u00a9",
    "\ufffd",
    "NULL",
    "n/a",
    "NA",
    "\\N",
    "#REF!",
    "#\u043d/\u0434",
    "###",
    "??",
    "\u2013",
    '="00123"',
    "'00124",
    "1.2E+17",
    "1.2E17",
    "123456789012345000",
    "123456789012345001",
]


def corpus() -> dict[str, Odd]:
    """Return all files by name."""
    files: dict[str, Odd] = {}
    for source in (
        _whole,
        _encodings,
        _damage,
        _pairs,
        _quotes,
        _keys,
        _values,
        _sizes,
    ):
        for name, odd in source():
            assert name not in files, name
            files[name] = odd
    return files


def table(rows: list[list[str]]) -> bytes:
    """Return rows as CSV, quoted where they must be."""
    return "".join(",".join(map(cell, row)) + "\n" for row in rows).encode()


def cell(text: str) -> str:
    """Return a cell as CSV."""
    if any(sign in text for sign in '",\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text


def plain_rows(count: int = 24) -> list[bytes]:
    """Return the lines of a sound table: the header, then so many rows."""
    rows = [b"id,name,notes\n"]
    for number in range(count):
        note = b'"two\nlines, ""so"""' if number % 5 == 3 else b"some words"
        rows.append(b"k%d,Name %d,%s\n" % (number, number, note))
    return rows


def _whole() -> Iterator[tuple[str, Odd]]:
    yield "sound", Odd(b"".join(plain_rows()))
    yield "sound, no line end", Odd(b"".join(plain_rows())[:-1])
    yield "sound, all quoted", Odd(b'"id","a"\n' + b'"1","x"\n"2","y"\n' * 1)
    yield "empty", Odd(b"")
    yield "one newline", Odd(b"\n")
    yield "only newlines", Odd(b"\n" * 200)
    yield "only CRLF", Odd(b"\r\n" * 50)
    yield "blank first line", Odd(b"\nid,a\n1,x\n")
    yield "header only", Odd(b"id,a\n")
    yield "header only, no line end", Odd(b"id,a")
    yield "header with line breaks", Odd(b'"i\nd",id,"b\n\nc"\n1,2,3\n4,2,6\n')
    yield "one column", Odd(b"id\n" + b"".join(b"%d\n" % n for n in range(60)))
    yield "one column, blank line", Odd(b"id\n1\n\n2\n")
    yield "one column, quoted blank", Odd(b'id\n1\n""\n2\n')
    yield "one column, blank lines at the end", Odd(b"id\n1\n2\n\n\n")
    yield "one column of spaces", Odd(b"id\n1\n \n2\n")
    yield "blank column", Odd(b"id,,a\n1,x,y\n")
    yield "column of spaces", Odd(b"id,  \n1,x\n")
    yield "two blank columns", Odd(b"id,,\n1,x,y\n")
    yield "repeated column", Odd(b"id,a,a\n1,x,y\n")
    yield "repeated in another case", Odd(b"id,a,A\n1,x,y\n")
    yield "repeated but for spaces", Odd(b"id,a, a\n1,x,y\n")
    yield "repeated key column", Odd(b"id,ID\n1,x\n")
    yield "spaces at a name", Odd(b"id, a\n1,x\n")
    yield "no-break space at a name", Odd("id,a\u00a0\n1,x\n".encode())
    yield "key missing", Odd(b"x,a\n1,x\n")
    yield "key in another case", Odd(b"ID,a\n1,x\n")
    yield "semicolons", Odd(b"id;a\n1;x\n")
    yield "tabs", Odd(b"id\ta\n1\tx\n")
    yield "pipes", Odd(b"id|a\n1|x\n")
    yield "stray quote in the header", Odd(b'id,a"b\n1,x\n')
    yield "quote never closed in the header", Odd(b'"id,a\n1,x\n')
    yield "NUL in the header", Odd(b"id,a\0\n1,x\n")
    yield "bad byte in the header", Odd(b"id,a\xff\n1,x\n")
    yield "CR in the header", Odd(b"id,a\rb\n1,x\n")
    yield "unknown column", Odd(b"id,name,nme\n1,x,y\n", fields=FIELDS)
    yield "read-only column", Odd(b"id,name,made\n1,x,\n", fields=FIELDS)
    yield "required column missing", Odd(b"id,day\n1,\n", fields=FIELDS)
    yield (
        "relationship column",
        Odd(b"id,name,Owner.Email\n1,x,1.2E+1\n", fields=FIELDS),
    )
    yield "odd relationship", Odd(b"id,name,Boss.Email\n1,x,y\n", fields=FIELDS)
    yield "names in another case", Odd(b"ID,NAME,Day\n1,x,2024-1-1\n", fields=FIELDS)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writing:
        writing.writestr("xl/workbook.xml", "<workbook/>" * 20)
    yield "workbook", Odd(archive.getvalue())
    yield "PDF", Odd(b'%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /A (b,"c") >>\n' * 5)
    yield "all byte values", Odd(bytes(range(256)) * 3)
    yield "quotes only", Odd(b'"' * 99)
    yield "commas only", Odd(b"," * 99 + b"\n" + b"," * 99 + b"\n")
    yield "newlines in quotes only", Odd(b'id\n"' + b"\n" * 200 + b'"\n')


def _encodings() -> Iterator[tuple[str, Odd]]:
    text = "id,name\n1,Zoë\n2,日本\n3,x\n"
    for name in (
        "utf-8-sig",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "utf-32-be",
        "utf-7",
        "shift-jis",
        "gb18030",
        "euc-kr",
    ):
        yield f"in {name}", Odd(text.encode(name, errors="replace"))
    western = text.encode("cp1252", errors="replace")
    yield "in cp1252", Odd(western)
    yield "in mac-roman", Odd(text.encode("mac-roman", errors="replace"))
    yield (
        "in cp1252, many rows",
        Odd(western + b"".join(b"k%d,\xe9\n" % n for n in range(40))),
    )
    yield "in UTF-8", Odd(text.encode())
    yield "two byte order marks", Odd(b"\xef\xbb\xbf\xef\xbb\xbfid,a\n1,x\n")
    yield "byte order mark before a quote", Odd(b'\xef\xbb\xbf"id",a\n1,x\n')
    yield "byte order mark inside", Odd(b"id,a\n\xef\xbb\xbf1,x\n")
    for name, data in (
        ("half a surrogate pair", b"\xed\xa0\x80"),
        ("overlong", b"\xc0\xaf"),
        ("cut short", b"\xe2\x82"),
        ("lone continuation", b"\x80"),
        ("beyond Unicode", b"\xf5\x80\x80\x80"),
        ("0xFF", b"\xff"),
    ):
        yield f"{name}, alone", Odd(b"id,a\n1," + data + b"\n")
        yield f"{name}, in a quoted cell", Odd(b'id,a\n1,"x\n' + data + b'\n"\n2,y\n')
        yield f"{name}, as key", Odd(b"id,a\n" + data + b",x\n" + data + b",y\n")


DAMAGE = {
    "blank line": b"\n",
    "short row": b"z1,x\n",
    "long row": b"z2,x,y,z\n",
    "row of spaces": b"   \n",
    "stray quote": b'z3,5" pipe,y\n',
    "quote before a quote": b'z4,x""y,z\n',
    "space before a quote": b'z5, "x",y\n',
    "NUL": b"z6,\0,y\n",
    "bad byte": b"z7,\xe9,y\n",
    "CR in a cell": b"z8,a\rb,y\n",
    "CR in a quoted cell": b'z9,"a\rb",y\n',
    "CRLF": b"z10,x,y\r\n",
    "CRLF in a quoted cell": b'z11,"a\r\nb",y\n',
    "CRLF after a quote": b'z12,x,"y"\r\n',
    "CR after a quote": b'z13,x,"y"\rz\n',
    "blank key": b",x,y\n",
    "key of spaces": b'"  ",x,y\n',
    "null key": b"#N/A,x,y\n",
    "spaced key": b" z14,x,y\n",
    "repeated key": b"k0,x,y\n",
    "twin of a key": b"K1,x,y\n",
    "blank cell": b"z15,,y\n",
    "null": b"z16,#N/A,y\n",
    "spaced cell": b"z17,x ,y\n",
    "text after a quote": b'z18,"x"y,z\n',
    "quote never closed": b'z19,"x,y\n',
    "many lines": b'z20,"' + b"\n" * 90 + b'",y\n',
}


def _damage() -> Iterator[tuple[str, Odd]]:
    for name, line in DAMAGE.items():
        for where, at in (("first row", 1), ("middle", 13), ("last row", 25)):
            rows = plain_rows()
            rows.insert(at, line)
            yield f"{name}, {where}", Odd(b"".join(rows))
        rows = plain_rows()
        rows.append(line.removesuffix(b"\n"))
        yield f"{name}, at the end, no line end", Odd(b"".join(rows))


def _pairs() -> Iterator[tuple[str, Odd]]:
    names = list(DAMAGE)
    for number, first in enumerate(names):
        second = names[(number * 7 + 3) % len(names)]
        if first == second:
            continue
        rows = plain_rows()
        rows.insert(19, DAMAGE[second])
        rows.insert(5, DAMAGE[first])
        yield f"{first} and {second}", Odd(b"".join(rows))
        rows = plain_rows(2) + [DAMAGE[first], DAMAGE[second]]
        yield f"{first} beside {second}", Odd(b"".join(rows))


def _quotes() -> Iterator[tuple[str, Odd]]:
    """One quote put into every place of a small file."""
    sound = b'id,a\n1,"x""y"\n2,z\n'
    for place in range(len(sound) + 1):
        yield f"quote at {place}", Odd(sound[:place] + b'"' + sound[place:])
    for place in range(len(sound)):
        yield f"without byte {place}", Odd(sound[:place] + sound[place + 1 :])


def _keys() -> Iterator[tuple[str, Odd]]:
    def of(*keys: str) -> Odd:
        return Odd(table([["a", "id"], *(["x", key] for key in keys)]))

    yield "all keys alike", of(*["same"] * 30)
    yield "keys in pairs", of(*(f"k{n // 2}" for n in range(40)))
    yield "keys far apart", of("a", *(f"k{n}" for n in range(40)), "a")
    yield "twins", of("ab", "AB", "aB", "x")
    yield "twins and repeats", of("ab", "AB", "ab", "AB", "aB")
    yield "twins beyond ASCII", of("é", "É", "ß", "SS", "ss", "ẞ")
    yield "twins of Kelvin", of("k", "K", "\u212a", "İ", "i\u0307", "i")
    yield "quoted keys", of("a,b", "a,b", 'q"q', 'q"q', 'Q"q', "l\nl", "l\nl")
    yield "quoted and bare keys", Odd(b'id,a\nx,1\n"x",2\n"X",3\n')
    yield "quote and doubled quote", of('"', '""', '"')
    yield "long keys", of("x" * 70, "X" * 70, "x" * 70, "x" * 71, "x" * 64, "X" * 64)
    yield "long keys beyond ASCII", of("é" * 40, "É" * 40, "é" * 40, "a", "A")
    yield "keys with bad bytes", Odd(b"id\n\xff\n\xfe\n\xff\nA\na\n")
    yield "keys with NUL", Odd(b"id\na\0\na\na\0\n")
    ids = table([["Id"], ["001xx000003DGbY"], ["001xx000003dGbY"], ["001xx000003DGbY"]])
    yield "ids", Odd(ids, key="Id", fields=(Field(name="Id", type="id"),))
    yield "ids, inferred", Odd(ids, key="Id")


def _values() -> Iterator[tuple[str, Odd]]:
    for name, values in VALUES.items():
        yield f"values of {name}", Odd(_column(name, values), fields=FIELDS)
        yield (
            f"values of {name}, quoted",
            Odd(_column(name, values, True), fields=FIELDS),
        )
        sound = [SOUND[name]] * 60
        yield f"values of {name}, inferred", Odd(_column(name, sound + values))
        others = [" ", *ANYWHERE, ""]
        yield f"anything in {name}", Odd(_column(name, others + sound), fields=FIELDS)
        yield f"anything in {name}, inferred", Odd(_column(name, sound + others))
        yield f"only sound {name}", Odd(_column(name, sound), fields=FIELDS)
        yield f"only blank {name}", Odd(_column(name, [""] * 20), fields=FIELDS)
    every = [value for values in VALUES.values() for value in values]
    for name in VALUES:
        yield f"all odd values in {name}", Odd(_column(name, every), fields=FIELDS)
    yield (
        "odd values as keys",
        Odd(table([["id"], *([v] for v in every)]), fields=FIELDS),
    )


def _column(name: str, values: list[str], quoted: bool = False) -> bytes:
    names = ["id", "name", name] if name != "name" else ["id", "name"]
    rows = [names]
    # Sound rows between them keep a block from being left to the exact path.
    mixed = [text for value in values for text in (value, *[SOUND[name]] * 3)]
    for number, value in enumerate(mixed):
        rows.append([f"k{number}", "Ann", value][: len(names)])
        rows[-1][len(names) - 1] = value
    if not quoted:
        return table(rows)
    lines = (
        ",".join('"' + text.replace('"', '""') + '"' for text in row) for row in rows
    )
    return "".join(line + "\n" for line in lines).encode()


def _sizes() -> Iterator[tuple[str, Odd]]:
    for over in (0, 1):
        name = "a" * (32_000 - len("id,") + over)
        yield f"header, {over} over", Odd(f"id,{name}\n1,x\n".encode())
        width = 5_000 + over
        names = ",".join(["id", *(f"c{n}" for n in range(1, width))])
        yield f"columns, {over} over", Odd(f"{names}\n1{',x' * (width - 1)}\n".encode())
        yield (
            f"cell, {over} over",
            Odd(f"id,a\n1,{'x' * (131_072 + over)}\n2,y\n".encode()),
        )
        yield (
            f"cell of two bytes each, {over} over",
            Odd(f"id,a\n1,{'ü' * (131_072 + over)}\n2,y\n".encode()),
        )
        rest = 400_000 - len("1,,,,") - 3 * 131_072 + over
        big = ",".join(["1", *["x" * 131_072] * 3, "y" * rest])
        yield f"row, {over} over", Odd(f"id,a,b,c,d\n{big}\n2,,,,\n".encode())
    yield "cell of 32,001", Odd(f"id,a\n1,{'x' * 32_001}\n".encode())
    quoted = 'id,a\n1,"' + '""' * 131_073 + '"\n2,y\n'
    yield "quotes beyond the limit", Odd(quoted.encode())
    yield "beyond what is read", Odd(b"id,a\n1," + b"x" * 4_100_000 + b"\n2,y\n")
    yield (
        "quoted beyond what is read",
        Odd(b'id,a\n1,"' + b"x\n" * 2_100_000 + b'"\n2,y\n'),
    )
