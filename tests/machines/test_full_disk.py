"""Full disks beside PostgreSQL: what is sent, what is said, and that it goes on.

First the one of DATA_DIR, then that of the database itself, with real processes. What
Ampersand received is compared with what was confirmed.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import psycopg
import pytest
from django.conf import settings as tested
from django.contrib.auth.models import User
from django.db import connection

from console.access.roles import Role
from console.models import EnvironmentControl, Heartbeat, Project, Pulse
from operations.models import Operation
from tests.conftest import make_project, make_user
from tests.disks import small_disk, use_up_room
from tests.machines.conftest import installed
from tests.machines.installation import LONGEST_WAIT, Installation, wait_until
from tests.machines.people import (
    TOKEN,
    People,
    arrived,
    creates,
    file_in_parts,
    has_ended,
    succeeded_once,
)
from tests.writes.making import confirm, states
from writes.models import Write

State = Operation.State

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(600),
]


def start(installation: Installation, queues: tuple[str, ...]) -> None:
    for queue in queues:
        installation.worker(queue)
    installation.clock()
    alive = len(queues) + 1
    wait_until(lambda: Heartbeat.objects.alive().count() == alive)


class Web:
    """A person at a web process: what is answered."""

    def __init__(self, people: People) -> None:
        (self.url,), self.cookies = people.webs, people.cookies

    def get(self, path: str) -> httpx.Response:
        return httpx.get(
            f"{self.url}{path}", cookies=self.cookies, timeout=LONGEST_WAIT
        )

    def upload(self, project: Project, content: bytes) -> httpx.Response:
        integration = project.integrations.get()
        target = {
            "token": str(uuid.uuid4()),
            "project": project.pk,
            "integration": integration.pk,
            "object": integration.write_objects.get(name="contact").pk,
            "group": integration.groups.get().pk,
            "primary_key": "external_id__c",
        }
        return httpx.post(
            f"{self.url}/writes/csv/",
            data=target,
            files={"file": ("contacts.csv", content)},
            cookies=self.cookies,
            headers={"X-CSRFToken": TOKEN},
            timeout=LONGEST_WAIT,
        )


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MiB."""
    with small_disk(tmp_path / "small", "size=4m") as disk:
        yield disk


def test_beside_a_full_disk_what_is_confirmed_is_sent_and_nothing_is_lost(
    installation: Installation,
    project: Project,
    olga: User,
    disk: Path,
    settings: Any,
) -> None:
    installation.variables |= {"DATA_DIR": str(disk), "KEEP_FREE_MIB": "0"}
    settings.DATA_DIR = disk
    place = {**settings.STORAGES["default"], "OPTIONS": {"location": disk / "files"}}
    settings.STORAGES = {**settings.STORAGES, "default": place}
    people = People(olga, [installation.web()])
    web = Web(people)
    start(installation, ("sending", "sending", "watching", "files"))
    rows = b"external_id__c,LastName\nup-1,Row\n"
    stored, records = file_in_parts(project, olga), creates(project, olga, 3)
    use_up_room(disk)
    noted = (disk / "pulse").read_text()

    # It is said, and pages can be looked at; what would be stored is refused.
    health = web.get("/healthz")
    assert (health.status_code, health.json()["disk"]) == (200, "full")
    assert 'id="disk-trouble"' in web.get("/").text
    before = Write.objects.count()
    refused = web.upload(project, rows)
    assert refused.status_code == 503
    assert Write.objects.count() == before

    # What was checked before can be confirmed, and leaves; so it does after a restart.
    people.send(stored, *records[:1])
    wait_until(lambda: all(set(states(w)) <= {*Operation.ENDED} for w in records[:1]))
    # Stopped and not killed: what a killed worker was just sending is unknown.
    workers = set(installation.running[1:]) - set(installation.webs.values())
    for process in workers:
        process.terminate()
    for process in workers:
        process.wait(LONGEST_WAIT)
    start(installation, ("sending", "watching", "files"))
    people.send(*records[1:])
    wait_until(
        lambda: {s for w in (stored, *records) for s in states(w)} == {State.SUCCEEDED}
    )
    assert (disk / "pulse").read_text() == noted

    # With room again everything goes on, by itself or by a button.
    (disk / "filler").unlink()
    wait_until(lambda: (disk / "pulse").read_text() != noted)
    accepted = web.upload(project, rows)
    assert accepted.status_code == 302
    late = Write.objects.latest("pk")
    people.send(late)
    assert web.get("/healthz").json()["disk"] == "ok"
    everything = [stored, *records, late]
    wait_until(lambda: all(states(write) for write in everything))
    wait_until(lambda: set(states(late)) == {State.SUCCEEDED})
    succeeded_once(installation, everything)
    # Nobody took it for a restored back-up.
    assert not Write.objects.exclude(paused_at=None).exists()
    assert not EnvironmentControl.objects.frozen().exists()


# --- The database's own disk ----------------------------------------------------------


@pytest.fixture
def small_database(transactional_db: None) -> Iterator[tuple[str, Path]]:
    """A database whose tables are on a disk of 40 MiB; its address, and the disk."""
    server = os.environ["TEST_DATABASE_URL"]
    connection.close()
    template = tested.DATABASES["default"]["NAME"]
    name = f"own_{uuid.uuid4().hex[:12]}"
    # The server's user may look neither into tests' directories nor into root's.
    with TemporaryDirectory() as folder, small_disk(Path(folder), "size=40m") as disk:
        with psycopg.connect(server, autocommit=True) as maker:
            where = maker.execute("SHOW data_directory").fetchone()
            assert where
            owner = Path(where[0]).stat()
            place = disk / "tables"
            place.mkdir(mode=0o700)
            disk.chmod(0o711)
            os.chown(place, owner.st_uid, owner.st_gid)
            maker.execute(f"CREATE TABLESPACE {name} LOCATION '{place}'")
            maker.execute(
                f"CREATE DATABASE {name} TEMPLATE {template} TABLESPACE {name} "
                "STRATEGY file_copy"
            )
        try:
            yield server.replace("@/postgres?", f"@/{name}?"), disk
        finally:
            (disk / "filler").unlink(missing_ok=True)
            with psycopg.connect(server, autocommit=True) as maker:
                maker.execute(f"DROP DATABASE {name} WITH (FORCE)")
                maker.execute(f"DROP TABLESPACE {name}")


def test_a_database_on_a_full_disk_sends_nothing_twice_and_goes_on(
    small_database: tuple[str, Path],
    tmp_path: Path,
    settings: Any,
) -> None:
    address, disk = small_database
    with installed(address, tmp_path, settings) as installation:
        _through_a_full_database(installation, disk)


def _through_a_full_database(installation: Installation, disk: Path) -> None:
    url = f"{installation.sandbox_url}/v1"
    project, olga = (
        make_project(write_url=url, api_url=url),
        make_user("olga", Role.OPERATOR),
    )
    Project.objects.update(max_at_once=20, max_per_second=100)
    writes = creates(project, olga, 30)
    people = People(olga, [installation.web()])
    start(installation, ("sending", "sending"))
    for write in writes[:10]:
        confirm(write, olga)
    use_up_room(disk)
    full = "No space left on device"
    with suppress(Exception):
        for write in writes[10:]:
            confirm(write, olga)
    connection.close()
    wait_until(lambda: full in installation.log())
    assert all(each.poll() is None for each in installation.running)

    (disk / "filler").unlink()
    people.send(*writes)
    wait_until(lambda: has_ended(*writes))
    ended = {write.pk: states(write) for write in writes}
    assert set(map(tuple, ended.values())) <= {(State.SUCCEEDED,), (State.UNKNOWN,)}
    came = arrived(installation)
    assert set(came.values()) == {1}
    # What nobody could note is unknown, and that is said; all else is as it is told.
    unknown = [states for states in ended.values() if states == [State.UNKNOWN]]
    assert len(writes) - len(unknown) <= len(came) <= len(writes)
    pulse = Pulse.objects.get()
    assert pulse.doubted_at is None or pulse.doubt
