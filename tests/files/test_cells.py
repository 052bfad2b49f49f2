"""Faults of cells in columns of any kind: unseen, misread, guarded, shortened."""

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from files import unseen
from files.checking.check import check
from files.field import Field
from files.findings import Finding, Report
from files.values.damage import repaired
from files.values.invisible import needless, trimmed
from files.values.misread import reread
from files.values.placeholders import placeholder

KEY = "Ext__c"
FIELDS = (
    Field(name=KEY, length=40, is_external_id=True),
    Field(name="Name", length=80),
    Field(name="Notes__c", type="textarea", length=255),
    Field(name="Phone", type="phone", length=40),
    Field(name="Email", type="email", length=80),
    Field(name="Amount", type="currency", digits=16, scale=2),
    Field(
        name="Tier__c",
        type="picklist",
        is_restricted=True,
        values=("None", "N/A", "#REF!", "'01"),
    ),
    Field(
        name="AccountId",
        type="reference",
        relationship="Account",
        references=("Account",),
    ),
    Field(name="Parent__c", type="reference", relationship="Parent__r"),
    Field(name="Id", type="id"),
)
ENGINES = pytest.mark.parametrize("engine", ["exact", "fast"])


def found(
    directory: Path,
    rows: Sequence[Sequence[str]],
    *,
    engine: str = "exact",
    key: str = KEY,
    fields: Sequence[Field] = FIELDS,
) -> list[Finding]:
    """Return the findings about a file, but for what is only noted."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    path = directory / "cells.csv"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    findings: list[Finding] = []
    report = Report(sink=findings.append)
    check(path, key=key, fields=fields, report=report, engine=engine, block=64)  # type: ignore[arg-type]
    return [finding for finding in findings if finding.level != "notes"]


def told(findings: Sequence[Finding]) -> list[tuple[str, str, str | None, int | None]]:
    return [(f.level, f.rule, f.column, f.row) for f in findings]


def rules(findings: Sequence[Finding]) -> set[str]:
    return {finding.rule for finding in findings}


def test_every_character_that_formats_or_controls_is_unseen() -> None:
    for number in range(0x110000):
        char = chr(number)
        if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Zs") and char != " ":
            assert unseen.is_unseen(char), hex(number)
    for char in "\u034f\u115f\u1160\u3164\uffa0\u2800\ufe0f\U000e0100\u17b5\u180b":
        assert unseen.is_unseen(char)
    assert not any(map(unseen.is_unseen, "aé日\u0301\u20e3~"))


MEANT = {
    "emoji": "\u2764\ufe0f",
    "family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "burning heart": "\u2764\ufe0f\u200d\U0001f525",
    "flag": "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "keycap": "1\ufe0f\u20e3",
    "Persian": "می\u200cخواهم",
    "Hebrew": "שלום\u200e C++",
    "Hindi": "क्\u200dष",
    "variant of a character": "葛\U000e0100",
}


@pytest.mark.parametrize("text", MEANT.values(), ids=MEANT)
def test_what_means_something_stays(text: str, tmp_path: Path) -> None:
    assert not needless(text)
    assert trimmed(f" {text}\u200b ") == text
    assert not found(tmp_path, [[KEY, "Name"], ["A1", text]])


@ENGINES
def test_unseen_characters_in_keys_block(engine: str, tmp_path: Path) -> None:
    rows = [[KEY, "Name"], ["A1", "x"], ["A1\u200b", "y"], ["\ufeffA1", "z"]]
    findings = found(tmp_path, rows, engine=engine)
    assert {(f.rule, f.row) for f in findings if f.level == "blocks"} == {
        ("key-spaces", 3),
        ("key-spaces", 4),
    }
    assert "U+200B" in findings[0].message
    # That they are one key is told, too.
    assert {f.row for f in findings if f.rule == "key-twins"} == {2, 3, 4}


UNSEEN = st.sampled_from(
    [
        chr(number)
        for number in (
            *range(0x3200),
            *range(0xFE00, 0x10000),
            *range(0xE0000, 0xE0200),
        )
        if unseen.is_unseen(chr(number)) and chr(number) not in "\t\n\r\0"
    ]
)
# Keys in which an unseen character can mean nothing, and others.
KEYS = st.sampled_from(["A1", "k-77", "Zoë", "東京", "می", "שלום", "\u2764", "a b"])


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_a_key_and_its_unseen_twin_never_pass(
    tmp_path: Path, data: st.DataObject
) -> None:
    key = data.draw(KEYS)
    place = data.draw(st.integers(0, len(key)))
    char = data.draw(UNSEEN)
    if unicodedata.category(char) == "Zs":
        # A space within is another key; at the ends it is told.
        place = data.draw(st.sampled_from([0, len(key)]))
    twin = key[:place] + char + key[place:]
    rows = [[KEY, "Name"], [key, "x"], ["other", "y"], [twin, "z"]]
    exact = found(tmp_path, rows)
    assert any(finding.row == 4 for finding in exact)
    assert rules(exact) & {"key-spaces", "key-twins", "blank-key"}
    assert found(tmp_path, rows, engine="fast") == exact


@ENGINES
def test_keys_that_look_alike_are_twins(engine: str, tmp_path: Path) -> None:
    rows = [[KEY, "Name"], ["Café", "x"], ["Cafe\u0301", "y"], ["caf\u00e9", "z"]]
    findings = found(tmp_path, rows, engine=engine)
    assert told(findings) == [("warns", "key-twins", KEY, row) for row in (2, 3, 4)]
    assert "U+0301" in findings[0].message
    gaps = [[KEY, "Name"], ["A 1", "x"], ["A\u00a01", "y"], ["Ａ １", "z"]]
    assert rules(found(tmp_path, gaps, engine=engine)) == {"key-twins"}


@ENGINES
def test_an_id_with_and_without_its_ending_is_one_record(
    engine: str, tmp_path: Path
) -> None:
    rows = [["Id", "Name"], ["001000000000001", "x"], ["001000000000002AAA", "o"]]
    rows += [["001000000000001AAA", "y"], ["001000000000003", 'say "so"']]
    findings = found(tmp_path, rows, engine=engine, key="Id")
    assert told(findings) == [("blocks", "repeated-key", "Id", row) for row in (2, 4)]
    # The case of the first 15 characters counts.
    rows = [["Id", "Name"], ["001xx000003DGbY", "x"], ["001xx000003DGbyAAG", "y"]]
    assert "repeated-key" not in rules(found(tmp_path, rows, engine=engine, key="Id"))


@ENGINES
def test_an_address_with_an_unseen_character_blocks(
    engine: str, tmp_path: Path
) -> None:
    for char in "\u200b\u00ad\u2060\ufe0f":
        rows = [[KEY, "Email"], ["A1", f"a@example.com{char}"], ["A2", f"{char}a@b.co"]]
        findings = found(tmp_path, rows, engine=engine)
        blocked = [f for f in findings if f.level == "blocks"]
        assert [(f.rule, f.row) for f in blocked] == [("email", 2), ("email", 3)]
        assert f"U+{ord(char):04X}" in blocked[0].message


def test_a_key_column_with_an_unseen_character_says_so(tmp_path: Path) -> None:
    rows = [["\u202aExt__c", "Name"], ["A1", "x"]]
    for fields in ((), FIELDS):
        findings = found(tmp_path, rows, fields=fields)
        assert rules(findings) == {"column-spaces"}
        assert "U+202A" in findings[0].message


WORDS = ["NULL", "null", "None", "nan", "NaN", "N/A", "\\N", "#n/a", "NA", "(null)"]
WORDS += ["undefined", "<NA>", "#NV", "#Н/Д", "–", "-", "???", "####", "NIL"]


@ENGINES
@pytest.mark.parametrize("word", WORDS)
def test_words_for_no_value_are_warned(word: str, engine: str, tmp_path: Path) -> None:
    rows = [[KEY, "Name", "Notes__c"], ["A1", word, "x"], ["A2", "y", word]]
    assert told(found(tmp_path, rows, engine=engine)) == [
        ("warns", "placeholder", "Name", 2),
        ("warns", "placeholder", "Notes__c", 3),
    ]


@pytest.mark.parametrize(
    "text", ["Nan Goldin", "Noneman", "Nullarbor", "na", "No", "n"]
)
def test_words_that_hold_such_a_word_are_none(text: str, tmp_path: Path) -> None:
    assert not found(tmp_path, [[KEY, "Name"], ["A1", text]])


@ENGINES
def test_a_value_that_the_picklist_has_is_none_either(
    engine: str, tmp_path: Path
) -> None:
    rows = [[KEY, "Tier__c"], ["A1", "None"], ["A2", "N/A"], ["A3", "#REF!"]]
    assert not found(tmp_path, [*rows, ["A4", "'01"]], engine=engine)


@ENGINES
def test_errors_of_a_spreadsheet_block(engine: str, tmp_path: Path) -> None:
    errors = ["#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#WERT!", "#¡REF!"]
    rows = [[KEY, "Name"], *([f"A{i}", error] for i, error in enumerate(errors))]
    findings = found(tmp_path, rows, engine=engine)
    assert told(findings) == [
        ("blocks", "cell-error", "Name", row) for row in range(2, 2 + len(errors))
    ]
    # The one that clears a field is no error, and a name may begin like one.
    sound = [[KEY, "Name"], ["A1", "#N/A"], ["A2", "#1 Seller!"]]
    assert not found(tmp_path, sound, engine=engine)


def test_an_error_that_reading_told_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "cells.csv"
    path.write_text(f"{KEY},Name\nA1,#REF!\n")
    report = Report(told=frozenset({"cell-error"}))
    check(path, key=KEY, fields=FIELDS, report=report)
    assert not report.groups


GUARDED = {
    '="00123"': "00123",
    '="say ""so"""': 'say "so"',
    "'00124": "00124",
    "'+49 30 1": "+49 30 1",
    "'=1+1": "=1+1",
}


@ENGINES
@pytest.mark.parametrize("text", GUARDED)
def test_signs_for_excel_are_warned_with_the_bare_value(
    text: str, engine: str, tmp_path: Path
) -> None:
    findings = found(tmp_path, [[KEY, "Name"], [text, "x"]], engine=engine)
    assert told(findings) == [("warns", "formula-text", KEY, 2)]
    assert GUARDED[text] in findings[0].message
    assert repaired(text) == GUARDED[text]


@pytest.mark.parametrize("text", ["'t Hooft", "'90s", "'68", "=", "=> this", "O'Neil"])
def test_a_sign_that_belongs_to_the_text_is_not(text: str, tmp_path: Path) -> None:
    assert not found(tmp_path, [[KEY, "Name"], ["A1", text]])
    assert repaired(text) == text


PLAIN = ["Café", "it’s", "Müller – Söhne", "Łódź", "naïve “quote”", "Привет", "Ελλάδα"]
PLAIN += ["São Paulo", "Ångström", "日本語", "한국어", "50 €", "ğış", "Київ №5 «Рівне»"]
READ_AS = ["cp1252", "latin-1", "mac-roman", "cp1250", "cp437", "cp850", "cp1251"]


@pytest.mark.parametrize("text", PLAIN)
def test_text_that_was_misread_is_read_again(text: str) -> None:
    assert reread(text) is None
    for encoding in ("cp1252", "latin-1"):
        try:
            misread = text.encode().decode(encoding)
        except UnicodeDecodeError:
            continue
        assert reread(misread) == text
        twice = misread.encode().decode("latin-1")
        assert reread(twice) == text
    if any(char > "\u4e00" for char in text):
        return
    # In other encodings a short text may mean what it says.
    known = Counter(
        reread(text.encode().decode(encoding, errors="ignore")) == text
        for encoding in READ_AS[2:]
    )
    assert known[True] >= 2


@ENGINES
def test_misread_and_lost_text_is_warned(engine: str, tmp_path: Path) -> None:
    rows = [[KEY, "Name"], ["A1", "CafÃ©"], ["A2", "itâ€™s"], ["A3", "a\ufffdb"]]
    rows += [["A4", "Caf√©"], ["A5", "РџСЂРёРІРµС‚"], ["A6", "ï¿½"], ["A7", "ok"]]
    findings = found(tmp_path, rows, engine=engine)
    assert [(f.level, f.rule, f.row) for f in findings] == [
        ("warns", "misread", 2),
        ("warns", "misread", 3),
        ("warns", "lost-characters", 4),
        ("warns", "misread", 5),
        ("warns", "misread", 6),
        ("warns", "lost-characters", 7),
    ]
    assert "“Café”" in findings[0].message


REAL = [
    "NESCAFÉ®",
    "„Spaß“",
    "Рівне",
    "Beyoncé’s",
    "PANTALÓ”",
    "Île à l’été",
    "Đà Nẵng",
]


@pytest.mark.parametrize("text", REAL)
def test_text_that_looks_misread_is_let_be(text: str, tmp_path: Path) -> None:
    assert not found(tmp_path, [[KEY, "Name"], ["A1", text]])


@ENGINES
@pytest.mark.parametrize(
    "column", [KEY, "Name", "Notes__c", "Phone", "Account.Ext__c", "AccountId"]
)
def test_shortened_numbers_are_warned_in_any_text(
    column: str, engine: str, tmp_path: Path
) -> None:
    header = [KEY] if column == KEY else [KEY, column]
    for text in ("4.93012E+11", "4,93012E+11", "4.93012e11"):
        row = [text] if column == KEY else ["A1", text]
        findings = found(tmp_path, [header, row], engine=engine)
        assert told(findings) == [("warns", "scientific", column, 2)]


@ENGINES
def test_without_a_field_list_too(engine: str, tmp_path: Path) -> None:
    rows = [["k", "Phone"], ["A1", "4.93012E+11"], ["A2", "office"]]
    findings = found(tmp_path, rows, engine=engine, key="k", fields=())
    assert told(findings) == [("warns", "scientific", "Phone", 2)]


@ENGINES
def test_long_numbers_that_all_end_in_zeros_are_warned(
    engine: str, tmp_path: Path
) -> None:
    numbers = ["123456789012345000", "123456789012346000", "987654321098765000"]
    for column in (KEY, "Name", "Phone", "Account.Ext__c"):
        header = [KEY] if column == KEY else [KEY, column]
        rows = [[n] if column == KEY else [f"A{n}", n] for n in numbers]
        findings = found(tmp_path, [header, *rows], engine=engine)
        assert told(findings) == [("warns", "long-number", column, None)]
        whole = [header, *rows, [*rows[0][:-1], "123456789012345678"]]
        assert "long-number" not in rules(found(tmp_path, whole, engine=engine))
    # An amount is a number, and one zero may be chance.
    amounts = [[KEY, "Amount", "Name"], ["A1", "1234567890123450", "1234567890123450"]]
    assert not found(tmp_path, amounts, engine=engine)


def test_a_placeholder_is_told_apart() -> None:
    assert placeholder("#REF!") == "error"
    assert placeholder("Null") == "word"
    assert placeholder("#1") is None
    assert placeholder("") is None


TWO_COLUMNS = {
    "id and relationship": (["AccountId", "Account.Ext__c"], True),
    "two relationships": (["Account.Ext__c", "Account.Other__c"], True),
    "custom": (["Parent__c", "Parent__r.Ext__c"], True),
    "others": (["AccountId", "Parent__r.Ext__c"], False),
}


@pytest.mark.parametrize(("names", "is_told"), TWO_COLUMNS.values(), ids=TWO_COLUMNS)
def test_two_columns_for_one_field_are_warned(
    names: list[str], is_told: bool, tmp_path: Path
) -> None:
    rows = [[KEY, "Name", *names], ["A1", "x", "001000000000001AAA", "AC1"]]
    for fields in (FIELDS, ()):
        findings = found(tmp_path, rows, fields=fields)
        same = [f for f in findings if f.rule == "same-field"]
        assert [(f.level, f.column) for f in same] == [("warns", names[1])] * is_told
