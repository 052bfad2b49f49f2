"""Looking at an upload: what it is, and what the operator must agree to."""

import codecs
import csv
import hashlib
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files.reading import encodings
from files.reading.inspection import Inspection, Reading, inspect
from files.reading.kinds import REFUSALS
from files.reading.read import read
from tests.example_files import exported_accounts, opportunities

BOM = codecs.BOM_UTF8
FRENCH = (
    "id;Société;Ville\n1;Boulangerie Générale de l’Étoile;Orléans\n2;Crème – 5 €;X\n"
)
GERMAN = "id,Firma,Ort\n1,Müller GmbH,Köln\n2,Süß & Söhne,Düsseldorf\n"
JAPANESE = "id,名前,住所\n1,山田太郎,東京都千代田区\n2,テスト株式会社,大阪市\n"
RUSSIAN = "id,Имя,Город\n1,Иванов Иван,Москва\n2,Общество,Санкт-Петербург\n"
POLISH = "id,Imię,Miasto\n1,Łukasz Żółć,Gdańsk\n2,Święta Kościół,Łódź\n"
PLAIN = "id,a\n1,x\n"


def _inspect(data: bytes, *, block: int = 50) -> Inspection:
    with TemporaryDirectory() as folder:
        path = Path(folder, "file.csv")
        path.write_bytes(data)
        return inspect(path, block=block)


def _zip(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return file.getvalue()


def _open_document(type_: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        name = f"application/vnd.oasis.opendocument.{type_}"
        archive.writestr("mimetype", name)
        archive.writestr("content.xml", "x")
    return file.getvalue()


UTF_16 = "This file is in UTF-16, not UTF-8."


def _maybe(name: str) -> str:
    return (
        f"This file is not UTF-8. It may be {name}: check that the characters look "
        "right."
    )


WINDOWS = _maybe("Windows-1252")
SEMICOLONS = "The columns are separated by semicolons."

NOTE = "The first line, “sep=;”, is a hint for Excel and not a header: it is not sent."

# The bytes, the encoding, the delimiter, and the doubts.
GUESSED = {
    "nothing": (b"", "utf-8", ",", []),
    "plain": (PLAIN.encode(), "utf-8", ",", []),
    "UTF-8": (FRENCH.replace(";", ",").encode(), "utf-8", ",", []),
    "marks": (BOM * 2 + PLAIN.encode(), "utf-8", ",", []),
    "a mark and a byte at fault": (BOM + b"id\n\xff\n", "utf-8", ",", []),
    "damaged UTF-8": (JAPANESE.encode() + b"\xff\n", "utf-8", ",", []),
    "UTF-8 cut off": (JAPANESE.encode()[:-3], "utf-8", ",", []),
    "UTF-16 LE": (PLAIN.encode("utf-16-le"), "utf-16-le", ",", [UTF_16]),
    "UTF-16 LE, mark": (PLAIN.encode("utf-16"), "utf-16-le", ",", [UTF_16]),
    "UTF-16 LE, Japanese": (JAPANESE.encode("utf-16-le"), "utf-16-le", ",", [UTF_16]),
    "UTF-16 BE": (
        PLAIN.encode("utf-16-be"),
        "utf-16-be",
        ",",
        ["This file is in UTF-16 BE, not UTF-8."],
    ),
    "UTF-16 BE, mark": (
        codecs.BOM_UTF16_BE + JAPANESE.encode("utf-16-be"),
        "utf-16-be",
        ",",
        ["This file is in UTF-16 BE, not UTF-8."],
    ),
    "UTF-32": (
        PLAIN.encode("utf-32"),
        "utf-32-le",
        ",",
        ["This file is in UTF-32, not UTF-8."],
    ),
    "Excel's Unicode Text": (
        "id\ta\r\n1\tx\r\n".encode("utf-16"),
        "utf-16-le",
        "\t",
        [UTF_16, "The columns are separated by tabs."],
    ),
    "stray zeros": (b"id,a\n1,\0\n2,\0\0x\n", "utf-8", ",", []),
    "French": (FRENCH.encode("cp1252"), "cp1252", ";", [WINDOWS, SEMICOLONS]),
    "German": (GERMAN.encode("cp1252"), "cp1252", ",", [WINDOWS]),
    "Office's signs": (b"id,a\n1,5 \x80 \x96\n", "cp1252", ",", [WINDOWS]),
    "one letter": (b"id,a\n1,caf\xe9\n", "cp1252", ",", [WINDOWS]),
    "Japanese": (
        JAPANESE.encode("cp932"),
        "cp932",
        ",",
        [_maybe("Shift-JIS")],
    ),
    "Japanese, Unix": (
        JAPANESE.encode("euc_jp"),
        "euc_jp",
        ",",
        [_maybe("EUC-JP")],
    ),
    "Russian": (
        RUSSIAN.encode("cp1251"),
        "cp1251",
        ",",
        [_maybe("Windows-1251")],
    ),
    "Polish": (
        POLISH.encode("cp1250"),
        "cp1250",
        ",",
        [_maybe("Windows-1250")],
    ),
    "Mac": (
        FRENCH.replace("’", "'").replace("€", "").encode("mac_roman"),
        "mac_roman",
        ";",
        [
            _maybe("Mac Roman"),
            SEMICOLONS,
        ],
    ),
    "one column": (b"id\n1\n2\n", "utf-8", ",", []),
    "one column of texts": (b"note\na;b\nc;d\n", "utf-8", ",", []),
    "header only": (b"id;a;b", "utf-8", ";", [SEMICOLONS]),
    "decimal commas": (b"id;a\n1;2,5\n2;3,5\n", "utf-8", ";", [SEMICOLONS]),
    "comma in the header": (
        b"id;Name, first\n1;x\n2;y\n",
        "utf-8",
        ";",
        [SEMICOLONS],
    ),
    "quoted semicolons": (b'id,"a;b;c"\n1,"x;y;z"\n', "utf-8", ",", []),
    "both alike": (b"a,b;c\n1,2;3\n", "utf-8", ",", []),
    "tabs and pipes alike": (b"a\tb|c\n1\t2|3\n", "utf-8", ",", []),
    "semicolons, one ragged": (
        b"a;b;c\n" + b"1;2;3\n" * 8 + b"1;2\n",
        "utf-8",
        ";",
        [SEMICOLONS],
    ),
    "commas, ragged": (b"a,b\n1\n2,3\n", "utf-8", ",", []),
    "pipes": (b"a|b\n1|2\n", "utf-8", "|", ["The columns are separated by pipes."]),
    "Excel's note in capitals": (
        b"SEP=;\na;b\n1;x\n",
        "utf-8",
        ";",
        [SEMICOLONS, NOTE],
    ),
    "comma in a cell of every row": (
        b"Ext__c;Umsatz, netto;Day\nA1;1,50;2024-12-31\nA2;2,50;2024-12-30\n",
        "utf-8",
        ";",
        [SEMICOLONS],
    ),
    "a title above semicolons": (
        b"Accounts\n\nid;a;b\n1;x;y\n2;x;y\n3;x;y\n",
        "utf-8",
        ";",
        [SEMICOLONS],
    ),
    "a copyright sign": (b"id,name\n1,english\n2,\xa9\n", "cp1252", ",", [WINDOWS]),
    "Turkish": (
        "Ext__c,Name\nA1,çiş\nA2,İstanbul ağaç\n".encode("cp1254"),
        "cp1254",
        ",",
        [_maybe("Windows-1254")],
    ),
    "Excel's note": (
        b"sep=;\r\na;b\r\n",
        "utf-8",
        ";",
        [
            SEMICOLONS,
            NOTE,
        ],
    ),
}


@pytest.mark.parametrize("block", [1, 50, 10_000])
@pytest.mark.parametrize(
    ("data", "encoding", "delimiter", "doubts"), GUESSED.values(), ids=GUESSED
)
def test_encoding_and_delimiter_are_guessed(
    data: bytes, encoding: str, delimiter: str, doubts: list[str], block: int
) -> None:
    found = _inspect(data, block=block)
    assert (found.encoding, found.delimiter) == (encoding, delimiter)
    begin = 2 if data.lower().startswith(b"sep=") else 1
    assert found.suggested == Reading(
        encoding=encoding, delimiter=delimiter, begin=begin
    )
    assert list(found.doubts) == doubts
    assert found.refusal == ""
    assert found.encodings[0].codec == encoding


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
TABLE = "<table><tr><td>Ext__c</td></tr><tr><td>A1</td></tr></table>"
OBJECTS = '[{"Ext__c":"A1","Name":"x"},{"Ext__c":"A2","Name":"y"}]'
SPREADSHEET = (
    '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:'
    'spreadsheet"><Worksheet/></Workbook>'
)
MAIL = "Received: from a.example\r\n\tby b.example\r\nSubject: x\r\n\r\nid,a\r\n"
KINDS: list[tuple[str, bytes]] = [
    ("zip", _zip("data.csv")),
    ("damaged", b"PK\x03\x04 and no more"),
    ("xlsb", _zip("xl/workbook.bin")),
    ("ods", _open_document("spreadsheet")),
    ("odt", _open_document("text")),
    ("doc", _zip("[Content_Types].xml", "word/document.xml")),
    ("doc", OLE + bytes(600) + "WordDocument".encode("utf-16-le")),
    ("slides", _zip("ppt/presentation.xml")),
    ("numbers", _zip("Index/Document.iwa", "Data/x.png")),
    ("pdf", b"%PDF-1.7\n"),
    ("xls", OLE + b"rest"),
    ("password", OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le")),
    ("msg", OLE + bytes(600) + "__substg1.0_0037".encode("utf-16-le")),
    ("gzip", b"\x1f\x8b\x08"),
    ("7z", b"7z\xbc\xaf\x27\x1c"),
    ("rar", b"Rar!\x1a\x07\x01\x00"),
    ("xz", b"\xfd7zXZ\x00\x00"),
    ("zstd", b"\x28\xb5\x2f\xfd\x04"),
    ("bzip2", b"BZh91AY&SY\x00"),
    ("tar", b"id.csv".ljust(257, b"\0") + b"ustar\x0000"),
    ("rtf", b"{\\rtf1\\ansi id,a}"),
    ("parquet", b"PAR1\x15\x04id\x00PAR1"),
    ("avro", b"Obj\x01\x04\x14avro.codec"),
    ("arrow", b"ARROW1\x00\x00"),
    ("database", b"SQLite format 3\x00\x10"),
    ("picture", b"\x89PNG\r\n\x1a\n"),
    ("binary", bytes(range(256)) * 4),
    ("html", b"\r\n<!DOCTYPE html><html><body><p>Sign in</p></body></html>"),
    ("html", b"<head><title>x</title></head>"),
    ("html-table", TABLE.encode()),
    ("html-table", f"\ufeff <TABLE border=1>{TABLE[7:]}".encode("utf-16-le")),
    ("html-table", f"<meta charset=utf-8><style></style>{TABLE}".encode()),
    ("html-table", f"<html xmlns:x='urn:x'><body>{TABLE}".encode()),
    ("html-table", f"<div>{TABLE}</div>".encode()),
    ("xml-spreadsheet", SPREADSHEET.encode()),
    ("xml-spreadsheet", SPREADSHEET[21:].encode()),
    ("xml", b"<?xml version='1.0'?>\n<a><b>1</b></a>"),
    ("xml", b"<records><record><Ext__c>A1</Ext__c></record></records>"),
    ("xml", b"<record id='1'/>\n"),
    ("xml", b"<all>" + b"<record><a>1</a></record>\n" * 20_000 + b"</all>"),
    ("json", OBJECTS.encode()),
    ("json", OBJECTS.encode("utf-16")),
    ("json", json.dumps(json.loads(OBJECTS), indent=2).encode()),
    ("json", b'{"totalSize": 1, "records": []}'),
    ("json", b'{"Ext__c":"A1"}\n{"Ext__c":"A2"}\n'),
    ("json", b'["Ext__c","Name"]\n["A1","x"]\n'),
    ("json", b'[\n  "A1",\n  "A2"\n]\n'),
    ("json", b"{}"),
    ("json", b"[]"),
    ("yaml", b"---\n- id: 1\n"),
    ("email", MAIL.encode()),
    ("email", b"MIME-Version: 1.0\nContent-Type: multipart/related\n\n"),
    ("vcard", b"BEGIN:VCARD\nVERSION:3.0\n"),
    ("calendar", b"BEGIN:VCALENDAR\r\n"),
    ("sylk", b"ID;PWXL;N;E\nP;PGeneral\n"),
]


@pytest.mark.parametrize(("kind", "data"), KINDS, ids=[kind for kind, _ in KINDS])
def test_what_is_no_csv_is_refused_by_its_bytes(kind: str, data: bytes) -> None:
    found = _inspect(data, block=2**16)
    assert found.kind == kind
    assert found.refusal == REFUSALS[kind]
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert found.size == len(data)
    assert found.doubts == ()


@pytest.mark.parametrize(
    "header",
    [
        *("{Ext__c},Name", "[Ext__c],Name", "<Ext__c>,Name", "<table>,Ext__c"),
        *("[1],Ext__c", "{},Ext__c", "[],Ext__c", '"{""a"":1}",Ext__c', "<b>,Ext__c"),
        *("< 5,Ext__c", "<5,Ext__c", "<a>x</a>,Ext__c", '"<a/>",Ext__c'),
        *("PAR1,Ext__c", "ORC,MZ", "BZh,a", "ID;Price", "From: a,Ext__c", "---,a"),
        *("BEGIN,END", "PK,Ext__c", "GIF,Ext__c", "Rar!,a", "%PD,a", "7z,a"),
    ],
)
def test_a_table_is_none_of_these_by_its_first_signs(header: str) -> None:
    rows = f"{header}\nA1,<b>x</b>\nA2,y\n"
    assert _inspect(rows.encode()).kind == "csv"


def test_every_refusal_is_tested() -> None:
    assert {kind for kind, _ in KINDS} == set(REFUSALS)


def test_half_a_zip_is_refused() -> None:
    assert _inspect(_zip("a", "b")[:40]).kind == "damaged"


def test_a_damaged_workbook_is_refused() -> None:
    found = _inspect(_zip("xl/workbook.xml"))
    assert found.kind == "xlsx"
    assert "damaged" in found.refusal


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16"])
@pytest.mark.parametrize("block", [1, 2, 3, 100])
def test_line_ends_are_counted(encoding: str, block: int) -> None:
    data = 'a,b\r\n1,"x\ry"\r\n\n\r\r\r\n,\r'.encode(encoding)
    found = _inspect(data, block=block)
    assert found.line_ends == {"LF": 1, "CRLF": 3, "CR": 4}


MARKS = {
    "UTF-8": codecs.BOM_UTF8,
    "UTF-16": codecs.BOM_UTF16_LE,
    "UTF-16 BE": codecs.BOM_UTF16_BE,
    "UTF-32": codecs.BOM_UTF32_LE,
    "UTF-32 BE": codecs.BOM_UTF32_BE,
    "": b"",
}


@pytest.mark.parametrize(("name", "mark"), MARKS.items(), ids=MARKS)
def test_the_mark_is_named_and_no_part_of_the_header(name: str, mark: bytes) -> None:
    codec = {"UTF-16": "utf-16-le", "UTF-32": "utf-32-le"}.get(name, name or "utf-8")
    found = _inspect(mark + PLAIN.encode(codec.replace(" ", "-").lower()))
    assert found.bom == name
    assert found.header == ["id", "a"]
    assert found.is_utf8 == (name in ("", "UTF-8"))


def test_the_header_is_that_below_excels_note() -> None:
    assert _inspect(b"sep=;\nid;a\n1;2\n").header == ["id", "a"]


def test_the_header_is_cut() -> None:
    found = _inspect(",".join(["x" * 300] * 300).encode())
    assert len(found.header) == 200
    assert {len(name) for name in found.header} == {200}


def test_a_character_at_the_end_of_a_large_file_is_seen() -> None:
    """Looking at the beginning alone would call it ASCII."""
    plain = b"id,a\n" + b"1,some text\n" * 100_000
    assert _inspect(plain + b"2,caf\xe9\n", block=2**16).encoding == "cp1252"
    assert not _inspect(plain + "2,café\n".encode(), block=2**16).doubts
    [offer, *_] = _inspect(plain + JAPANESE.encode("cp932"), block=2**16).encodings
    assert offer.codec == "cp932"
    assert offer.sample == tuple(JAPANESE.splitlines())


def test_several_encodings_are_offered_with_lines_as_they_read_them() -> None:
    offers = {
        offer.codec: offer for offer in _inspect(GERMAN.encode("cp1252")).encodings
    }
    assert offers["cp1252"].label == encodings.label("cp1252")
    assert offers["cp1252"].sample == tuple(GERMAN.splitlines()[1:])
    assert set(offers) >= {"cp1252", "cp932"}
    assert len({offer.sample for offer in offers.values()}) > 1


TEXTS = {
    "cp1252": ["©", "café", "5 €", "Ærø", "São Paulo", "naïve", "25°", "½ inch"],
    "cp1254": ["çiş", "İstanbul ağaç", "Gümüşsuyu Mahallesi, Işık"],
    "cp1250": ["Łódź", "Święta Kościół"],
    "cp1251": ["Иванов", "Москва,Санкт-Петербург"],
    "cp1253": ["Αθήνα", "Γιώργος Παπαδόπουλος"],
    "cp1255": ["שלום", "תל אביב,ירושלים"],
    "cp1256": ["محمد", "القاهرة,الرياض"],
    "cp874": ["กรุงเทพ", "สมชาย ใจดี"],
    "cp932": ["山田太郎,東京都", "テスト株式会社"],
    "euc_kr": ["서울", "삼성전자,부산"],
    "koi8_r": ["Иванов,Москва"],
}


@pytest.mark.parametrize(
    ("codec", "text"),
    [(codec, text) for codec, texts in TEXTS.items() for text in texts],
)
def test_few_words_tell_the_encoding(codec: str, text: str) -> None:
    found = _inspect(f"id,name\n1,{text}\n".encode(codec))
    assert found.encoding == codec


@pytest.mark.parametrize(
    "codec", [c for c in encodings.NAMES if not c.startswith("utf")]
)
def test_every_encoding_is_offered_for_what_is_not_utf_8(codec: str) -> None:
    offers = _inspect(b"id,name\n1,\xa9\n").encodings
    assert [offer.codec for offer in offers].count(codec) == 1


def test_damaged_utf_8_is_offered_as_it_is() -> None:
    found = _inspect(JAPANESE.encode() * 3 + b"\xff\n")
    assert not found.is_utf8
    assert [offer.codec for offer in found.encodings] == ["utf-8"]


def test_a_line_without_end_is_sampled_around_its_characters() -> None:
    data = b"x" * 50_000 + "é".encode("cp1252") + b"y" * 50_000
    [sample] = _inspect(data, block=2**20).encodings[0].sample
    assert "xé" in sample
    assert len(sample) < 300


def test_it_is_stored_as_json() -> None:
    for data in (FRENCH.encode("cp1252"), PLAIN.encode(), b"%PDF"):
        found = _inspect(data)
        assert Inspection.from_json(json.loads(json.dumps(found.as_json()))) == found


def test_the_progress_is_told_and_may_stop_the_work(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"id\n" * 5)
    seen: list[tuple[int, int]] = []
    inspect(path, progress=lambda done, rows: seen.append((done, rows)), block=6)
    assert seen == [(6, 2), (12, 4), (15, 5)]

    def stop(done: int, rows: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        inspect(path, progress=stop)


SIGNS = [b"PK\x03\x04", b"\xff\xfe", b"\xef\xbb\xbf", b"sep=;", b"\r", b"\n", b'"']
PIECES = st.sampled_from(
    [*SIGNS, b",", b";", b"\0", b"a", b"\xc3\xa9", b"\xe9", b"\x82"]
)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=80) | st.lists(PIECES).map(b"".join), st.integers(1, 30))
def test_no_bytes_make_it_fail_and_blocks_make_no_difference(
    data: bytes, block: int
) -> None:
    found = _inspect(data, block=block)
    whole = _inspect(data, block=10_000)
    # Where a sample is cut depends on the blocks; what is told of the file does not.
    unsampled = replace(found, encodings=whole.encodings)
    if found.is_utf8 or found.encoding == whole.encoding:
        assert unsampled == whole
    assert json.loads(json.dumps(found.as_json()))
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    try:
        data.decode()
    except UnicodeDecodeError:
        assert not found.is_utf8
    else:
        assert found.is_utf8 or found.kind != "csv" or found.encoding != "utf-8"


CELL = st.text(st.characters(codec="cp1252", exclude_characters="\r\0"), max_size=5)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=5))
def test_what_needs_no_agreement_reads_as_it_was_written(rows: list[list[str]]) -> None:
    table = [["id", "Name", "City"], *rows]
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows(table)
    with TemporaryDirectory() as folder:
        original, as_read = Path(folder, "original"), Path(folder, "as-read")
        original.write_text(file.getvalue(), encoding="utf-8-sig", newline="")
        found = inspect(original, block=20)
        assert found.doubts == ()
        read(original, as_read, found, found.suggested, block=20)
        with as_read.open(encoding="utf-8", newline="") as written:
            again = list(csv.reader(written))
    expected = [[cell.replace("\r\n", "\n") for cell in row] for row in table]
    assert again == expected


def test_an_export_needs_agreement_and_a_plain_file_none() -> None:
    export = _inspect(exported_accounts(), block=10_000)
    assert export.doubts == (WINDOWS,)
    assert export.header[-1] == "EXTERNAL_ID__C"
    assert _inspect(opportunities(), block=10_000).doubts == ()
