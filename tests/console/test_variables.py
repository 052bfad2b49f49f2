"""Every variable: a bad value ends the process with one line that names it."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from environ import FileAwareMapping  # type: ignore[import-untyped]

from console.variables import EXIT_CODE, SECRETS, Variables
from tests.test_configuration import read_in_code

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ROOT / "console" / "settings.py"

NO_FLAG = ["maybe", "2", "tru", "None"]
NO_NUMBER = ["-1", "1.5", "x", "٣", "1e3", "10000000000000", "0x10"]
NO_ADDRESS = ["console", "ftp://a.example", "https://", "https://[", "http://a:b"]
NO_HOSTS = ["https://a.example", "*", ".a.example", "a.example:0", "a:99999", "a/b"]
# Of each variable, values that are wrong, and values that are right.
TABLE: dict[str, tuple[list[str], list[str]]] = {
    "SECRET_KEY": ([""], ["s" * 50, "with spaces $ and = signs" * 2]),
    "FIELD_KEYS": (
        ["", ",", "hush-secret", "ü" * 44, "A" * 44 + "=,"],
        ["A3nKxG4dpVQyIvUk4DgbmsAzXBiTaQZbkdcHBvnTzDY= , "],
    ),
    "AUDIT_KEYS": (
        ["hush-secret", "ü" * 44, "A" * 44 + "=,"],
        ["", ",", "A3nKxG4dpVQyIvUk4DgbmsAzXBiTaQZbkdcHBvnTzDY= , "],
    ),
    "DEBUG": (NO_FLAG, ["true", "FALSE", ""]),
    "ALLOWED_HOSTS": (
        ["https://a.example", "a.example:8000", "a b", "a.example/x"],
        ["a.example, .b.example", "*", "[::1]", "my_service"],
    ),
    "CSRF_TRUSTED_ORIGINS": (
        ["a.example", "https://a.example/path", "ftp://a.example"],
        ["https://a.example:8443,https://*.b.example", ""],
    ),
    "HTTPS_ONLY": (NO_FLAG, ["off", "yes", "1", ""]),
    "TRUST_PROXY": (NO_FLAG, ["on", "0"]),
    "DATABASE_URL": (
        [
            "garbage",
            "mysql://u:hush@h/n",
            "postgres://u:hush@h",
            "postgres://u:hush@h:port/n",
            "postgres://u:hush@h/n?no_option=1",
            "sqlite:////there/is/nothing/here.sqlite3",
            "sqlite:///",
        ],
        [
            "postgres://u:p%40@h:5432/n?sslmode=require",
            "postgresql:///n",
            "sqlite:////tmp/x.sqlite3",
            "",
        ],
    ),
    "DATA_DIR": (["/proc/nothing", "/dev/null", "/dev/null/below"], []),
    "TIME_ZONE": (["Mars/Base", "../etc", "UTC\t"], ["Europe/Berlin", ""]),
    "LOG_LEVEL": (["loud", "INFO,", "10"], ["info", "Warning", "DEBUG", ""]),
    "LOG_FORMAT": (["xml", "json,text", "1"], ["json", "TEXT", ""]),
    "METRICS_TOKEN": (
        ["hush", "hush-hush-hush-", "hush hush hush hush"],
        ["m" * 16, ""],
    ),
    "SENTRY_DSN": (
        [*NO_ADDRESS, "https://hush@h", "https://h.example/1", "https://hush@h/a"],
        ["https://key@sentry.example.com/1", "http://key@127.0.0.1:9000/a/7", ""],
    ),
    "SESSION_HOURS": ([*NO_NUMBER, "0", "8761"], ["1", "8760", ""]),
    "SESSION_IDLE_MINUTES": ([*NO_NUMBER, "0", "525601"], ["1", "525600"]),
    "SECOND_FACTOR_FOR": (["admins", "admin production"], ["Admin, production", ""]),
    "IDENTITY_CHECK_FOR": (["key", "keys roles"], ["keys,roles,freeze,Production", ""]),
    "IDENTITY_CHECK_MINUTES": ([*NO_NUMBER, "0", "1441"], ["1", "1440"]),
    "OIDC_ISSUER": (
        ["http://login.example.com", "login.example.com", "ftp://a.example"],
        # With one, its client must be set, too.
        [""],
    ),
    "OIDC_CLIENT_ID": (["a\x00b"], ["console", ""]),
    "OIDC_CLIENT_SECRET": (["hush\x00"], ["hush-hush", ""]),
    "OIDC_NAME": (["a\x00b"], ["Staff login", ""]),
    "OIDC_SCOPES": (["a\x00b"], ["openid,groups", ""]),
    "OIDC_GROUPS_CLAIM": (["a\x00b"], ["roles", ""]),
    "OIDC_GROUPS": (
        ["crm", "crm=boss", "crm=admin@prod", "=admin"],
        ["crm=admin, CN=Ops;OU=x = operator@test", ""],
    ),
    "OIDC_HAS_SECOND_FACTOR": (NO_FLAG, ["true", ""]),
    "PROXY_COUNT": ([*NO_NUMBER, "0", "11"], ["1", "10"]),
    "MACHINES": ([*NO_NUMBER, "0", "10001"], ["1", "3"]),
    "SEND_TIMEOUT": ([*NO_NUMBER, "0", "3601"], ["1", "3600"]),
    "REPEAT_DAYS": ([*NO_NUMBER, "3651"], ["0", "3650"]),
    "UNKNOWN_ALERT_MINUTES": ([*NO_NUMBER, "525601"], ["0", "525600"]),
    "API_PER_MINUTE": ([*NO_NUMBER, "0", "100001"], ["1", "100000"]),
    "DRAFTS_MIB": ([*NO_NUMBER, "0", "1000001"], ["1", "1000000"]),
    "KEEP_FREE_MIB": ([*NO_NUMBER, "1000001"], ["0", "1000000"]),
    "EMAIL_URL": (
        ["hush.example", "https://u:hush@h", "smtp://u:hush@h/x", "smtp://h:hush"],
        ["smtp+tls://u:p%40@h:587", "smtp://h", ""],
    ),
    "EMAIL_FROM": (["a\nb"], ["console@example.com", ""]),
    "CONSOLE_URL": (NO_ADDRESS, ["https://a.example", ""]),
    "PUBLIC_URL": (NO_ADDRESS, ["https://a.example", ""]),
    "API_HOSTS": (NO_HOSTS, ["gw.example, b.example:8443", "[::1]:8900", ""]),
    "UPLOAD_HOSTS": (NO_HOSTS, ["storage.example.com", ""]),
    "PRIVATE_HOSTS": (NO_HOSTS, ["127.0.0.1:8900", ""]),
    "S3_ENDPOINT": (NO_ADDRESS, ["http://127.0.0.1:9000", ""]),
    "S3_BUCKET": (["set-alone"], [""]),
    "S3_REGION": (["eu\neast"], [""]),
    "S3_ACCESS_KEY": (["hush\nhush"], ["a"]),
    "S3_SECRET_KEY": (["hush\x00hush", "hush\u200b"], ["a"]),
    "S3_PREFIX": (["a\nb"], ["a/b"]),
    "KEEP_DAYS_SANDBOX": ([*NO_NUMBER, "0", "36501"], ["1", "36500"]),
    "KEEP_DAYS_TEST": ([*NO_NUMBER, "0", "36501"], ["1", "36500"]),
    "KEEP_DAYS_PRODUCTION": ([*NO_NUMBER, "0", "36501"], ["1", "36500"]),
    "KEEP_LOGS_DAYS_SANDBOX": ([*NO_NUMBER, "36501"], ["0", "36500"]),
    "KEEP_LOGS_DAYS_TEST": ([*NO_NUMBER, "36501"], ["0", "36500"]),
    "KEEP_LOGS_DAYS_PRODUCTION": ([*NO_NUMBER, "36501"], ["0", "36500"]),
    "LOG_DAYS_AT_AMPERSAND": ([*NO_NUMBER, "0", "3651"], ["1", "3650"]),
    "TASKS_BACKEND": (["a\nb"], ["django_tasks_db.DatabaseBackend"]),
}
# What `manage.py run` reads, as it reads it.
OF_RUN: dict[str, tuple[list[str], list[str]]] = {
    "PORT": ([*NO_NUMBER, "0", "65536"], ["1", "65535"]),
    "SANDBOX_PORT": ([*NO_NUMBER, "0", "65536"], ["8900"]),
    "DEMO_PASSWORD": (["hush\nhush"], ["pass word", ""]),
}
WRONG = [(name, value) for name, (bad, _) in TABLE.items() for value in bad]
RIGHT = [(name, value) for name, (_, good) in TABLE.items() for value in good]


def test_the_table_has_every_variable() -> None:
    assert TABLE.keys() | OF_RUN.keys() == read_in_code()


def load() -> dict[str, Any]:
    """Read the settings as a process does that starts."""
    return runpy.run_path(str(SETTINGS))


def need_one_line(said: str, name: str, value: str) -> None:
    """Need one line that names the variable, and its value unless that is a secret."""
    assert said.count("\n") == 1, said
    assert said.endswith("\n")
    assert name in said
    assert "Traceback" not in said
    if name in SECRETS:
        assert "hush" not in said
    elif value.isprintable() and value:
        assert value[:20].split(",")[0] in said


def put(patch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str) -> None:
    """Set a variable, by a file where the environment takes no such value."""
    if "\0" in value:
        path = tmp_path / "value"
        path.write_text(value)
        patch.setenv(f"{name}_FILE", str(path))
    else:
        patch.setenv(name, value)


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_refused_in_one_line(
    name: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    put(monkeypatch, tmp_path, name, value)
    with pytest.raises(SystemExit) as ended:
        load()
    assert ended.value.code == EXIT_CODE
    said = capsys.readouterr().err
    if name == "S3_BUCKET":
        # The bucket alone is right; what it needs is missing.
        assert "S3_ENDPOINT" in said
        value = ""
    need_one_line(said, name, value)


@pytest.mark.parametrize(("name", "value"), RIGHT)
def test_a_right_value_is_taken(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put(monkeypatch, tmp_path, name, value)
    load()


def test_what_is_taken_means_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("LOG_LEVEL", "warning"),
        ("HTTPS_ONLY", "No"),
        ("KEEP_DAYS_TEST", "7"),
        ("SESSION_HOURS", ""),
        ("ALLOWED_HOSTS", "a.example, b.example"),
    ):
        monkeypatch.setenv(name, value)
    found = load()
    assert found["LOG_LEVEL"] == found["LOGGING"]["root"]["level"] == "WARNING"
    assert found["HTTPS_ONLY"] is False
    assert found["KEEP_DAYS"]["test"] == 7
    assert found["SESSION_HOURS"] == 12
    assert found["ALLOWED_HOSTS"] == ["a.example", "b.example"]


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, (bad, _) in OF_RUN.items() for value in bad],
)
def test_run_refuses_a_wrong_value_in_one_line(
    name: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        call_command("run")
    need_one_line(capsys.readouterr().err, name, value)


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_a_line_end_after_a_secret_in_a_file_is_no_part_of_it(
    end: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "secret"
    path.write_text("s" * 50 + end, newline="")
    monkeypatch.setenv("SECRET_KEY_FILE", str(path))
    assert load()["SECRET_KEY"] == "s" * 50


@pytest.mark.parametrize(
    "content", [b"hush\nhush\n", b"\xef\xbb\xbfhush", b"\xff", None]
)
def test_a_file_that_is_no_line_of_text_is_refused(
    content: bytes | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("S3_SECRET_KEY_FILE", str(path))
    with pytest.raises(SystemExit):
        load()
    need_one_line(capsys.readouterr().err, "S3_SECRET_KEY", "hush")


class TestDotEnv:
    """`.env` beside manage.py: what it says counts, or nothing is started."""

    @pytest.fixture(autouse=True)
    def _own_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        mapping = FileAwareMapping(env={}, cache=False)
        monkeypatch.setattr(Variables, "ENVIRON", mapping)

    def read(self, tmp_path: Path, content: bytes) -> Variables:
        """Read a file as the settings do."""
        path = tmp_path / ".env"
        path.write_bytes(content)
        env = Variables()
        env.escape_proxy = True
        env.read_env(path)
        return env

    @pytest.mark.parametrize(
        "line",
        [
            b"SECOND_FACTOR_FOR = hush",
            b"  SECOND_FACTOR_FOR=hush",
            b"SECOND_FACTOR_FOR: hush",
            b"SECOND_FACTOR_FOR=hush\0",
            b"OIDC_NAME=caf\xe9 hush",
        ],
    )
    def test_a_line_that_cannot_be_understood_is_refused_and_not_shown(
        self, line: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            self.read(tmp_path, b"DEBUG=no\n" + line + b"\n")
        assert ended.value.code == EXIT_CODE
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert str(tmp_path / ".env") in said
        assert "hush" not in said

    def test_remarks_empty_lines_and_any_line_end_are_taken(
        self, tmp_path: Path
    ) -> None:
        env = self.read(tmp_path, b"# one\r\n\r\n  # two\r\n  \r\nREPEAT_DAYS=3\r\n")
        assert env.number("REPEAT_DAYS", default=7, least=0, most=10) == 3

    def test_a_mark_at_its_begin_is_no_part_of_the_first_name(
        self, tmp_path: Path
    ) -> None:
        env = self.read(tmp_path, b"\xef\xbb\xbfREPEAT_DAYS=3\n")
        assert env.number("REPEAT_DAYS", default=7, least=0, most=10) == 3

    def test_none_is_no_mistake(self, tmp_path: Path) -> None:
        Variables().read_env(tmp_path / ".env")

    def test_one_that_is_a_directory_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SystemExit):
            Variables().read_env(tmp_path)


@pytest.mark.parametrize("value", ["$NO_SUCH_VARIABLE", "${HOME}", "$DATABASE_URL"])
def test_a_value_that_stands_for_no_variable_is_not_taken_for_none(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The default, an SQLite file of its own, would be another database."""
    monkeypatch.setenv("DATABASE_URL", value)
    with pytest.raises(SystemExit) as ended:
        load()
    assert ended.value.code == EXIT_CODE
    said = capsys.readouterr().err
    need_one_line(said, "DATABASE_URL", value)
    assert "dollar" in said


def test_a_value_may_stand_for_another_variable_or_begin_with_a_dollar_sign(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOKEN_OF_OURS", "m" * 16)
    monkeypatch.setenv("METRICS_TOKEN", "$TOKEN_OF_OURS")
    assert load()["METRICS_TOKEN"] == "m" * 16
    monkeypatch.setenv("METRICS_TOKEN", "\\$" + "m" * 16)
    assert load()["METRICS_TOKEN"] == "$" + "m" * 16


COMMANDS = {
    "check": ["manage.py", "check"],
    "clock": ["manage.py", "clock"],
    "worker": ["manage.py", "worker", "--queue", "files"],
    "gunicorn": ["-m", "gunicorn", "--config", "python:console.web.config"],
}


@pytest.mark.parametrize("process", COMMANDS)
def test_every_process_ends_with_one_line_of_ours(process: str) -> None:
    ended = subprocess.run(
        [sys.executable, *COMMANDS[process]],
        env=os.environ
        | {"FIELD_KEYS": "hush", "DJANGO_SETTINGS_MODULE": ""}
        | {"DJANGO_SETTINGS_MODULE": "console.settings"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == EXIT_CODE
    ours = [line for line in ended.stderr.splitlines() if "FIELD_KEYS" in line]
    assert len(ours) == 1
    assert "Traceback" not in ended.stderr
    assert "hush" not in ended.stderr
    if process != "gunicorn":
        assert ended.stderr.count("\n") == 1


def test_a_backend_that_is_not_there_is_refused_in_one_line() -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env=os.environ
        | {
            "TASKS_BACKEND": "no.such.Backend",
            "DJANGO_SETTINGS_MODULE": "console.settings",
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == EXIT_CODE
    need_one_line(ended.stderr, "TASKS_BACKEND", "no.such.Backend")


def test_a_database_that_is_away_is_told_in_one_line() -> None:
    address = "postgres://u:hush@127.0.0.1:1/n?connect_timeout=2"
    ended = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        env=os.environ
        | {"DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "console.settings"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    need_one_line(ended.stderr, "DATABASE_URL", address)
