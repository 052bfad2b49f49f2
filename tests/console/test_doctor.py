"""manage.py doctor: each fault is found, named and followed by what to do."""

import io
import json
import smtplib
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from console.access.roles import Role
from console.health import doctor, pulse
from console.models import Heartbeat, Project, Pulse
from console.runtime import db_clock
from files.remote.stores import StoreError
from tests.conftest import make_user
from tests.texts import numbers
from writes.management.commands import doctor as command

pytestmark = pytest.mark.django_db

QUEUES = ["sending", "watching", "files"]


@pytest.fixture(autouse=True)
def _well(settings: Any, tmp_path: Path) -> None:
    """An installation where all is as it should be."""
    backend = "django_tasks_db.DatabaseBackend"
    settings.TASKS = {"default": {"BACKEND": backend, "QUEUES": QUEUES}}
    settings.DATA_DIR = tmp_path
    tmp_path.chmod(0o700)
    pulse.beat(db_clock.now())
    for queue in ("", *QUEUES):
        beat(queue)


def beat(queue: str, *, seen: int | None = None) -> None:
    """Have a process seen just now, which found this number in its DATA_DIR."""
    number = pulse.noted() if seen is None else seen
    Heartbeat.objects.update_or_create(
        process=f"process {queue}",
        defaults={
            "queue": queue,
            "host": "a",
            "seen_at": db_clock.now(),
            "pulse_seen": number,
        },
    )


def run(*options: str) -> tuple[bool, dict[str, list[dict[str, str]]]]:
    """Run it for programs; return whether all is well, and the findings by name."""
    out = io.StringIO()
    try:
        call_command("doctor", "--json", *options, stdout=out)
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    told = json.loads(out.getvalue())
    assert told["ok"] == (code == 0)
    found: dict[str, list[dict[str, str]]] = {}
    for each in told["findings"]:
        found.setdefault(each["name"], []).append(each)
    return code == 0, found


def failed(name: str) -> dict[str, str]:
    """Return the finding that failed; it says what to do, and nothing else failed."""
    is_well, found = run()
    assert not is_well
    wrong = [each for some in found.values() for each in some]
    wrong = [each for each in wrong if each["state"] == "failed"]
    assert [each["name"] for each in wrong] == [name]
    assert wrong[0]["remedy"]
    return wrong[0]


class TestAllIsWell:
    def test_it_ends_with_0_and_has_looked_at_everything(self) -> None:
        is_well, found = run()
        assert is_well, found
        looked_at = {
            name
            for name, each in found.items()
            if each[0]["state"] in ("ok", "warning")
        }
        assert {
            *("database", "migrations", "secrets", "clock skew", "processes"),
            *("shared directory", "directory", "settings"),
        } == looked_at
        rest = {"CONSOLE_URL", "PUBLIC_URL", "mail", "store"}
        assert {name for name in found if name not in looked_at} == rest

    def test_people_read_a_line_for_each(self) -> None:
        out = io.StringIO()
        call_command("doctor", stdout=out)
        lines = out.getvalue().splitlines()
        assert any(line.startswith("ok ") and "database" in line for line in lines)
        assert any(line.startswith("not looked at  mail") for line in lines)


class TestDatabase:
    def test_one_that_is_away_is_told_and_the_rest_is_looked_at(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away() -> None:
            raise OperationalError("secret-host refused")

        monkeypatch.setattr(doctor.connection, "ensure_connection", away)
        monkeypatch.setattr(doctor.checks, "run_checks", lambda **_: [])
        found = {each.name: each for each in doctor.examine()}
        assert found["database"].state == "failed"
        assert "secret-host" not in found["database"].text
        assert found["directory"].state == "ok"
        assert "secrets" not in found

    def test_one_that_is_too_old_is_told_as_that(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        features = connection.features
        monkeypatch.setattr(features, "minimum_database_version", (99, 1))
        monkeypatch.setattr(
            doctor.connection,
            "ensure_connection",
            connection.check_database_version_supported,
        )
        (found,) = doctor.database()
        assert found.state == "failed"
        assert "99.1" in found.text
        assert "cannot be reached" not in found.text

    @pytest.mark.postgres
    def test_tables_of_another_user_are_told_and_the_rest_is_looked_at(self) -> None:
        """As where the back-up was restored by the administrator of the server."""
        with connection.cursor() as cursor:
            cursor.execute("CREATE ROLE doctors_patient")
            cursor.execute("SET LOCAL ROLE doctors_patient")
        found = {each.name: each for each in doctor.examine()}
        assert found["migrations"].state == "failed"
        assert "permission denied" in found["migrations"].text
        assert found["directory"].state == "ok"

    def test_a_migration_that_is_pending_is_named(self) -> None:
        [(app, newest)] = MigrationLoader(connection).graph.leaf_nodes("writes")
        MigrationRecorder(connection).record_unapplied(app, newest)
        assert f"{app}.{newest}" in failed("migrations")["text"]

    @pytest.mark.parametrize("seconds", [30, -30])
    def test_a_clock_that_goes_wrong(
        self, seconds: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = db_clock.now
        monkeypatch.setattr(
            doctor.db_clock, "now", lambda: real() + timedelta(seconds=seconds)
        )
        (found,) = doctor.skew()
        assert found.state == "failed"
        # How far, but for what passed while it was asked.
        told = float(found.text.split(" is ")[1].split(" s ")[0])
        assert (told > 0) == (seconds > 0)

    def test_a_clock_that_goes_right(self) -> None:
        (found,) = doctor.skew()
        assert found.state == "ok"


class TestSecrets:
    def test_a_key_that_no_field_key_opens(
        self, project: Project, settings: Any
    ) -> None:
        (name,) = [str(key) for key in project.api_keys.defer("value")]
        settings.FIELD_KEYS = [Fernet.generate_key().decode()]
        assert name in failed("secrets")["text"]

    def test_a_second_factor_that_no_field_key_opens(
        self, db: None, settings: Any
    ) -> None:
        eve = make_user("eve", Role.VIEWER)
        TOTP.activate(eve, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
        RecoveryCodes.activate(eve)
        (told,) = run()[1]["secrets"]
        assert numbers(told["text"]) == [2]
        old, new = settings.FIELD_KEYS, [Fernet.generate_key().decode()]
        settings.FIELD_KEYS = new
        assert failed("secrets")["text"].count(" of eve") == 2
        settings.FIELD_KEYS = new + old
        assert run()[0]

    def test_keys_are_read_and_never_told(self, project: Project) -> None:
        _, found = run()
        assert "SANDBOX-KEY" not in json.dumps(found)


class TestProcesses:
    def test_a_worker_that_does_not_run(self) -> None:
        Heartbeat.objects.filter(queue="files").delete()
        assert "files" in failed("processes")["text"]

    def test_without_a_clock(self) -> None:
        Heartbeat.objects.filter(queue="").delete()
        failed("processes")
        _, found = run()
        assert found["shared directory"][0]["state"] == "not looked at"

    def test_another_engine_is_not_judged(self, settings: Any) -> None:
        backend = "django.tasks.backends.dummy.DummyBackend"
        settings.TASKS = {"default": {"BACKEND": backend, "QUEUES": QUEUES}}
        is_well, found = run()
        assert is_well
        assert "not looked at" in [each["state"] for each in found["processes"]]


class TestDirectory:
    def test_one_that_cannot_be_written(self, settings: Any, tmp_path: Path) -> None:
        settings.DATA_DIR = tmp_path / "not-there"
        _, found = run()
        assert found["directory"][0]["state"] == "failed"

    def test_one_with_too_little_room(self, settings: Any) -> None:
        settings.KEEP_FREE_MIB = 2**40
        assert "KEEP_FREE_MIB" in failed("directory")["remedy"]

    def test_a_machine_with_another_one(self) -> None:
        Pulse.objects.update(number=100_000)
        pulse.beat(db_clock.now())
        for queue in ("", "sending", "watching"):
            beat(queue)
        beat("files", seen=1)
        text = failed("shared directory")["text"]
        assert "process files" in text
        assert "process sending" not in text
        assert "this machine" not in text

    def test_this_machine_has_another_one(self, settings: Any, tmp_path: Path) -> None:
        Pulse.objects.update(number=100_000)
        for queue in ("", *QUEUES):
            beat(queue, seen=100_000)
        assert "this machine" in failed("shared directory")["text"]


class Answers(BaseHTTPRequestHandler):
    """What stands at the address of the console."""

    status = 404
    sent: dict[str, str] = {}  # noqa: RUF012 - set by each test

    def do_GET(self) -> None:
        self.send_response(self.status)
        for name, value in self.sent.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of this console, where `Answers` answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.CONSOLE_URL = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(Answers, "status", 404)
    monkeypatch.setattr(Answers, "sent", {"X-Request-ID": "abc"})
    yield settings.CONSOLE_URL
    server.shutdown()
    server.server_close()


class TestAddress:
    def test_a_console_answers(self, address: str) -> None:
        is_well, found = run()
        assert is_well
        assert found["CONSOLE_URL"][0]["state"] == "ok"

    def test_something_else_answers(self, address: str) -> None:
        Answers.sent = {}
        assert "404" in failed("CONSOLE_URL")["text"]

    def test_a_proxy_whose_header_is_not_trusted_leads_round_in_a_circle(
        self, address: str
    ) -> None:
        Answers.status = 301
        Answers.sent = {"Location": f"{address}/login/"}
        assert "TRUST_PROXY" in failed("CONSOLE_URL")["remedy"]

    def test_what_answers_speaks_no_http(self, settings: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:

            def answer() -> None:
                client, _ = server.accept()
                with client:
                    client.recv(4096)
                    client.sendall(b"SSH-2.0-hush\r\n")

            threading.Thread(target=answer, daemon=True).start()
            settings.CONSOLE_URL = f"http://127.0.0.1:{server.getsockname()[1]}"
            text = failed("CONSOLE_URL")["text"]
        assert "no HTTP" in text
        assert "hush" not in text

    def test_nothing_answers(self, address: str, settings: Any) -> None:
        settings.CONSOLE_URL = "http://127.0.0.1:1"
        failed("CONSOLE_URL")


class TestMail:
    class Server:
        problem: Exception | None = None

        def open(self) -> None:
            if self.problem:
                raise self.problem

        def close(self) -> None:
            pass

    @pytest.mark.parametrize(
        "problem",
        [
            smtplib.SMTPAuthenticationError(535, b"wrong password: hunter2"),
            OSError("refused"),
        ],
    )
    def test_a_server_that_lets_nobody_in(
        self, problem: Exception, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.SENDS_MAIL = True
        server = self.Server()
        monkeypatch.setattr(doctor, "mailers", {"default": server})
        (found,) = doctor.mail()
        assert found.state == "ok"
        server.problem = problem
        assert "hunter2" not in failed("mail")["text"]


class TestStore:
    def test_one_that_cannot_be_used(
        self, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.S3_BUCKET = "files"

        class Store:
            def put(self, path: Path, name: str) -> None:
                raise StoreError("The store did not store the file: it answered 403.")

        monkeypatch.setattr(command, "s3_store", Store)
        assert "403" in failed("store")["text"]

    def test_what_was_put_is_fetched_and_deleted(
        self, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.S3_BUCKET = "files"
        kept: dict[str, bytes] = {}

        class Store:
            def put(self, path: Path, name: str) -> None:
                kept[name] = path.read_bytes()

            def signed_get(self, name: str, seconds: int) -> str:
                return name

            def delete(self, name: str) -> None:
                del kept[name]

        monkeypatch.setattr(command, "s3_store", Store)
        monkeypatch.setattr(command, "_fetch", lambda name: kept[name])
        assert run()[0]
        assert kept == {}
        monkeypatch.setattr(command, "_fetch", lambda name: b"the page of a proxy")
        failed("store")
        assert kept == {}


class TestSettings:
    def test_what_check_says_is_part_of_it(self, settings: Any) -> None:
        settings.PUBLIC_URL = ""
        settings.PROXY_COUNT = 2
        is_well, found = run()
        # A warning alone ends with 0.
        assert is_well
        assert any("console.W010" in each["text"] for each in found["settings"])
