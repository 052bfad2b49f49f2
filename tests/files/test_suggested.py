"""Suggested fixes: only what the file proves, and as many cells as they change."""

import csv
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from files.checking.check import check
from files.field import Field
from files.findings import Report
from files.mending.date_order import DateEvidence
from files.mending.mend import Mended, mend
from files.mending.patching import patched
from files.mending.places import WORTH_PROVING
from files.mending.recipes import Recipe
from files.mending.suggested import Fix, suggest_fixes
from files.mending.undoing import without
from files.values.boolean_words import boolean_of
from files.values.number_marks import Mark, MarkEvidence, number_of
from files.values.placeholders import placeholder, stands_for_nothing

FIELDS = (
    Field(name="Key"),
    Field(name="Day", type="date"),
    Field(name="Sum", type="currency"),
    Field(name="Open", type="boolean"),
    Field(
        name="Level", type="picklist", is_restricted=True, values=("Expert", "Novice")
    ),
    Field(name="Note"),
    Field(name="Made", type="datetime", is_creatable=False, is_updateable=False),
)
HEADER = [*(field.name for field in FIELDS), "Zz9"]
SIGNS: dict[Mark, tuple[str, str]] = {"point": (",", "."), "comma": (".", ",")}


def sent_rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for the files of one draft after the other."""
    return tmp_path_factory.mktemp("suggested")


class Draft:
    """A file, what a recipe makes of it, and what is suggested for that."""

    def __init__(
        self,
        folder: Path,
        rows: Sequence[Sequence[str]],
        header: Sequence[str] = HEADER,
    ) -> None:
        self.folder = folder
        self.as_read = self.folder / "as-read.csv"
        self.header = list(header)
        with self.as_read.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])

    def mended(self, recipe: Recipe) -> tuple[Path, Mended]:
        as_sent = self.folder / "as-sent.csv"
        held_back = self.folder / "held-back.csv"
        mended = mend(self.as_read, as_sent, recipe, held_back=held_back)
        return self.as_read if mended.is_same else as_sent, mended

    def fixes(
        self, recipe: Recipe | None = None, fields: Sequence[Field] = FIELDS
    ) -> list[Fix]:
        recipe = recipe or Recipe()
        as_sent, mended = self.mended(recipe)
        report = Report(origin=None if mended.is_same else mended.origin)
        check(as_sent, key=self.header[0], fields=fields, report=report)
        return suggest_fixes(
            self.as_read, self.header, recipe, report, fields=fields, knows_all=True
        )

    def difference(self, before: Recipe, after: Recipe, unit: str) -> int:
        """Count the cells, rows or columns in which what goes out differs."""
        old = sent_rows(self.mended(before)[0])
        new = sent_rows(self.mended(after)[0])
        if unit == "row":
            return len(old) - len(new)
        if unit == "column":
            return len(old[0]) - len(new[0])
        return sum(
            was != text
            for cells, others in zip(old, new, strict=True)
            for was, text in zip(cells, others, strict=True)
        )


TEXTS = {
    "Key": ["1", " 2", "3\u200b", "k", ""],
    "Day": ["12/31/2024", "01/02/2024", "31.12.2024", "2024-05-06", "soon", "", " "]
    + ["12/31/24", "31-Dec-2024", "20241231", "NULL", "13/13/2024", " 12/30/2024 "],
    "Sum": ["1,234.50", "1.234,50", "1,234", "1.234", "12.5", "1 234", "-1'000", "x"]
    + ["", "0,5", "1,234,567", "5", "n/a", " 7,000.5"],
    "Open": ["Yes", "no", "true", "0", "maybe", "", "NEIN ", "#REF!"],
    "Level": ["Expert", "expert", "NOVICE ", "Exprt", ""],
    "Note": ["a", " b ", "NULL", "n/a", "#N/A", '5"', "None", "-", "", "#DIV/0!"],
    "Made": ["2024-01-01T00:00:00Z", ""],
    "Zz9": ["", "q"],
}
ROWS = st.lists(
    st.one_of(
        st.tuples(*(st.sampled_from(TEXTS[name]) for name in HEADER)).map(list),
        st.just([""] * len(HEADER)),
        st.just(["", " ", *[""] * (len(HEADER) - 2)]),
    ),
    min_size=1,
    max_size=12,
)


STARTS = st.sampled_from(
    [Recipe(), Recipe(left_out=((2, 2),)), Recipe(skip_first=1), Recipe(only_first=1)]
)


@given(ROWS, STARTS, st.booleans(), st.booleans())
def test_each_fix_changes_as_many_as_it_says(
    folder: Path,
    rows: list[list[str]],
    recipe: Recipe,
    is_long: bool,
    has_list: bool,
) -> None:
    filling = ["f", "", "", "", "", "x" * (WORTH_PROVING + 9) if is_long else "x"]
    draft = Draft(folder, [*rows, [*filling, "", ""]])
    fields = FIELDS if has_list else ()
    for fix in draft.fixes(recipe, fields):
        after = patched(recipe, [fix.patch])
        assert fix.count == draft.difference(recipe, after, fix.unit), fix
        assert 0 < len(fix.examples) <= 3


@given(ROWS)
def test_all_that_is_safe_is_done_at_once_and_undone_singly(
    folder: Path, rows: list[list[str]]
) -> None:
    draft = Draft(folder, [*rows, ["f", "", "", "", "", "x", "", ""]])
    safe = [fix.patch for fix in draft.fixes() if fix.is_safe]
    recipe = patched(Recipe(), safe)
    _, mended = draft.mended(recipe)
    for fix in draft.fixes(recipe):
        # What is left to do has another one before it, or is for a person to decide.
        assert not fix.is_safe or fix.patch not in safe
    while undoable := [change.undo for change in mended.changes if change.undo]:
        recipe = without(recipe, undoable[0])
        _, mended = draft.mended(recipe)
        assert undoable[0] not in [change.undo for change in mended.changes]
    assert sent_rows(draft.mended(recipe)[0]) == sent_rows(draft.as_read)


def test_nothing_is_safe_without_a_field_list_but_to_trim(folder: Path) -> None:
    rows = [["1", "12/31/2024", "1,234.5", "Yes", "x ", "NULL", "2024", ""]] * 3
    fixes = Draft(folder, rows).fixes(fields=())
    safe = [part for fix in fixes if fix.is_safe for part in fix.patch["columns"]]
    assert safe == ["Level", "Zz9"]
    assert {fix.column for fix in fixes if not fix.is_safe} > {"Day", "Sum"}


@pytest.mark.parametrize(
    ("name", "is_left_out"), [("Region", True), ("Lewel", False), ("Notes", False)]
)
def test_a_column_with_a_name_like_a_field_is_not_left_out(
    folder: Path, name: str, is_left_out: bool
) -> None:
    fixes = Draft(folder, [["1", "x"]], ["Key", name]).fixes()
    assert [fix.patch for fix in fixes] == (
        [{"columns": {name: {"name": ""}}}] if is_left_out else []
    )


# --- Dates ----------------------------------------------------------------------

DAYS = st.lists(st.dates(date(1990, 1, 1), date(2050, 12, 31)), min_size=1)
ORDERS = {"us": "{0.month}{1}{0.day}{1}{0.year}", "european": "{0.day}{1}{0.month}{1}"}
ORDERS["european"] += "{0.year}"


@given(DAYS, st.sampled_from(["us", "european"]), st.sampled_from("/-."))
def test_an_order_is_proven_by_a_day_above_12_alone(
    days: list[date], order: str, mark: str
) -> None:
    evidence = DateEvidence()
    for day in days:
        evidence.add(ORDERS[order].format(day, mark))
    proven = {"us", "european"} & evidence.proven()
    assert proven == ({order} if any(day.day > 12 for day in days) else set())


@given(DAYS, DAYS)
def test_two_orders_in_one_column_prove_none(
    american: list[date], european: list[date]
) -> None:
    evidence = DateEvidence()
    evidence.add("12/31/2024")
    evidence.add("31.12.2024")
    for order, days in (("us", american), ("european", european)):
        for day in days:
            evidence.add(ORDERS[order].format(day, "/"))
    assert {"us", "european"}.isdisjoint(evidence.proven())


@pytest.mark.hostile
@pytest.mark.parametrize(
    "texts",
    [
        ("12/31/24", "01/02/2024"),  # the century of the one that tells is a guess
        ("12/31/2024", "31/12/24"),
        ("13/13/2024", "01/02/2024"),
        ("45/01/2024", "01/02/2024"),
        ("12/31/20244", "01/02/2024"),
        ("١٣/01/2024", "01/02/2024"),
        ("on 31/12/2024", "01/02/2024"),
        ("1/1/2024",),
    ],
)
def test_what_proves_no_order(texts: tuple[str, ...]) -> None:
    evidence = DateEvidence()
    for text in texts:
        evidence.add(text)
    assert {"us", "european"}.isdisjoint(evidence.proven())


def test_dates_of_one_order_are_converted_and_others_are_not(folder: Path) -> None:
    for second, expected in (("02/13/2024", ["2024-01-02", "2024-02-13"]), ("", None)):
        draft = Draft(folder, [["1", "01/02/2024"], ["2", second]], ["Key", "Day"])
        safe = [fix.patch for fix in draft.fixes() if fix.column == "Day"]
        sent = sent_rows(draft.mended(patched(Recipe(), safe))[0])
        assert (([row[1] for row in sent[1:]]) if safe else None) == expected


# --- Numbers --------------------------------------------------------------------

NUMBERS = st.decimals(
    min_value=-(10**9), max_value=10**9, places=3, allow_nan=False
) | st.integers(-(10**9), 10**9).map(Decimal)


def written(number: Decimal, mark: Mark, groups: str) -> str:
    """Return a number with these marks; "" for groups writes them without."""
    parts, before = SIGNS[mark]
    separator = {"own": parts, "": ""}.get(groups, groups)
    text = f"{number:,f}".replace(",", "§").replace(".", before)
    return text.replace("§", separator)


GROUPS = st.sampled_from(["own", "", " ", "'", "’", "\u00a0", "\u202f"])


@given(
    st.lists(st.tuples(NUMBERS, GROUPS), min_size=1),
    st.sampled_from(["point", "comma"]),
)
@example([(Decimal(1234), "own")], "point")
@example([(Decimal("1234.567"), "")], "comma")
def test_no_number_is_read_by_the_mark_that_it_was_not_written_with(
    column: list[tuple[Decimal, str]], mark: Mark
) -> None:
    evidence = MarkEvidence()
    for number, groups in column:
        evidence.add(written(number, mark, groups))
    proven = evidence.proven
    if proven is None:
        return
    for number, groups in column:
        read = number_of(written(number, mark, groups), proven)
        assert read is not None
        assert Decimal(read) == number


@given(st.lists(NUMBERS, min_size=1))
def test_both_marks_in_one_column_prove_neither(numbers: list[Decimal]) -> None:
    evidence = MarkEvidence()
    for text in ("1,234.5", "1.234,5", *(written(n, "point", "own") for n in numbers)):
        evidence.add(text)
    assert evidence.proven is None
    assert not evidence.is_open


@pytest.mark.hostile
@pytest.mark.parametrize(
    "text",
    ["1,23,456", "1,2345", "1 234,567.8", "1.234.5", "12,34.5", "$1,234", "(1,234.5)"]
    + ["1,234-", "١٢٣", "1,234\n", "", "-", ",", ".", "1'234 567", "1,,234", "0x10"],
)
def test_what_is_no_number_is_left_alone(text: str) -> None:
    assert number_of(text, "point") is None
    evidence = MarkEvidence()
    evidence.add(text)
    evidence.add("1,234")
    assert evidence.proven != "point"


@given(st.text(max_size=30), st.sampled_from(["point", "comma"]))
def test_what_comes_out_is_a_number_of_the_same_digits(text: str, mark: Mark) -> None:
    read = number_of(text, mark)
    if read is None or "e" in read.lower():
        return
    Decimal(read)
    assert [c for c in read if c.isdigit()] == [c for c in text if c.isdigit()]


# --- Words ----------------------------------------------------------------------


@given(st.text(max_size=12))
def test_a_word_is_true_or_false_or_left_alone(text: str) -> None:
    read = boolean_of(text)
    assert read in (None, "true", "false") or read == text
    if read is not None and read != text:
        assert text.strip().isalpha()


@pytest.mark.parametrize(
    "text", ["None", "null", "Nan", "nil", "NA", "-", "—", "????", "###"]
)
def test_a_word_that_may_be_a_value_of_text_is_no_safe_placeholder(
    folder: Path, text: str
) -> None:
    assert placeholder(text)
    assert not stands_for_nothing(text)
    fixes = Draft(folder, [["1", text], ["2", "x"]], ["Key", "Note"]).fixes()
    assert [fix.is_safe for fix in fixes] == [False]
