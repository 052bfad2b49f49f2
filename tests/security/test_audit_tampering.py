"""Eight ways to tamper with the audit trail, each as somebody who owns the database.

They may drop triggers and write any SQL, and have no key. `manage.py audit verify`
names the first broken link, and that the triggers are gone.
"""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from console import audit_guard
from console.health import audit_chain, audit_head
from console.models import AuditEvent
from tests.conftest import unguarded

pytestmark = pytest.mark.django_db
# PostgreSQL takes none of these.
on_sqlite = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="only SQLite stores it"
)

TABLE = AuditEvent._meta.db_table
COLUMNS = [
    field.column for field in AuditEvent._meta.concrete_fields if not field.primary_key
]


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement.format(table=TABLE), values)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("audit", *arguments, stdout=out)
    return out.getvalue()


def refused() -> str:
    with pytest.raises(CommandError) as caught:
        run("verify")
    return str(caught.value)


@pytest.fixture
def trail(db: None) -> list[int]:
    """Six events, verified, so that their head is noted."""
    made = [AuditEvent.record(action="test.made", subject=str(n)).pk for n in range(6)]
    run("verify")
    return made


def edit(trail: list[int]) -> None:
    sql("UPDATE {table} SET actor_name = 'eve' WHERE id = %s", trail[2])


def delete(trail: list[int]) -> None:
    sql("DELETE FROM {table} WHERE id = %s", trail[2])


def _make_room(trail: list[int]) -> None:
    """Move all but the first three up by one, as SQL may: never two with one number."""
    for pk in reversed(trail[3:]):
        sql("UPDATE {table} SET id = %s WHERE id = %s", pk + 1, pk)
    if connection.vendor == "postgresql":
        sql("SELECT nextval(pg_get_serial_sequence('{table}', 'id'))")


def insert(trail: list[int]) -> None:
    _make_room(trail)
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    values = ", ".join(
        {"hash": f"'{'f' * 64}'", "previous_hash": "hash", "subject": "'forged'"}.get(
            name, f'"{name}"'
        )
        for name in COLUMNS
    )
    sql(
        f"INSERT INTO {{table}} (id, {names}) SELECT %s, {values} FROM {{table}} "
        "WHERE id = %s",
        trail[3],
        trail[2],
    )


def reorder(trail: list[int]) -> None:
    for now, then in ((trail[2], 0), (trail[3], trail[2]), (0, trail[3])):
        sql("UPDATE {table} SET id = %s WHERE id = %s", then, now)


def cut_tail(trail: list[int]) -> None:
    sql("DELETE FROM {table} WHERE id >= %s", trail[4])


def replace_table(trail: list[int]) -> None:
    """Put the trail of another installation here, which has the same key."""
    sql("DELETE FROM {table}")
    for n in range(len(trail)):
        AuditEvent.record(action="test.made", subject=f"other {n}")
    for pk, old in zip(
        AuditEvent.objects.order_by("pk").values_list("pk", flat=True),
        trail,
        strict=True,
    ):
        sql("UPDATE {table} SET id = %s WHERE id = %s", old, pk)


@pytest.mark.parametrize(
    ("tamper", "kind", "at", "words"),
    [
        (edit, "edited", 2, "changed"),
        (delete, "deleted", 3, "removed"),
        (insert, "inserted", 3, "put in"),
        (reorder, "reordered", 2, "changed places"),
    ],
)
def test_a_broken_link_is_named_and_so_are_the_triggers(
    tamper: Callable[[list[int]], None],
    kind: str,
    at: int,
    words: str,
    trail: list[int],
) -> None:
    audit_guard.remove(connection)
    tamper(trail)
    broken = audit_chain.walk().broken
    assert broken
    assert (broken.kind, broken.event) == (kind, trail[at])
    said = refused()
    assert f"row {trail[at]}," in said
    assert words in said
    for name in audit_guard.missing(connection):
        assert name in said
    # Putting the triggers back heals nothing else.
    run("guard")
    assert "Missing triggers" not in refused()
    assert audit_chain.walk().broken == broken


@pytest.mark.parametrize(
    "change",
    [
        "action = 'audit.clock_accepted', detail = '[1]'",
        "action = 'audit.clock_accepted', detail = '{{\"event\": [1]}}'",
        "detail = '{{\"event\": 1e9999}}'",
        pytest.param("detail = '\"\\ud800\"'", marks=on_sqlite),
        pytest.param("at = 'never'", marks=on_sqlite),
        pytest.param("subject = x'ff00'", marks=on_sqlite),
    ],
)
def test_a_row_that_makes_no_sense_is_named_as_any_other(
    change: str, trail: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    later = [AuditEvent.record(action="test.made", subject="x").pk for _ in range(3)]
    with unguarded():
        sql(f"UPDATE {{table}} SET {change} WHERE id = %s", later[1])
    broken = audit_chain.walk().broken
    assert broken
    assert (broken.kind, broken.event) == ("edited", later[1])
    assert f"row {later[1]}" in refused()
    audit_head.note_newest()
    noted = audit_head.noted()
    assert noted
    assert noted.number == later[0]
    errors = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
    assert [f"row {later[1]}" in text for text in errors] == [True]


@pytest.mark.parametrize(
    ("tamper", "at", "words"),
    [(cut_tail, 3, "cut off"), (replace_table, 5, "Another audit trail")],
)
def test_a_trail_that_holds_by_itself_is_told_by_its_noted_head(
    tamper: Callable[[list[int]], None], at: int, words: str, trail: list[int]
) -> None:
    with unguarded():
        tamper(trail)
    assert audit_chain.walk().broken is None
    said = refused()
    assert words in said
    assert f"event {trail[at]}" in said
    # The clock does not note the head that is left over the one that was lost.
    audit_head.note_newest()
    assert words in refused()


def test_a_clock_that_was_set_back_is_named_and_can_be_accepted(
    trail: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = audit_head.newest().at  # type: ignore[union-attr]

    def tell(minutes: float) -> int:
        moment = now + timedelta(minutes=minutes)
        with monkeypatch.context() as patch:
            patch.setattr("django.utils.timezone.now", lambda: moment)
            return AuditEvent.record(action="test.made", subject="later").pk

    tell(0)
    # What a daemon does that keeps the time.
    tell(-0.9)
    run("verify")
    tell(0)
    back = tell(-180)
    broken = audit_chain.walk().broken
    assert broken
    assert (broken.kind, broken.event) == ("clock set back", back)
    assert f"--clock {back}" in refused()
    with pytest.raises(CommandError):
        run("verify", "--clock", str(back - 1))
    run("verify", "--clock", str(back))
    run("verify")
    event = AuditEvent.objects.get(action="audit.clock_accepted")
    assert event.detail == {"event": back}


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line.replace("a", "b", 1).replace("1", "2"),
        lambda line: f"9{line}",
        lambda line: line.rsplit(":", 1)[0] + ":" + "0" * 64,
        lambda line: line[:20],
    ],
)
def test_a_head_that_was_changed_is_named(
    change: Callable[[str], str], trail: list[int], settings: Settings
) -> None:
    note = Path(settings.DATA_DIR) / "audit-head"
    note.write_text(change(note.read_text()))
    assert "Changed head" in refused()
    audit_head.note_newest()
    assert "Changed head" in refused()
    run("verify", "--restored")
    run("verify")


def test_a_note_of_an_earlier_version_has_no_mark_and_holds(
    trail: list[int], settings: Settings
) -> None:
    note = Path(settings.DATA_DIR) / "audit-head"
    said, mark = note.read_text().rsplit(" ", 1)
    assert mark
    note.write_text(f"{said}\n")
    run("verify")
    assert len(note.read_text().split()) == 4


def test_missing_triggers_alone_are_named_and_put_back_as_an_event(
    trail: list[int],
) -> None:
    audit_guard.remove(connection)
    assert "Missing triggers" in refused()
    lost = audit_guard.missing(connection)
    run("guard")
    event = AuditEvent.objects.get(action="audit.guarded")
    assert event.detail == {"missing": lost}
    run("verify")
    assert "nothing was changed" in run("guard")
    assert AuditEvent.objects.filter(action="audit.guarded").count() == 1


# --- What the clock looks at by itself ----------------------------------------------


def test_the_clock_walks_what_came_since_its_note_and_notes_no_further(
    trail: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    later = [AuditEvent.record(action="test.made", subject="x").pk for _ in range(3)]
    with unguarded():
        sql("UPDATE {table} SET subject = 'else' WHERE id = %s", later[1])
    audit_head.note_newest()
    errors = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
    assert [f"row {later[1]}," in text for text in errors] == [True]
    noted = audit_head.noted()
    assert noted
    assert noted.number == later[0]


def test_the_clock_says_that_triggers_are_gone(
    trail: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    audit_guard.remove(connection)
    audit_head.note_newest()
    assert [r.levelname for r in caplog.records] == ["ERROR"]


def test_the_clock_goes_on_from_its_note_bit_by_bit(
    trail: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_head, "MOST_WALKED", 2)
    later = [AuditEvent.record(action="test.made", subject="x").pk for _ in range(3)]
    for last in (later[1], later[2], later[2]):
        audit_head.note_newest()
        noted = audit_head.noted()
        assert noted
        assert noted.number == last


def test_the_former_name_of_the_command_says_the_same(trail: list[int]) -> None:
    out = StringIO()
    call_command("audit_verify", stdout=out)
    assert out.getvalue() == run("verify")
