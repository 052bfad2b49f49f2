"""A back-up that was restored sends nothing again, with real processes.

Writes are confirmed, dumped while they wait, sent, and the dump is restored: what the
sandbox received is counted before and after.
"""

import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import connection

from console import freeze
from console.models import EnvironmentControl, Heartbeat, Project, Pulse
from operations.models import Operation
from tests.conftest import actor
from tests.machines.installation import Installation, wait_until
from tests.machines.people import arrived, creates
from tests.writes.making import confirm, states
from writes.actions.pause import resume
from writes.models import Write

State = Operation.State

pytestmark = pytest.mark.django_db(transaction=True)

COUNT = 3


class Sqlite:
    """A database that is copied by SQLite itself, and restored as a file."""

    def __init__(self, url: str, backup: Path) -> None:
        self.path, self.backup = Path(url.removeprefix("sqlite:///")), backup

    def dump(self) -> None:
        with closing(sqlite3.connect(self.path)) as it:
            it.execute("VACUUM INTO ?", (str(self.backup),))

    def restore(self) -> None:
        for companion in ("", "-wal", "-shm"):
            Path(f"{self.path}{companion}").unlink(missing_ok=True)
        shutil.copy2(self.backup, self.path)


class Postgres:
    """A database that is dumped, and restored into the same database."""

    def __init__(self, url: str, backup: Path) -> None:
        parts = urlsplit(url)
        self.name, self.backup = parts.path[1:], backup
        self.host = unquote(parts.query.removeprefix("host="))

    def dump(self) -> None:
        self._run("pg_dump", "-Fc", "-f", str(self.backup), self.name)

    def restore(self) -> None:
        self._run("pg_restore", "--clean", "-d", self.name, str(self.backup))

    def _run(self, program: str, *arguments: str) -> None:
        where = ("-h", self.host, "-U", "postgres")
        subprocess.run([program, *where, *arguments], check=True, timeout=300)


@pytest.fixture
def database(
    empty_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Sqlite | Postgres:
    backup = tmp_path_factory.mktemp("backup") / "database"
    kind = Sqlite if empty_database.startswith("sqlite") else Postgres
    return kind(empty_database, backup)


@pytest.fixture
def stop(installation: Installation) -> Callable[[], None]:
    """What stops all but the sandbox, as a crash does."""

    def stop_all() -> None:
        for process in installation.running:
            if process is not installation.ampersand:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
        installation.running = [installation.ampersand]  # type: ignore[list-item]
        connection.close()

    return stop_all


def start(installation: Installation) -> None:
    """Start the workers first: they must wait for the clock."""
    for _ in range(2):
        installation.worker("sending")
    installation.clock()


def has_counted(than: int) -> bool:
    """Tell whether a clock of this start ticked, and the senders live."""
    pulse = Pulse.objects.get()
    senders = Heartbeat.objects.alive().filter(queue="sending")
    return pulse.number > than and senders.count() >= 2


def frozen_waiting(project: Project, olga: User) -> list[Write]:
    """Return confirmed writes that wait, since somebody froze the environment."""
    control = EnvironmentControl.objects.of(project.environment)
    freeze.freeze(control, actor(olga), reason="Before the back-up")
    writes = creates(project, olga, COUNT)
    for write in writes:
        confirm(write, olga)
    return writes


@pytest.mark.timeout(600)
@pytest.mark.parametrize("files_too", [False, True], ids=["database", "both"])
def test_what_was_sent_after_the_back_up_is_not_sent_again(
    files_too: bool,
    database: Sqlite | Postgres,
    installation: Installation,
    project: Project,
    olga: User,
    stop: Callable[[], None],
) -> None:
    start(installation)
    wait_until(lambda: Pulse.objects.exists() and has_counted(1))
    writes = frozen_waiting(project, olga)
    # The freeze is lifted in the back-up, too: nothing but the console stops it there.
    stop()
    control = EnvironmentControl.objects.of(project.environment)
    freeze.unfreeze(control, actor(olga))
    connection.close()
    database.dump()
    noted = (installation.data / "pulse").read_text()

    start(installation)
    wait_until(lambda: {*map(tuple, map(states, writes))} == {(State.SUCCEEDED,)})
    sent = arrived(installation)
    assert sorted(sent.values()) == [1] * COUNT

    stop()
    database.restore()
    if files_too:
        (installation.data / "pulse").write_text(noted)
    before = Pulse.objects.get().number
    start(installation)
    wait_until(lambda: has_counted(before + 5))
    assert arrived(installation) == sent
    held = Operation.objects.filter(state=State.HELD, may_have_left=True)
    assert held.count() == COUNT
    control.refresh_from_db()
    assert control.is_frozen

    # A person looked, and lets one of them go: it goes, and nothing else does.
    freeze.unfreeze(control, actor(olga))
    assert resume(Write.objects.get(pk=writes[0].pk), actor(olga))
    wait_until(lambda: states(writes[0]) == [State.SUCCEEDED])
    assert sorted(arrived(installation).values()) == [1] * (COUNT - 1) + [2]
    assert held.count() == COUNT - 1


@pytest.mark.timeout(600)
def test_a_restart_is_no_restore(
    installation: Installation,
    project: Project,
    olga: User,
    stop: Callable[[], None],
) -> None:
    start(installation)
    wait_until(lambda: Pulse.objects.exists() and has_counted(1))
    stop()
    writes = creates(project, olga, COUNT)
    for write in writes:
        confirm(write, olga)
    start(installation)
    wait_until(lambda: {*map(tuple, map(states, writes))} == {(State.SUCCEEDED,)})
    assert sorted(arrived(installation).values()) == [1] * COUNT
    assert not EnvironmentControl.objects.frozen().exists()
