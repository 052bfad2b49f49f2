"""Other users of the machine read no customers' data, however a process was started."""

import os
import re
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from console import private_files
from console.checks import private_data
from tests.security.server import ROOT, hidden, serving

pytestmark = pytest.mark.sqlite

FILE = ("a.csv", b"id,LastName\n1,Berg\n")


def rights_of_others(folder: Path) -> dict[str, str]:
    """Return what others may do with anything below a directory, and itself."""
    modes = {}
    for path in [folder, *folder.rglob("*")]:
        # The server goes on beside the test, and removes what it uploaded.
        with suppress(FileNotFoundError):
            modes[str(path.relative_to(folder))] = path.stat().st_mode
    return {name: f"{mode & 0o777:o}" for name, mode in modes.items() if mode & 0o077}


def umask_of(pid: int) -> str:
    """Return the umask of a process, and of each that it started."""
    status = Path(f"/proc/{pid}/status").read_text()
    return re.findall(r"^Umask:\s+(\d+)", status, re.MULTILINE)[0]


def test_the_web_server_keeps_all_it_makes_for_itself(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(0o777)
    with serving(data) as server, closing(server.signed_in()) as browser:
        page = browser.get("/writes/csv/").text
        form = {"csrfmiddlewaretoken": hidden(page), "token": hidden(page, "token")}
        answer = browser.post("/writes/csv/", data=form, files={"file": FILE})
        assert answer.status_code == 422
        pids = [server.process.pid]
        for child in (
            Path(f"/proc/{pids[0]}/task/{pids[0]}/children").read_text().split()
        ):
            pids.append(int(child))
        assert len(pids) > 2
        assert {umask_of(pid) for pid in pids} == {"0077"}
        # The log of this test is none of the console's.
        assert rights_of_others(data).keys() <= {".", "log"}
        for name in ("files", "uploads", "console.sqlite3", "console.sqlite3-wal"):
            assert (data / name).exists()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o027])
@pytest.mark.parametrize("command", ["shell", "check", "clock"])
def test_every_command_has_the_umask(umask: int, command: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    code = (
        "import os, sys; from django.core.management import execute_from_command_line;"
        f"execute_from_command_line(['manage.py', {command!r}, '--help'"
        "])"
        if command != "shell"
        else "import django; django.setup()"
    )
    look = (
        "import atexit, os; atexit.register(lambda: print('umask', oct(os.umask(0))));"
    )
    ended = subprocess.run(
        [sys.executable, "-c", look + code],
        cwd=ROOT,
        env={
            **os.environ,
            "DATA_DIR": str(data),
            "DATABASE_URL": "",
            "DJANGO_SETTINGS_MODULE": "console.settings",
        },
        capture_output=True,
        text=True,
        umask=umask,
    )
    assert ended.returncode == 0, ended.stderr
    assert "umask 0o77" in ended.stdout
    assert rights_of_others(data) == {}


@pytest.fixture
def data(settings: Any, tmp_path: Path) -> Path:
    """A DATA_DIR as the console makes it."""
    settings.DATA_DIR = tmp_path / "data"
    settings.BASE_DIR = tmp_path
    private_files.prepare(settings.DATA_DIR)
    return settings.DATA_DIR


def test_what_is_private_is_not_warned_of(data: Path) -> None:
    assert private_data(None) == []


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o755, 0o1777, 0o770])
@pytest.mark.parametrize("name", [".", "files", "uploads"])
def test_a_directory_that_is_open_is_warned_of(
    name: str, mode: int, data: Path
) -> None:
    (data / name).chmod(mode)
    (warning,) = private_data(None)
    assert warning.id == "console.W003"
    assert str(data / name) in warning.msg


@pytest.mark.parametrize("name", ["pulse", "console.sqlite3", "../.env"])
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o602, 0o666])
def test_a_file_that_is_open_is_warned_of(name: str, mode: int, data: Path) -> None:
    (data / name).touch()
    (data / name).chmod(mode)
    (warning,) = private_data(None)
    assert warning.id == "console.W003"


def test_a_database_elsewhere_is_looked_at_too(
    data: Path, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(tmp_path / "elsewhere.sqlite3")
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": name}
    monkeypatch.setitem(settings.DATABASES, "default", database)
    assert private_data(None) == []
    (tmp_path / "elsewhere.sqlite3-wal").touch(0o644)
    (tmp_path / "elsewhere.sqlite3-wal").chmod(0o644)
    (warning,) = private_data(None)
    assert "elsewhere.sqlite3-wal" in warning.msg
