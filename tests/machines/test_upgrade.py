"""From version 0.1.0 to this one on PostgreSQL, while people send and look.

The order is that of docs/operating.md. Pages, forms and writes of the version before
are met by this one, and the other way round.
"""

import itertools
import os
import re
import signal
import socket
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psycopg
import pytest

from console.models import EnvironmentControl
from operations.models import Operation
from tests.install.journey import Form, has_form
from tests.machines.installation import (
    LONGEST_WAIT,
    ROOT,
    Installation,
    answers,
    wait_until,
)
from tests.machines.people import arrived, has_ended, succeeded_once
from writes.models import Batch, Write

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

VERSION_0_1_0 = "ce396aa794015e50f77098110139f938a55ebb50"
# As docs/operating.md of 0.1.0 starts it.
OLD_WEB = ("console.wsgi", "--worker-class", "gthread", "--threads", "4")
NEW_WEB = ("--config", "python:console.web.config", "--workers", "1")
WRITE = re.compile(r"/writes/\d+/")
NAME, PASSWORD = "operator", "an old password of theirs"


@pytest.fixture
def empty_database(transactional_db: None) -> str:
    """A database with nothing in it: version 0.1.0 makes its own tables."""
    server, name = os.environ["TEST_DATABASE_URL"], f"old_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as maker:
        maker.execute(f"CREATE DATABASE {name}")
    return server.replace("@/postgres?", f"@/{name}?")


@pytest.fixture
def version_0_1_0(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of that version, out of the history of this repository."""
    tree = tmp_path_factory.mktemp("version-0.1.0")
    archive = ["git", "archive", VERSION_0_1_0]
    packed = subprocess.run(archive, cwd=ROOT, capture_output=True, check=False)
    if packed.returncode:
        pytest.fail(
            "Version 0.1.0 is not in this clone: run git fetch --unshallow first. "
            f"({packed.stderr.decode().strip()})"
        )
    subprocess.run(["tar", "-x", "-C", tree], input=packed.stdout, check=True)
    return tree


@pytest.fixture
def address() -> Iterator[socket.socket]:
    """A socket that is there whoever is behind it, as systemd holds one."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        yield listener


class People:
    """Who sends and looks at one address all the time, and what they were told."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.stop = threading.Event()
        # Answers that nobody may get.
        self.failures: list[str] = []
        # The pages of writes that were confirmed, as their people were told.
        self.accepted: list[str] = []
        self.files = self.looks = 0
        self._names = itertools.count(1)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Have them work until the end of the block."""
        doings = [self._send_record, self._send_record, self._send_file, self._look]
        with ThreadPoolExecutor(len(doings)) as pool:
            working = [pool.submit(self._work, each) for each in doings]
            try:
                yield
            finally:
                self.stop.set()
            for each in working:
                each.result()

    def go_on(self, files: int = 0) -> None:
        """Wait until some more was sent and looked at; fail at a wrong answer."""
        sent, looks = len(self.accepted) + 6 + files, self.looks + 6
        files += self.files

        def is_enough() -> bool:
            assert self.failures == []
            is_sent = len(self.accepted) >= sent and self.files >= files
            return is_sent and self.looks >= looks

        wait_until(is_enough)

    def _work(self, do: Callable[[httpx.Client], None]) -> None:
        with httpx.Client(
            base_url=self.base,
            transport=httpx.HTTPTransport(
                limits=httpx.Limits(max_keepalive_connections=0)
            ),
            event_hooks={"response": [self._note]},
            follow_redirects=True,
            timeout=LONGEST_WAIT,
        ) as http:
            while not self.stop.is_set():
                # Whose connection broke, or whose form was out of date, tries again.
                with suppress(httpx.TransportError):
                    do(http)

    def _note(self, response: httpx.Response) -> None:
        if response.is_server_error:
            request = response.request
            self.failures.append(
                f"{request.method} {request.url.path}: {response.status_code}"
            )

    def _open(self, http: httpx.Client, path: str) -> httpx.Response:
        """Open a page, and sign in where that is asked for first."""
        page = http.get(path)
        if has_form("password")(page):
            form = Form(page, "password")
            self._submit(http, form, username=NAME, password=PASSWORD)
            page = http.get(path)
        return page

    def _submit(
        self, http: httpx.Client, form: Form, **typed: object
    ) -> httpx.Response:
        files = typed.pop("files", None)
        headers = {"Referer": form.action}
        data = form.data | typed
        return http.post(form.action, data=data, files=files, headers=headers)  # type: ignore[arg-type]

    def _look(self, http: httpx.Client) -> None:
        for path in ("/", "/operations/", *self.accepted[-1:]):
            self._open(http, path)
        self.looks += 1

    def _send_record(self, http: httpx.Client) -> None:
        page = self._open(http, "/writes/record/")
        if not has_form("field_name")(page):
            return
        fields = {
            "field_name": ["LastName"],
            "field_type": ["text"],
            "field_value": [f"Person {next(self._names)}"],
        }
        form = Form(page, "field_name")
        target = self._target(form)
        self._confirm(
            http, self._submit(http, form, **target, action="create", **fields)
        )

    def _send_file(self, http: httpx.Client) -> None:
        page = self._open(http, "/writes/csv/")
        if not has_form("file")(page):
            return
        form = Form(page, "file")
        del form.data["file"]
        rows = f"external_id__c,LastName\nf-{next(self._names)},Row\n"
        page = self._submit(
            http,
            form,
            **self._target(form),
            action="upsert",
            primary_key="external_id__c",
            files={"file": ("people.csv", rows.encode())},
        )
        path = page.url.path.removesuffix("file/")
        if not WRITE.fullmatch(path):
            return
        while not has_form("reviewed")(page) and not self.stop.is_set():
            with suppress(httpx.TransportError):
                page = self._open(http, path)
        self.files += self._confirm(http, page)

    def _target(self, form: Form) -> dict[str, str]:
        return form.choose(
            project="Demo",
            integration="Demo / salesforce",
            object="Demo: salesforce / contact",
            group="Demo: salesforce / Demo customer",
        )

    def _confirm(self, http: httpx.Client, page: httpx.Response) -> bool:
        """Press Send until the page says that it is sent; tell whether it does."""
        path = page.url.path
        if not has_form("reviewed")(page):
            return False
        while not self._is_sent(page):
            if self.stop.is_set():
                return False
            with suppress(httpx.TransportError):
                if has_form("reviewed")(page):
                    form = Form(page, "reviewed")
                    self._submit(http, form, reason="By a person")
                page = self._open(http, path)
        self.accepted.append(path)
        return True

    @staticmethod
    def _is_sent(page: httpx.Response) -> bool:
        is_asked = has_form("reviewed")(page) or has_form("password")(page)
        return page.status_code == 200 and not is_asked


def web(
    installation: Installation, address: socket.socket, *options: str
) -> subprocess.Popen[bytes]:
    """Start a web process behind a socket that others may be behind as well."""
    gunicorn = ("-m", "gunicorn", *options, "--graceful-timeout", "25")
    return installation.start_behind(address, *gunicorn)


def stop(*processes: subprocess.Popen[bytes]) -> None:
    """Ask them to end, and wait until they have."""
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        process.wait(LONGEST_WAIT)


def run(installation: Installation, *command: str) -> None:
    """Run `manage.py command…` to its end."""
    # Migrations give way to people, again and again.
    code = installation.manage(*command).wait(5 * LONGEST_WAIT)
    assert code == 0, installation.log()


def background(installation: Installation) -> list[subprocess.Popen[bytes]]:
    """Start the workers."""
    queues = ("sending", "sending", "watching", "files")
    return [installation.worker(queue) for queue in queues]


@pytest.mark.timeout(900)
def test_people_work_on_while_version_0_1_0_is_replaced(
    installation: Installation, version_0_1_0: Path, address: socket.socket
) -> None:
    base = "http://127.0.0.1:{1}".format(*address.getsockname())
    installation.root = version_0_1_0
    run(installation, "migrate", "-v", "0")
    run(installation, "collectstatic", "--noinput", "-v", "0")
    port = str(installation.sandbox_port)
    run(installation, "demo", "--password", PASSWORD, "--port", port)
    pace = "Project.objects.update(max_at_once=20, max_per_second=100)"
    run(installation, "shell", "-c", f"from console.models import Project; {pace}")
    old_webs = [web(installation, address, *OLD_WEB) for _ in range(2)]
    old_workers, old_clock = background(installation), installation.clock()

    people = People(base)
    with people.at_work():
        people.go_on(files=1)

        # Nothing is sent any more, and everything is accepted.
        stop(*old_workers)
        installation.root = ROOT
        run(installation, "migrate", "-v", "0")
        people.go_on()

        stop(old_clock)
        installation.clock()
        background(installation)
        people.go_on(files=1)

        for old_web in old_webs:
            stop(old_web)
            web(installation, address, *NEW_WEB)
            # Only this version has that page.
            wait_until(lambda: answers(f"{base}/livez"))
            people.go_on()
        run(installation, "upgraded", "--by", "Ada")
        people.go_on(files=1)

    assert people.failures == []
    confirmed = list(Write.objects.filter(state=Write.State.CONFIRMED))
    wait_until(lambda: has_ended(*confirmed))
    succeeded_once(installation, confirmed)
    assert set(arrived(installation)) == set(
        Batch.objects.values_list("sha256", flat=True)
    )
    paths = {write.get_absolute_url() for write in confirmed}
    assert set(people.accepted) <= paths
    # Nothing was held for want of a clock, and this version knows all of each.
    assert not EnvironmentControl.objects.frozen().exists()
    told = Operation.objects.exclude(write_number=None).exclude(source="")
    assert told.exclude(environment="").count() == Operation.objects.count()
    run(installation, "audit", "verify")
