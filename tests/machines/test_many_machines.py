"""Several machines on one PostgreSQL: they share the work, and each may go away.

Two web processes, three workers that send, two clocks; processes stand for machines.
What Ampersand received is compared with what was confirmed.
"""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from console.models import Heartbeat, Project
from operations.models import Operation, OperationTransition
from tests.machines.conftest import installed
from tests.machines.installation import Installation, wait_until
from tests.machines.people import (
    People,
    arrived,
    creates,
    file_in_parts,
    has_ended,
    is_sending,
    operation_of,
    reason_of,
    silent,
    succeeded_once,
)
from tests.writes.making import states
from writes.models import Write
from writes.worker import check_file

State = Operation.State

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@dataclass(frozen=True)
class Postgres:
    """A server, its address, and what stops it and starts it again."""

    url: str
    restart: Callable[[], None]


@pytest.fixture
def postgres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres]:
    """A PostgreSQL of this test's own, since it is stopped in the middle."""
    # It asks for this when it is imported, and complains where it is not set.
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    from scripts import with_postgres

    # Below tmp_path another run of pytest may lock the server's user out.
    with TemporaryDirectory() as folder:
        directory = Path(folder)
        server = with_postgres.start(directory)

        def restart() -> None:
            server.stop()
            with_postgres.start(directory)

        yield Postgres(f"postgres://postgres@/postgres?host={folder}", restart)
        server.cleanup()


@pytest.fixture
def installation(
    postgres: Postgres,
    tmp_path: Path,
    settings: Any,
    transactional_db: None,
) -> Iterator[Installation]:
    with installed(postgres.url, tmp_path, settings) as installation:
        call_command("migrate", verbosity=0)
        yield installation


@pytest.fixture
def project(project: Project) -> Project:
    """Nothing here is about the pace."""
    Project.objects.update(max_at_once=20, max_per_second=100)
    project.refresh_from_db()
    return project


def sender_of(write: Write) -> int:
    """Return the id of the process that claimed the request of a write."""
    sent = OperationTransition.objects.get(
        operation=operation_of(write), to_state=State.SENDING
    )
    assert sent.process.startswith("worker sending on ")
    return int(sent.process.rpartition(" ")[2])


def kill(pid: int) -> None:
    """End a process as the kernel would, or a power cut."""
    os.kill(pid, signal.SIGKILL)


@pytest.mark.timeout(900)
def test_machines_share_the_work_and_any_of_them_may_go_away(
    installation: Installation,
    project: Project,
    olga: User,
    postgres: Postgres,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(check_file, "LARGEST_CSV", 40)
    workers = [installation.worker("sending") for _ in range(3)]
    watcher, filer = installation.worker("watching"), installation.worker("files")
    clocks = [installation.clock() for _ in range(2)]
    people = People(olga, [installation.web() for _ in range(2)])
    wait_until(lambda: Heartbeat.objects.alive().count() == 7)

    # They share it.
    shared = [*creates(project, olga, 40), file_in_parts(project, olga)]
    people.send(*shared)
    wait_until(lambda: has_ended(*shared))
    succeeded_once(installation, shared)
    assert len(states(shared[-1])) == 3
    senders = OperationTransition.objects.filter(to_state=State.SENDING)
    assert senders.values("process").distinct().count() > 1

    # One of each kind is killed, the one that sends while it waits for an answer.
    killed_while_sending = silent(project, olga)
    people.send(killed_while_sending)
    wait_until(lambda: is_sending(killed_while_sending))
    through_kills = [*creates(project, olga, 10), file_in_parts(project, olga)]
    people.send(*through_kills)
    killed = sender_of(killed_while_sending)
    kill(killed)
    web = installation.webs[people.webs.pop(0)]
    for process in (watcher, filer, clocks.pop(0), web):
        kill(process.pid)
    # Whatever runs the processes starts those again that have no other.
    replaced = [installation.worker("watching"), installation.worker("files")]

    # PostgreSQL goes away while requests are under way and people press Send.
    through_restart = [*creates(project, olga, 10), file_in_parts(project, olga)]
    unanswered = silent(project, olga)
    people.send(unanswered)
    wait_until(lambda: is_sending(unanswered))
    connection.close()
    with ThreadPoolExecutor(1) as somebody:
        pressing = somebody.submit(people.send, *through_restart)
        postgres.restart()
        pressing.result()

    all_writes = [*through_kills, *through_restart, killed_while_sending, unanswered]
    # What a killed worker held in its hands is given out anew after 90 s at the latest.
    wait_until(lambda: has_ended(*all_writes), seconds=300)
    succeeded_once(installation, [*through_kills, *through_restart])
    for write in (killed_while_sending, unanswered):
        assert operation_of(write).state == State.UNKNOWN
    assert set(arrived(installation).values()) == {1}
    assert "worker stopped while it was sending" in reason_of(killed_while_sending)
    # The worker that waited for the answer kept what it learned until it could say so.
    assert "worker stopped" not in reason_of(unanswered)
    # Nobody ended for want of a database.
    left = [*workers, *clocks, *replaced]
    assert [each.pid for each in left if each.poll() is not None] == [killed]
