"""Attacks on the audit trail by somebody who may write to the database, and no more."""

import importlib
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from django.test import override_settings
from pytest_django import Settings

from console.access.roles import Role
from console.audit_seal import seal_of, unsealed_hash_of
from console.models import AuditEvent
from tests.conftest import actor, make_user, unguarded

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_triggers")]

OLD_KEY, NEW_KEY, THIRD_KEY = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture
def no_triggers(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let everything be tried that the triggers would refuse; nobody misses them."""
    with unguarded():
        monkeypatch.setattr("console.audit_guard.missing", lambda connection: [])
        yield


@pytest.fixture
def head_file(settings: Settings) -> Path:
    """Where the head is noted."""
    return Path(settings.DATA_DIR) / "audit-head"


def verify(*arguments: str) -> str:
    """Return what the command says; raises CommandError where it objects."""
    out = StringIO()
    call_command("audit_verify", *arguments, stdout=out)
    return out.getvalue()


def make_trail(count: int = 6) -> list[AuditEvent]:
    olga = actor(make_user("olga", Role.OPERATOR))
    return [
        AuditEvent.record(action="test.made", subject=str(n), actor=olga)
        for n in range(count)
    ]


def refused() -> str:
    """Return why the trail is refused; fails where it is not."""
    with pytest.raises(CommandError) as caught:
        verify()
    return str(caught.value)


# --- What one who has no key can do to the rows ------------------------------------


def forge(event: AuditEvent) -> None:
    """Store the row with the hash that anybody can compute who has read the code.

    Without a key of the installation it can be a plain hash, or one with an empty key.
    """
    event.hash = unsealed_hash_of(event)
    AuditEvent.objects.filter(pk=event.pk).update(
        hash=event.hash, previous_hash=event.previous_hash, subject=event.subject
    )


@pytest.mark.parametrize("edited", [0, 2, 5])
def test_a_row_that_was_edited_and_chained_anew_shows(edited: int) -> None:
    make_trail()
    previous = ""
    for number, event in enumerate(AuditEvent.objects.order_by("pk")):
        event.previous_hash = previous
        event.subject = "else" if number == edited else event.subject
        forge(event)
        previous = event.hash
    assert refused()


@pytest.mark.parametrize(
    "values",
    [
        {"actor_id": None},
        {"actor_id": 10_000},
        {"environment": "production"},
        {"project_name": "Other"},
        {"at": "2020-01-01T00:00:00Z"},
        {"address": "203.0.113.9"},
        {"subject_url": "/else/"},
    ],
)
def test_every_column_that_tells_or_shows_something_is_sealed(
    values: dict[str, Any],
) -> None:
    third = make_trail()[2]
    AuditEvent.objects.filter(pk=third.pk).update(**values)
    assert str(third.pk) in refused()


def test_who_did_it_cannot_be_given_to_somebody_else() -> None:
    third = make_trail()[2]
    eve = make_user("eve")
    AuditEvent.objects.filter(pk=third.pk).update(actor=eve)
    assert str(third.pk) in refused()


def test_a_person_who_is_deleted_breaks_nothing() -> None:
    events = make_trail()
    owner = events[0].actor
    assert owner is not None
    owner.delete()
    assert "6 " in verify()
    assert AuditEvent.objects.filter(actor_id=events[0].actor_id).count() == 6


def test_two_rows_that_change_places_show() -> None:
    first, second = make_trail()[1:3]
    AuditEvent.objects.filter(pk=second.pk).update(id=100_000)
    AuditEvent.objects.filter(pk=first.pk).update(id=second.pk)
    AuditEvent.objects.filter(pk=100_000).update(id=first.pk)
    assert refused()


# --- What is cut off ----------------------------------------------------------------


@pytest.mark.parametrize("left", [5, 3, 1, 0])
def test_a_tail_that_was_cut_off_after_a_verify_shows(left: int) -> None:
    events = make_trail()
    verify()
    AuditEvent.objects.filter(pk__in=[e.pk for e in events[left:]]).delete()
    assert str(events[-1].pk) in refused()
    # And it goes on showing: a refusal notes nothing.
    assert refused()


def test_a_tail_that_was_cut_off_between_two_ticks_of_the_clock_shows() -> None:
    events = make_trail()
    call_command("clock", "--once")
    AuditEvent.objects.filter(pk__gte=events[4].pk).delete()
    # New events do not cover it up, and neither does the clock.
    make_user("later")
    AuditEvent.record(action="test.made", subject="later")
    AuditEvent.record(action="test.made", subject="later still")
    call_command("clock", "--once")
    assert refused()


def test_everything_deleted_and_begun_anew_shows() -> None:
    make_trail()
    verify()
    AuditEvent.objects.all().delete()
    assert refused()
    for _ in range(10):
        AuditEvent.record(action="test.made", subject="anew")
    assert refused()


def test_the_clock_says_in_the_log_what_it_noted_and_what_is_gone(
    caplog: pytest.LogCaptureFixture, head_file: Path
) -> None:
    last = make_trail()[-1]
    with caplog.at_level("INFO"):
        call_command("clock", "--once")
    assert last.hash in caplog.text
    assert last.hash in head_file.read_text()
    assert head_file.stat().st_mode & 0o077 == 0
    AuditEvent.objects.filter(pk=last.pk).delete()
    caplog.clear()
    call_command("clock", "--once")
    errors = [r for r in caplog.records if r.levelname == "ERROR"]
    assert [str(last.pk) in r.getMessage() for r in errors] == [True]
    assert last.hash in head_file.read_text()


@pytest.mark.parametrize("text", ["", "x", "1 2", "-1 abc 2026-01-01T00:00:00+00:00"])
def test_a_note_that_cannot_be_read_is_no_note_of_nothing(
    text: str, head_file: Path
) -> None:
    make_trail()
    head_file.write_text(text)
    assert "audit-head" in refused()


# --- What is no attack --------------------------------------------------------------


def test_it_grows_and_verifies_again_and_again() -> None:
    assert "0 " in verify()
    for count in (6, 7, 8):
        if count == 6:
            make_trail()
        else:
            AuditEvent.record(action="test.made", subject="more")
        assert f"{count} " in verify()


def test_a_restored_back_up_is_told_and_can_be_accepted() -> None:
    """A back-up has a head behind the noted one: verify cannot tell it from a cut."""
    events = make_trail()
    verify()
    AuditEvent.objects.filter(pk__gte=events[4].pk).delete()
    assert "--restored" in refused()
    verify("--restored")
    event = AuditEvent.objects.get(action="audit.head_replaced")
    assert event.detail["noted"]["event"] == events[-1].pk
    assert event.detail["ended_with"] == events[3].pk
    verify()


def test_a_broken_chain_is_accepted_by_nothing() -> None:
    third = make_trail()[2]
    AuditEvent.objects.filter(pk=third.pk).update(subject="else")
    with pytest.raises(CommandError):
        verify("--restored")
    assert not AuditEvent.objects.filter(action="audit.head_replaced").exists()


# --- Keys ---------------------------------------------------------------------------


def test_rotated_keys_still_verify_what_is_old() -> None:
    with override_settings(AUDIT_KEYS=[OLD_KEY]):
        make_trail()
    with override_settings(AUDIT_KEYS=[NEW_KEY, OLD_KEY]):
        AuditEvent.record(action="test.made", subject="new")
        assert "7 " in verify()
        assert len(set(AuditEvent.objects.values_list("key_id", flat=True))) == 2
    with override_settings(AUDIT_KEYS=[NEW_KEY]):
        assert "AUDIT_KEYS" in refused()
    with override_settings(AUDIT_KEYS=[THIRD_KEY, NEW_KEY, OLD_KEY]):
        verify()


def test_without_a_key_of_its_own_that_of_the_fields_counts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with override_settings(AUDIT_KEYS=[], FIELD_KEYS=[OLD_KEY]):
        make_trail()
    with override_settings(AUDIT_KEYS=[], FIELD_KEYS=[NEW_KEY, OLD_KEY]):
        out = StringIO()
        call_command("rotate_field_keys", stdout=out)
        # It says what the old key is still needed for.
        assert "AUDIT_KEYS" in out.getvalue()
        verify()
    with override_settings(AUDIT_KEYS=[NEW_KEY, OLD_KEY], FIELD_KEYS=[NEW_KEY]):
        verify()
        out = StringIO()
        call_command("rotate_field_keys", stdout=out)
        assert "AUDIT_KEYS" not in out.getvalue()
    with override_settings(AUDIT_KEYS=[THIRD_KEY], FIELD_KEYS=[THIRD_KEY]):
        assert "AUDIT_KEYS" in refused()


def test_a_key_that_only_the_attacker_has_seals_nothing() -> None:
    events = make_trail()
    with override_settings(AUDIT_KEYS=[THIRD_KEY], FIELD_KEYS=[THIRD_KEY]):
        forged = AuditEvent.record(action="test.made", subject="forged")
    assert str(forged.pk) in refused()
    AuditEvent.objects.filter(pk=forged.pk).update(key_id=events[0].key_id)
    assert str(forged.pk) in refused()
    AuditEvent.objects.filter(pk=forged.pk).update(key_id="")
    assert str(forged.pk) in refused()


def test_times_are_sealed_to_the_microsecond() -> None:
    event = make_trail()[3]
    AuditEvent.objects.filter(pk=event.pk).update(
        at=event.at + timedelta(microseconds=1)
    )
    assert str(event.pk) in refused()


# --- What was chained before there was a key ----------------------------------------


@pytest.mark.parametrize("edited", [None, 3])
def test_what_was_chained_without_a_key_is_sealed_anew(edited: int | None) -> None:
    migration = importlib.import_module("console.migrations.0004_audit_seal")
    events = make_trail()
    previous = ""
    for event in events:
        event.previous_hash = previous
        forge(event)
        previous = event.hash
    AuditEvent.objects.update(key_id="")
    if edited is not None:
        AuditEvent.objects.filter(pk=events[edited].pk).update(subject="else")
    migration.seal_anew(apps, None)
    assert "7 " in verify()
    told = AuditEvent.objects.newest_first()[0]
    assert told.action == "audit.sealed"
    broken = None if edited is None else events[edited].pk
    assert told.detail == {"events": 6, "first_broken": broken}


def test_an_empty_trail_is_not_spoken_of() -> None:
    migration = importlib.import_module("console.migrations.0004_audit_seal")
    migration.seal_anew(apps, None)
    assert not AuditEvent.objects.exists()


@pytest.fixture
def between() -> list[AuditEvent]:
    """A trail that was sealed anew, with two events of version 0.1.0 in it."""
    AuditEvent.record(action="audit.sealed", subject="Sealed anew")
    events = make_trail(4)
    previous = events[0].previous_hash
    for event, is_old in zip(events, (False, True, True, False), strict=True):
        event.previous_hash = previous
        event.key_id = "" if is_old else event.key_id
        event.hash = unsealed_hash_of(event) if is_old else seal_of(event) or ""
        event.save()
        previous = event.hash
    return events


def test_what_version_0_1_0_wrote_meanwhile_is_adopted_once(
    between: list[AuditEvent],
) -> None:
    assert str(between[1].pk) in refused()
    call_command("upgraded", "--by", "Ada", stdout=StringIO())
    assert "6 " in verify()
    told = AuditEvent.objects.newest_first()[0]
    assert (told.action, told.actor_name) == ("audit.adopted", "Ada")
    first, last = between[1].pk, between[2].pk
    assert told.detail == {"first": first, "last": last, "events": 2}
    call_command("upgraded", stdout=StringIO())
    assert AuditEvent.objects.newest_first()[0] == told


def test_the_page_of_what_was_adopted_says_that_it_holds(
    between: list[AuditEvent], client: Browser
) -> None:
    client.force_login(make_user("root", Role.ADMIN))

    def held() -> list[bool]:
        pages = (client.get(f"/audit/{event.pk}/") for event in between)
        return [page.context["holds"] for page in pages]

    assert held() == [True, False, False, True]
    call_command("upgraded", stdout=StringIO())
    assert held() == [True] * 4


def test_what_was_adopted_cannot_be_changed(between: list[AuditEvent]) -> None:
    call_command("upgraded", stdout=StringIO())
    row = between[2]
    row.subject = "else"
    row.hash = unsealed_hash_of(row)
    row.save()
    assert str(row.pk + 1) in refused()


def test_nothing_is_adopted_that_does_not_hold(between: list[AuditEvent]) -> None:
    AuditEvent.objects.filter(pk=between[2].pk).update(subject="else")
    with pytest.raises(CommandError):
        call_command("upgraded", stdout=StringIO())
    assert not AuditEvent.objects.filter(action="audit.adopted").exists()


def test_a_row_without_a_seal_is_adopted_by_nobody_later(
    between: list[AuditEvent],
) -> None:
    call_command("upgraded", stdout=StringIO())
    last = AuditEvent.record(action="test.made", subject="later")
    last.key_id, last.hash = "", unsealed_hash_of(last)
    last.save()
    call_command("upgraded", stdout=StringIO())
    assert str(last.pk) in refused()


def test_a_trail_that_began_later_adopts_nothing() -> None:
    event = make_trail(1)[0]
    event.key_id, event.hash = "", unsealed_hash_of(event)
    event.save()
    call_command("upgraded", stdout=StringIO())
    assert str(event.pk) in refused()
