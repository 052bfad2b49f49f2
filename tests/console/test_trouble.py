"""A full disk, a lock, a disk that cannot be written: told as what it is, as 503."""

import errno
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import (
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
)
from django.test import Client as Browser

from console.access.roles import Role
from console.models import ApprovalRule, AuditEvent, EnvironmentControl
from console.runtime import trouble
from console.runtime.trouble import (
    AWAY,
    BROKEN,
    DENIED,
    FULL,
    LOCKED,
    MEMORY,
    MISSING,
    PENDING,
    READ_ONLY,
    Trouble,
    disk_trouble,
    in_words,
    trouble_of,
)
from tests.answers import Shown
from tests.disks import full, patient, read_only, small_disk, use_up_room

FREEZE = "/connections/environments/sandbox/freeze/"
CAME_FROM = {"Referer": "http://testserver/connections/?x=1"}


def of_sqlite(code: int) -> OperationalError:
    """Return what Django makes of an error of SQLite."""
    cause = sqlite3.OperationalError("in SQLite's words")
    cause.sqlite_errorcode = code
    error = OperationalError("in SQLite's words")
    error.__cause__ = cause
    return error


def of_postgres(kind: type[psycopg.Error], django: type[Exception]) -> Exception:
    """Return what Django makes of an error of PostgreSQL."""
    error = django("in PostgreSQL's words")
    error.__cause__ = kind("in PostgreSQL's words")
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOSPC, ""), FULL),
        (OSError(errno.EDQUOT, ""), FULL),
        (OSError(errno.EROFS, ""), READ_ONLY),
        (PermissionError(errno.EACCES, ""), DENIED),
        (OSError(errno.EIO, ""), BROKEN),
        (OSError(errno.ENOMEM, ""), MEMORY),
        (MemoryError(), MEMORY),
        (of_postgres(psycopg.errors.OutOfMemory, OperationalError), MEMORY),
        (OSError(errno.ECONNREFUSED, ""), None),
        (FileNotFoundError(errno.ENOENT, ""), None),
        (of_sqlite(sqlite3.SQLITE_FULL), FULL),
        (of_sqlite(sqlite3.SQLITE_BUSY), LOCKED),
        (of_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), LOCKED),
        (of_sqlite(sqlite3.SQLITE_READONLY_DBMOVED), READ_ONLY),
        (of_sqlite(sqlite3.SQLITE_CANTOPEN), AWAY),
        (of_sqlite(sqlite3.SQLITE_IOERR_WRITE), AWAY),
        (of_postgres(psycopg.errors.DiskFull, OperationalError), FULL),
        (of_postgres(psycopg.errors.ReadOnlySqlTransaction, InternalError), READ_ONLY),
        (of_postgres(psycopg.errors.LockNotAvailable, OperationalError), LOCKED),
        (of_postgres(psycopg.errors.AdminShutdown, OperationalError), AWAY),
        (of_postgres(psycopg.OperationalError, OperationalError), AWAY),
        (InterfaceError("closed"), AWAY),
        (ValueError("a mistake"), None),
        (None, None),
    ],
)
def test_an_error_is_told_as_what_it_comes_from(
    error: BaseException | None, expected: Trouble | None
) -> None:
    assert trouble_of(error) is expected


def test_a_table_that_is_not_there_is_a_mistake_unless_migrations_are_pending(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = of_postgres(psycopg.errors.UndefinedTable, ProgrammingError)
    missing = of_sqlite(sqlite3.SQLITE_ERROR)
    assert trouble_of(error) is trouble_of(missing) is None
    monkeypatch.setattr(trouble, "migrations_are_pending", lambda: True)
    assert trouble_of(error) is trouble_of(missing) is PENDING


@pytest.fixture
def disk(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """DATA_DIR as a small disk of its own."""
    with small_disk(tmp_path / "disk") as path:
        settings.DATA_DIR = path
        yield path


# --- pages --------------------------------------------------------------------------


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("state", "told"), [(full, FULL), (read_only, READ_ONLY)])
def test_what_cannot_be_stored_is_503_and_says_that_nothing_was(
    state: Callable[[], Any], told: Trouble, sign_in: Callable[..., Browser]
) -> None:
    browser = patient(sign_in(Role.OPERATOR))
    # A page is full of room until it is filled.
    reason = "x" * 150
    with state():
        for _ in range(60):
            answer = browser.post(FREEZE, {"reason": reason}, headers=CAME_FROM)
            if answer.status_code == 503:
                break
            EnvironmentControl.objects.update(frozen_at=None)
        assert answer.status_code == 503
        before = AuditEvent.objects.count()
        assert told.text in answer.text
        assert told.remedy in answer.text
        assert "Nothing was stored, and nothing was sent." in answer.text
        assert answer["X-Request-ID"] in answer.text
        assert answer["Retry-After"]
        assert 'href="/connections/?x=1"' in answer.text
        # What is there can be looked at all the same.
        assert browser.get("/operations/").status_code == 200
        assert browser.get("/connections/").status_code == 200
    assert AuditEvent.objects.count() == before
    assert browser.post(FREEZE, {"reason": reason}).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_what_was_stored_in_part_is_not_said_to_be_nothing(
    sign_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    from console.views import environments

    browser = patient(sign_in(Role.OPERATOR))
    monkeypatch.setattr(environments, "redirect", fails)
    answer = browser.post(FREEZE, {"reason": "A reason"})
    assert answer.status_code == 503
    assert "Nothing was stored" not in answer.text
    assert EnvironmentControl.objects.of("sandbox").is_frozen


@pytest.mark.django_db(transaction=True)
def test_what_others_stored_at_the_same_moment_is_told(
    sign_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = patient(sign_in(Role.ADMIN))
    address = "/connections/environments/sandbox/approval/new/"
    rule = {"approved_by": "admin", "more_than": "10"}
    assert browser.post(address, rule).status_code == 302
    before = AuditEvent.objects.count()
    # As if the second had looked before the first was stored.
    monkeypatch.setattr(ApprovalRule, "validate_constraints", lambda *_, **__: None)
    answer = browser.post(address, rule, headers=CAME_FROM)
    assert answer.status_code == 409
    assert "Nothing was stored, and nothing was sent." in answer.text
    assert 'href="/connections/?x=1"' in answer.text
    assert ApprovalRule.objects.count() == 1
    assert AuditEvent.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_a_mistake_of_the_console_is_not_said_to_be_by_others(
    sign_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        ApprovalRule.objects.create(environment="nowhere")

    from console.views import environments

    browser = patient(sign_in(Role.VIEWER))
    monkeypatch.setattr(environments, "render", fails)
    assert browser.get("/connections/environments/").status_code == 500


@pytest.mark.django_db(transaction=True)
def test_a_page_that_cannot_be_shown_changed_nothing(
    sign_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OperationalError("server closed the connection")

    from console.views import environments

    browser = patient(sign_in(Role.VIEWER))
    monkeypatch.setattr(environments, "render", fails)
    answer = browser.get("/connections/environments/")
    assert answer.status_code == 503
    assert "Nothing was changed, and nothing was sent." in answer.text
    assert AWAY.text in answer.text


@pytest.mark.parametrize("size", [100_000, 70_000, 65_600])
def test_an_upload_that_fills_the_disk_leaves_nothing_of_it(
    size: int,
    disk: Path,
    tmp_path: Path,
    settings: Any,
    sign_in: Callable[..., Browser],
) -> None:
    """Its last bytes are written only when all have come."""
    settings.FILE_UPLOAD_TEMP_DIR = disk
    # There is room when it begins.
    settings.DATA_DIR = tmp_path
    browser = patient(sign_in(Role.OPERATOR))
    upload = SimpleUploadedFile("a.csv", b"x" * size)
    answer = browser.post("/writes/csv/", {"file": upload})
    assert answer.status_code == 503
    assert FULL.text in answer.text
    assert list(disk.iterdir()) == []


# --- in words -----------------------------------------------------------------------

RAW = ("Errno", "the system's words", "/where/it/lies")


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, FULL.text),
        (errno.EDQUOT, FULL.text),
        (errno.EROFS, READ_ONLY.text),
        (errno.ENOENT, ""),
        (errno.EISDIR, ""),
        (errno.ENAMETOOLONG, ""),
    ],
)
def test_no_page_has_the_words_of_the_system(number: int, told: str) -> None:
    text = in_words(OSError(number, "the system's words", "/where/it/lies"))
    assert text.endswith(".")
    assert told in text
    assert not any(raw in text for raw in RAW)


def test_what_the_console_said_itself_stays() -> None:
    assert in_words(FileNotFoundError("It was deleted on 3 May.")) == (
        "It was deleted on 3 May."
    )


def test_what_is_out_of_sight_is_not_called_deleted(
    settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path / "unmounted"
    assert MISSING.text in in_words(FileNotFoundError("It is missing."))


# --- the health page ----------------------------------------------------------------


def use_up_inodes(disk: Path) -> None:
    """Leave room, and no file can be made."""
    for number in range(100):
        try:
            (disk / str(number)).touch()
        except OSError:
            return
    raise AssertionError("There are inodes left.")


def take_away_writing(disk: Path) -> None:
    """Mount it to be read alone."""
    mount = ["mount", "-o", "remount,ro", str(disk)]
    subprocess.run(mount, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("happens", "told"),
    [
        (use_up_room, FULL),
        (use_up_inodes, FULL),
        (take_away_writing, READ_ONLY),
    ],
)
def test_health_page_and_home_say_what_is_wrong_with_the_disk(
    happens: Callable[[Path], None],
    told: Trouble,
    disk: Path,
    client: Browser,
    sign_in: Callable[..., Browser],
) -> None:
    assert client.get("/healthz").json()["disk"] == "ok"
    assert list(disk.iterdir()) == []
    happens(disk)
    answer = client.get("/healthz")
    assert answer.json()["disk"] == told.name
    home = sign_in(Role.VIEWER).get("/")
    assert "disk-trouble" in Shown(home).ids
    assert told.text in home.text
    # With SQLite nothing can be stored; beside PostgreSQL pages go on.
    assert answer.status_code == (503 if connection.vendor == "sqlite" else 200)


def test_a_data_directory_that_is_gone_is_told(
    tmp_path: Path, settings: Any, client: Browser, db: None
) -> None:
    settings.DATA_DIR = tmp_path / "unmounted"
    assert client.get("/healthz").json()["disk"] == MISSING.name
    assert disk_trouble() is MISSING
    assert trouble_of(FileNotFoundError(errno.ENOENT, "")) is MISSING


def test_pending_migrations_are_told(client: Browser, db: None) -> None:
    trouble._is_migrated.cache_clear()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'writes'")
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["database"] == PENDING.name
    trouble._is_migrated.cache_clear()
