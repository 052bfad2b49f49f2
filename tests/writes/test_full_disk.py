"""A full disk: what is shared or taken away is whole or is not there, and told so."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client as Browser

from console.models import AuditEvent, Integration
from console.runtime.trouble import FULL, READ_ONLY
from operations.models import Operation
from sandbox.app import Sandbox
from tests.disks import full, patient, read_only, small_disk, use_up_room
from tests.writes.making import confirm, make_draft, received, work_off
from tests.writes.test_downloads import content
from writes.models import SharedAddress, Write
from writes.worker import send, share_file

State = Operation.State
KEY = "external_id__c"
HEADER = b"external_id__c,LastName\n"


def rows(count: int) -> bytes:
    """Return a file of which every second row fails."""
    names = (b"x" if number % 2 else b"" for number in range(count))
    lines = (b"k-%030d,%s\n" % each for each in enumerate(names))
    return HEADER + b"".join(lines)


EXPORTS = (
    "failed.csv",
    "failed-with-reasons.csv",
    "outcomes.csv",
    "outcomes-for-spreadsheets.csv",
)

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


def sent(integration: Integration, user: User, data: bytes) -> Write:
    """Return a write of a file that was sent and joined."""
    write = make_draft(integration, user, csv=data, primary_key=KEY)
    confirm(write, user)
    work_off()
    write.refresh_from_db()
    assert write.rows_totals
    assert write.rows_totals.failed
    return write


@pytest.fixture
def joined(sandbox: Sandbox, integration: Integration, olga: User) -> Write:
    """Of eight rows four failed."""
    return sent(integration, olga, rows(8))


@pytest.fixture
def uploads(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """A small disk for what is made for a while."""
    with small_disk(tmp_path / "small") as disk:
        settings.FILE_UPLOAD_TEMP_DIR = disk
        yield disk


# --- Taken away ---------------------------------------------------------------------


@pytest.mark.parametrize("happens", [lambda disk: None, use_up_room])
def test_rows_that_do_not_fit_on_the_disk_are_told_and_leave_nothing(
    happens: Callable[[Path], None],
    sandbox: Sandbox,
    integration: Integration,
    olga: User,
    browser: Browser,
    uploads: Path,
) -> None:
    # The failed ones are more than a small disk holds.
    joined = sent(integration, olga, rows(8_000))
    happens(uploads)
    before = list(uploads.iterdir())
    answer = patient(browser).get(f"/writes/{joined.pk}/failed.csv")
    assert answer.status_code == 503
    assert "attachment" not in answer.get("Content-Disposition", "")
    for text in ("Nothing was changed", FULL.text, FULL.remedy):
        assert text in answer.text
    assert list(uploads.iterdir()) == before
    # Nobody took anything away.
    assert not AuditEvent.objects.filter(action="rows.downloaded").exists()


@pytest.mark.parametrize("name", EXPORTS[1:])
def test_what_is_made_while_it_leaves_needs_no_room(
    name: str, joined: Write, browser: Browser, uploads: Path
) -> None:
    use_up_room(uploads)
    answer = browser.get(f"/writes/{joined.pk}/{name}")
    assert answer.status_code == 200
    assert content(answer).count(b"k-") == (4 if name.startswith("failed") else 8)


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", [*EXPORTS, "as-sent.csv", "original.csv"])
def test_what_leaves_no_trace_does_not_leave(
    name: str, joined: Write, browser: Browser
) -> None:
    address = f"/writes/{joined.pk}/{name}"
    with read_only():
        answer = patient(browser).get(address)
    assert answer.status_code == 503
    assert READ_ONLY.text in answer.text
    assert answer["Retry-After"]
    noted = AuditEvent.objects.filter(action__endswith=".downloaded")
    assert not noted.exists()
    answer = browser.get(address)
    assert b"k-" in content(answer)
    answer.close()
    assert noted.count() == 1


def until_full(browser: Browser, address: str) -> list[Any]:
    """Return the answers up to the first that cannot be noted.

    A page of the database is full of room until it is filled.
    """
    answers = []
    for _ in range(200):
        answers.append(browser.get(address))
        if answers[-1].status_code != 200:
            return answers
        answers[-1].close()
    raise AssertionError("Nothing filled it.")


# --- Shared -------------------------------------------------------------------------


@pytest.fixture
def shared(
    integration: Integration, olga: User, settings: Any, small_parts: int
) -> Operation:
    """A file that Ampersand is to fetch from this console; it waits to be sent."""
    settings.PUBLIC_URL = "http://testserver/"
    write = make_draft(integration, olga, csv=rows(100), primary_key=KEY)
    Write.objects.update(delivery="console")
    write.refresh_from_db()
    return confirm(write, olga)


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_an_address_that_cannot_be_kept_is_not_sent(
    sandbox: Sandbox, shared: Operation
) -> None:
    with read_only(), pytest.raises(OperationalError):
        send.send(shared.pk)
    assert received(sandbox) == []
    assert not SharedAddress.objects.exists()
    shared.refresh_from_db()
    assert shared.state == State.WAITING
    send.send(shared.pk)
    assert len(received(sandbox)) == 1


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("state", [full, read_only])
def test_a_fetch_that_cannot_be_noted_is_refused_for_now(
    state: Callable[[], Any], shared: Operation, client: Browser
) -> None:
    url = share_file.share(shared.batch).removeprefix("http://testserver")
    with state():
        *whole, last = until_full(patient(client), url)
    # Not 404: who asks again later gets it.
    assert last.status_code == 503
    assert last["Retry-After"]
    assert b"k-0" not in content(last)
    address = SharedAddress.objects.get()
    assert address.fetched_count == len(whole)
    assert AuditEvent.objects.filter(action="file.fetched").count() == len(whole)
    answer = client.get(url)
    assert content(answer) == shared.batch.write.path_of("as_sent").read_bytes()
