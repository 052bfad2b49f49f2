"""Joining logs to rows: a row failed or succeeded only where that is proven."""

import csv
import io
import json
import random
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files.rows import outcomes
from files.rows.fates import Totals
from files.rows.outcomes import MOST_KEPT, Told, join
from files.rows.row_errors import key_in
from files.rows.row_store import RowOutcome, RowStore
from files.splitting import Part
from operations.outcome.row_failures import FailureGroup, failure_groups

REQUIRED = "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"
LOCKED = "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access: 001, 002:--"
DUPLICATE = "DUPLICATE_VALUE:Duplicate external id specified: {}:Ext__c --"


def group(error: str, *keys: str, kind: str = "update") -> FailureGroup:
    return FailureGroup(kind, error, keys)


def write_file(
    path: Path, sizes: Sequence[int], keys: Sequence[str], column: str = "Ext__c"
) -> list[Part]:
    """Write a row for each key, the key in the second column; cut it into parts."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["Name", column, "Note"])
    body = [f'Name\n"é" {n}' if n % 3 else "Ann" for n in range(len(keys))]
    raws = []
    for key, name in zip(keys, body, strict=True):
        line = io.StringIO(newline="")
        csv.writer(line, lineterminator="\n").writerow([name, key, "x"])
        raws.append(line.getvalue().encode())
    bounds = [len(text.getvalue().encode())]
    path.write_bytes(text.getvalue().encode() + b"".join(raws))
    for raw in raws:
        bounds.append(bounds[-1] + len(raw))
    parts, first = [], 0
    for number, size in enumerate(sizes, start=1):
        offset, end = bounds[first], bounds[first + size]
        last = first + size + 1
        parts.append(Part(number, first + 2, last, offset, end - offset))
        first += size
    return parts


@dataclass
class Joined:
    totals: Totals
    rows: list[RowOutcome] = field(default_factory=list)

    @property
    def states(self) -> list[str]:
        return [row.state for row in self.rows]


def joined(
    directory: Path,
    keys: Sequence[str],
    *told: Told,
    sizes: Sequence[int] = (),
    column: str = "Ext__c",
    key: str = "Ext__c",
) -> Joined:
    path = directory / "sent.csv"
    parts = write_file(path, sizes or [len(keys)], keys, column)
    pairs = list(zip(parts, told, strict=True))
    totals = join(path, key=key, parts=pairs, target=directory / "rows.sqlite")
    with RowStore(directory / "rows.sqlite") as store:
        return Joined(totals, list(store.outcomes()))


def ended(*groups: FailureGroup, counts: tuple[int, int] | None = None) -> Told:
    succeeded, failed = counts or (None, None)
    return Told("ended", succeeded=succeeded, failed=failed, groups=groups)


S, F, U, N = "succeeded", "failed", "unknown", "not sent"

# What is told of the rows of one part, and what each of them came to.
CASES: dict[str, tuple[list[str], Told, list[str], int]] = {
    "all succeeded": (["a", "b"], ended(counts=(2, 0)), [S, S], 0),
    "only successes counted": (["a", "b"], Told("ended", succeeded=2), [S, S], 0),
    "nothing counted": (["a", "b"], ended(), [U, U], 0),
    "one named": (["a", "b"], ended(group("E", "b"), counts=(1, 1)), [S, F], 0),
    "named, not counted": (["a", "b"], ended(group("E", "b")), [U, F], 0),
    "more failed than named": (
        ["a", "b", "c"],
        ended(group("E", "b"), counts=(1, 2)),
        [U, F, U],
        0,
    ),
    "fewer failed than named": (
        ["a", "b", "c"],
        ended(group("E", "b", "c"), counts=(2, 1)),
        [U, F, F],
        1,
    ),
    "counts too small": (["a", "b"], ended(counts=(1, 0)), [U, U], 1),
    "counts too large": (["a", "b"], ended(counts=(3, 0)), [U, U], 1),
    "all succeeded, yet one named": (
        ["a", "b"],
        replace(ended(group("E", "a")), succeeded=2),
        [F, U],
        1,
    ),
    "key of no row": (["a"], ended(group("E", "z"), counts=(0, 1)), [U], 1),
    "all failed, and no key is named": (["a", "b"], ended(counts=(0, 2)), [F, F], 0),
    "key twice in the file, named twice": (
        ["a", "b", "a"],
        ended(group("E", "a", "a"), counts=(1, 2)),
        [F, S, F],
        0,
    ),
    "key twice in the file, named once": (
        ["a", "b", "a"],
        ended(group("E", "a"), counts=(2, 1)),
        [U, S, U],
        0,
    ),
    "key twice, named twice, but one failed": (
        ["a", "b", "a"],
        ended(group("E", "a", "a"), counts=(2, 1)),
        [U, U, U],
        1,
    ),
    "key named more often than it stands there": (
        ["a", "b"],
        ended(group("E", "a", "a"), counts=(0, 2)),
        [F, U],
        1,
    ),
    "upper and lower case": (["aB", "b"], ended(group("E", "AB")), [F, U], 0),
    "exact before other case": (
        ["ab", "AB"],
        ended(group("E", "AB"), counts=(1, 1)),
        [S, F],
        0,
    ),
    "case twins, one of them": (
        ["ab", "Ab", "c"],
        ended(group("E", "AB"), counts=(2, 1)),
        [U, U, S],
        0,
    ),
    "case twins, both": (
        ["ab", "Ab", "c"],
        ended(group("E", "AB"), group("E2", "aB"), counts=(1, 2)),
        [F, F, S],
        0,
    ),
    "spaces": ([" a ", "b"], ended(group("E", "a")), [F, U], 0),
    "number written anew": (
        ["912260031", "912260032"],
        ended(group("E", "9.12260031E8"), counts=(1, 1)),
        [F, S],
        0,
    ),
    "number of two rows": (
        ["7", "07", "8"],
        ended(group("E", "7.0"), counts=(2, 1)),
        [U, U, S],
        0,
    ),
    "id of 15 characters": (
        ["001ak00000OQTie", "001ak00000OQTiE"],
        ended(group("E", "001ak00000OQTieAAH"), counts=(1, 1)),
        [F, S],
        0,
    ),
    "long key, cut in the log": (
        ["x" * 300, "y"],
        ended(group("E", "x" * 255), counts=(1, 1)),
        [F, S],
        0,
    ),
    "blank key": (["", "b"], ended(group("E", ""), counts=(1, 1)), [F, S], 0),
    "key with quotes, commas, lines": (
        ['a"b,\nc: d --', "b"],
        ended(group("E", 'a"b,\nc: d --'), counts=(1, 1)),
        [F, S],
        0,
    ),
    "refused": (["a", "b"], Told("refused", "No."), [F, F], 0),
    "refused, yet written": (["a", "b"], Told("refused", succeeded=1), [U, U], 1),
    "refused, one named once of two": (
        ["a", "a", "b"],
        Told("refused", "No.", groups=[group("E", "a")]),
        [F, F, F],
        0,
    ),
    "unknown": (["a", "b"], Told("unknown", "Lost."), [U, U], 0),
    "unknown, counts prove nothing": (["a"], Told("unknown", succeeded=1), [U], 0),
    "unknown, one named": (
        ["a", "b"],
        Told("unknown", groups=[group("E", "b")]),
        [U, F],
        0,
    ),
    "not sent": (["a", "b"], Told("not sent"), [N, N], 0),
    "not sent, yet told": (["a", "b"], Told("not sent", succeeded=2), [U, U], 1),
}


@pytest.mark.parametrize("most_kept", [0, MOST_KEPT])
@pytest.mark.parametrize(
    ("keys", "told", "states", "alarms"), CASES.values(), ids=CASES
)
def test_what_is_told_decides_the_state(
    keys: list[str],
    told: Told,
    states: list[str],
    alarms: int,
    most_kept: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Large parts are read again, small ones are kept: the same comes out.
    monkeypatch.setattr(outcomes, "MOST_KEPT", most_kept)
    result = joined(tmp_path, keys, told)
    totals = result.totals
    assert result.states == states
    assert [row.key for row in result.rows] == keys
    assert len(totals.alarms) == alarms, totals.alarms
    assert (totals.succeeded, totals.failed, totals.unknown, totals.not_sent) == tuple(
        states.count(state) for state in (S, F, U, N)
    )
    assert totals.succeeded + totals.failed + totals.unknown == totals.sent


def test_an_unknown_row_says_why(tmp_path: Path) -> None:
    for told, words in (
        (ended(), "did not return"),
        (ended(group("E", "a"), counts=(1, 2)), "counts 2 failed rows"),
        (ended(counts=(7, 7)), "do not match"),
        (Told("ended", "InvalidBatch : Records not found"), "Records not found"),
        (Told("unknown"), "No readable answer"),
        (Told("unknown", "The line broke."), "The line broke."),
        (Told("not sent", succeeded=1), "contradict each other"),
    ):
        result = joined(tmp_path, ["a", "b", "c"], told)
        reasons = {row.error for row in result.rows if row.state == U}
        assert len(reasons) == 1
        assert words in reasons.pop()


def test_of_several_errors_the_first_counts_and_all_are_kept(tmp_path: Path) -> None:
    groups = group("one", "a", "b"), group("two", "a", kind="create")
    told = ended(*groups, counts=(0, 2))
    result = joined(tmp_path, ["a", "b"], told)
    first, second = result.rows
    assert (first.error, first.kind, first.other_errors) == ("one", "update", ("two",))
    assert (second.error, second.other_errors) == ("one", ())
    assert {(g.error, g.kind, g.count) for g in result.totals.groups} == {
        ("one", "update", 2),
        ("two", "create", 0),
    }


def test_rows_of_which_some_failed_are_a_group_of_their_own(tmp_path: Path) -> None:
    told = ended(group("E", "a", "b"), counts=(1, 2))
    result = joined(tmp_path, ["a", "b", "b"], told)
    groups = [(g.error, g.state, g.count) for g in result.totals.groups]
    assert groups == [("E", U, 2), ("E", F, 1)]


def test_a_key_marks_rows_of_its_own_part_only(tmp_path: Path) -> None:
    result = joined(
        tmp_path,
        ["a", "b", "a"],
        ended(counts=(2, 0)),
        ended(group("E", "a"), counts=(0, 1)),
        sizes=[2, 1],
    )
    assert result.states == [S, S, F]


def test_an_alarm_names_its_part(tmp_path: Path) -> None:
    told = (ended(counts=(1, 0)), ended(group("E", "a"), counts=(0, 1)))
    result = joined(tmp_path, ["a", "b"], *told, sizes=[1, 1])
    (alarm,) = result.totals.alarms
    assert alarm.startswith("Part 2: The log names 1 key ")
    assert "“a”" in alarm


def test_a_file_without_the_key_is_an_alarm(tmp_path: Path) -> None:
    told = ended(group("E", "a"), counts=(1, 1))
    result = joined(tmp_path, ["a", "b"], told, key="Other__c")
    assert result.states == [U, U]
    assert "“Other__c”" in result.totals.alarms[0]


def test_the_name_of_the_key_is_read_in_any_case(tmp_path: Path) -> None:
    told = ended(group("E", "a"), counts=(1, 1))
    assert joined(tmp_path, ["a", "b"], told, key="EXT__C").states == [F, S]


# Error texts that come without keys, and the key that each names in column Ext__c.
LOOSE = {
    DUPLICATE.format("a"): "a",
    DUPLICATE.format("a:b"): "a:b",
    DUPLICATE.format("line\nbreak"): "line\nbreak",
    "DUPLICATE_VALUE:Duplicate external id specified: a:--": "a",
    "DUPLICATE_VALUE:Duplicate external id specified: a:Other__c --": None,
    "DUPLICATE_VALUE:Duplicate id specified: 0013000000auCyTAAU:--": None,
    "MALFORMED_ID:Account ID: id value of incorrect type: a:Ext__c --": "a",
    "MALFORMED_ID:Account ID: id value of incorrect type: a:Id --": None,
    "INVALID_EMAIL_ADDRESS:Email: invalid email address: a:Ext__c --": "a",
    "STRING_TOO_LONG:Ext: data value too large: a (max length=80):Ext__c --": "a",
    "INVALID_FIELD:Failed to deserialize field at col 3. Due to, 'a' is not a valid "
    "value for the type xsd:double:Ext__c --": "a",
    "INVALID_FIELD:Foreign key external ID: a not found for field X in entity Y:--": (
        None
    ),
    "DUPLICATE_EXTERNAL_ID:Ext: more than one record found for external id field: "
    "[a, b]:--": None,
    "InvalidBatch : Field name not found : a": None,
    "Some rows failed: a": None,
    "": None,
}


@pytest.mark.parametrize(("text", "key"), LOOSE.items())
def test_a_text_names_a_key_only_in_known_forms(text: str, key: str | None) -> None:
    assert key_in(text, "Ext__c") == key


def test_an_id_is_named_where_the_key_is_the_id() -> None:
    text = "DUPLICATE_VALUE:Duplicate id specified: 0013000000auCyTAAU:--"
    assert key_in(text, "Id") == "0013000000auCyTAAU"


def test_loose_texts_find_their_rows_or_are_listed(tmp_path: Path) -> None:
    texts = [
        DUPLICATE.format("a"),
        DUPLICATE.format("A"),
        DUPLICATE.format("nobody"),
        LOCKED,
        LOCKED,
        DUPLICATE.format("b"),
    ]
    told = replace(ended(group(REQUIRED, "b"), counts=(1, 3)), loose=texts)
    result = joined(tmp_path, ["a", "A", "b", "c"], told)
    assert result.states == [F, F, F, S]
    assert [row.error for row in result.rows[:2]] == texts[:2]
    # Of a key that a group names, it is the same failure in other words.
    assert result.rows[2].error == REQUIRED
    assert result.rows[2].other_errors == (texts[5],)
    assert result.totals.loose == texts[2:5]
    assert result.totals.alarms == []


def test_a_loose_text_is_no_second_failure_of_a_named_key(tmp_path: Path) -> None:
    told = replace(
        ended(group("E", "ab"), counts=(2, 1)), loose=[DUPLICATE.format("AB")]
    )
    assert joined(tmp_path, ["ab", "ab", "c"], told).states == [U, U, S]


def test_rows_bear_the_numbers_of_the_original(tmp_path: Path) -> None:
    path, target = tmp_path / "sent.csv", tmp_path / "rows.sqlite"
    parts = write_file(path, [2, 1], ["a", "b", "c"])
    told = [ended(counts=(2, 0)), ended(counts=(1, 0))]
    pairs = list(zip(parts, told, strict=True))
    join(path, key="Ext__c", parts=pairs, target=target, origin=lambda row: row * 10)
    with RowStore(target) as store:
        assert [(row.row, row.sent_row) for row in store.outcomes()] == [
            (20, 2),
            (30, 3),
            (40, 4),
        ]


def test_what_stops_the_work_leaves_the_old_file_alone(tmp_path: Path) -> None:
    joined(tmp_path, ["a"], ended(counts=(1, 0)))
    path, target = tmp_path / "sent.csv", tmp_path / "rows.sqlite"
    parts = write_file(path, [2], ["a", "b"])
    told = [(parts[0], ended(counts=(2, 0)))]
    before = target.read_bytes()

    def stop(done: int, rows: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        join(path, key="Ext__c", parts=told, target=target, progress=stop)
    assert target.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["rows.sqlite", "sent.csv"]


@pytest.mark.parametrize("change", [{"last_row": 9}, {"last_row": 2}])
def test_parts_that_do_not_fit_the_file_are_refused(
    change: dict[str, int], tmp_path: Path
) -> None:
    path = tmp_path / "sent.csv"
    (part,) = write_file(path, [2], ["a", "b"])
    wrong = [(replace(part, **change), ended())]
    with pytest.raises(ValueError, match=rf"\b{change['last_row'] - 1}\b"):
        join(path, key="Ext__c", parts=wrong, target=tmp_path / "rows.sqlite")


def test_rows_told_twice_over_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "sent.csv"
    (part,) = write_file(path, [2], ["a", "b"])
    twice = [(part, ended()), (part, ended())]
    with pytest.raises(ValueError, match="rows") as caught:
        join(path, key="Ext__c", parts=twice, target=tmp_path / "rows.sqlite")
    assert isinstance(caught.value.__cause__, sqlite3.IntegrityError)


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    path = tmp_path / "sent.csv"
    keys = [f"{n}-{'x' * 1_000}" for n in range(9_000)]
    (part,) = write_file(path, [len(keys)], keys)
    calls: list[tuple[int, int]] = []
    told = [(part, ended(group("E", keys[0]), counts=(8_999, 1)))]
    join(
        path,
        key="Ext__c",
        parts=told,
        target=tmp_path / "rows.sqlite",
        progress=lambda done, rows: calls.append((done, rows)),
    )
    assert calls == sorted(calls)
    assert calls[-1] == (part.length, 9_000)
    assert len(set(calls)) >= 3


def test_hostile_texts_are_kept_as_far_as_they_can_be(tmp_path: Path) -> None:
    told = replace(
        ended(group("half \ud800 \0", "\ud800", "a\0")), loose=["loose \udfff"]
    )
    result = joined(tmp_path, ["a\0", "b"], told)
    assert result.states == [F, U]
    assert result.rows[0].error == "half ? \0"
    assert result.totals.loose == ["loose ?"]


# A Salesforce that decides at random, and a log that tells of it in any order.

KEYS = st.text('aAbB1 :,"\n.é', max_size=3) | st.sampled_from(["7", "7.0", "70E-1"])
ERRORS = st.sampled_from(
    [REQUIRED, LOCKED, DUPLICATE.format("a:b"), 'X_Y:"quoted", \n two: lines:--', ":"]
)


@st.composite
def writes(draw: st.DrawFn) -> list[list[tuple[str, str | None]]]:
    """Parts of rows: each a key, and the error where it really failed."""
    row = st.tuples(KEYS, st.none() | ERRORS)
    return draw(st.lists(st.lists(row, min_size=1, max_size=9), min_size=1, max_size=4))


def log_of(
    rows: Sequence[tuple[str, str | None]],
    shuffled: random.Random,
    *,
    has_counts: bool,
    has_all: bool = True,
) -> Told:
    """Return what comes home of a part: its log as JSON, read as from Ampersand."""
    failed = [(key, error) for key, error in rows if error is not None]
    named = [pair for pair in failed if has_all or shuffled.random() < 0.5]
    shuffled.shuffle(named)
    report: dict[str, dict[str, list[str]]] = {"failedUpdates": {}, "failedCreates": {}}
    for key, error in named:
        report[shuffled.choice(list(report))].setdefault(error, []).append(key)
    groups = failure_groups([{"message": {"details": {"x": json.dumps(report)}}}])
    if not has_counts:
        return Told("ended", groups=groups)
    counts = (len(rows) - len(failed), len(failed))
    return Told("ended", succeeded=counts[0], failed=counts[1], groups=groups)


@settings(max_examples=150, deadline=None)
@given(writes(), st.randoms(use_true_random=False), st.booleans(), st.booleans())
def test_no_row_is_ever_wrongly_failed_or_succeeded(
    parts: list[list[tuple[str, str | None]]],
    shuffled: random.Random,
    has_counts: bool,
    has_all: bool,
) -> None:
    rows = [row for part in parts for row in part]
    told = [
        log_of(part, shuffled, has_counts=has_counts, has_all=has_all) for part in parts
    ]
    with TemporaryDirectory() as directory:
        result = joined(
            Path(directory),
            [key for key, _ in rows],
            *told,
            sizes=[len(part) for part in parts],
        )
    really = [S if error is None else F for _, error in rows]
    for state, truth in zip(result.states, really, strict=True):
        assert state in (truth, U)
    totals = result.totals
    assert totals.succeeded + totals.failed + totals.unknown == totals.sent == len(rows)
    if not (has_counts and has_all):
        return
    assert totals.alarms == []
    # Only rows that share a key with one of another fate may stay unknown.
    for part, states in zip(parts, _cut(result.states, parts), strict=True):
        fates = Counter(key for key, error in part if error is not None)
        held = Counter(key for key, _ in part)
        for (key, _), state in zip(part, states, strict=True):
            assert (state == U) == (0 < fates[key] < held[key])


def _cut(states: list[str], parts: Sequence[Sequence[object]]) -> list[list[str]]:
    left = iter(states)
    return [[next(left) for _ in part] for part in parts]


def _numbers_anew(key: str) -> str:
    return f"{int(key) / 100_000_000!r}E8" if key.isdigit() else key.upper()


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,4}|[1-9][0-9]{8}", fullmatch=True),
        st.none() | ERRORS,
        min_size=1,
        max_size=20,
    ),
    st.randoms(use_true_random=False),
)
def test_keys_written_anew_are_found(
    rows: dict[str, str | None], shuffled: random.Random
) -> None:
    told = log_of(
        [(_numbers_anew(key), error) for key, error in rows.items()],
        shuffled,
        has_counts=True,
    )
    with TemporaryDirectory() as directory:
        result = joined(Path(directory), list(rows), told)
    assert result.states == [S if error is None else F for error in rows.values()]


def test_a_hundred_thousand_failed_rows_come_home_exactly(tmp_path: Path) -> None:
    shuffled = random.Random(3)  # noqa: S311 - no secret
    sizes = [1, 77_777, 2, 60_000, 62_220]
    keys = [f"key-{n % 190_000:06}" for n in range(sum(sizes))]
    failed = sorted(shuffled.sample(range(len(keys)), 100_000))
    errors = dict.fromkeys(failed, "")
    for number in failed:
        errors[number] = shuffled.choice([REQUIRED, LOCKED, f"A_B:of {number % 9}:--"])
    rows = [(key, errors.get(n)) for n, key in enumerate(keys)]
    path, target = tmp_path / "sent.csv", tmp_path / "rows.sqlite"
    parts = write_file(path, sizes, keys)
    told = [
        log_of(rows[p.first_row - 2 : p.last_row - 1], shuffled, has_counts=True)
        for p in parts
    ]
    pairs = list(zip(parts, told, strict=True))
    totals = join(path, key="Ext__c", parts=pairs, target=target)
    assert (totals.failed, totals.unknown, totals.alarms) == (100_000, 0, [])
    assert sum(each.count for each in totals.groups) == 100_000
    assert {(g.error, g.state) for g in totals.groups} == {
        (error, F) for error in errors.values()
    }
    with RowStore(target) as store:
        outcomes = list(store.outcomes(F))
    assert [outcome.sent_row - 2 for outcome in outcomes] == failed
    raw = path.read_bytes()
    taken = b"".join(raw[r.start : r.start + r.length] for r in outcomes)
    table = csv.reader(io.StringIO(taken.decode(), newline=""))
    assert [row[1] for row in table] == [keys[n] for n in failed]


def test_the_file_is_whole(tmp_path: Path) -> None:
    joined(tmp_path, ["a", "b"], ended(counts=(2, 0)))
    database = sqlite3.connect(tmp_path / "rows.sqlite")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
