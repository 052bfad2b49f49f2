"""Whatever the umask: customers' data is for one user, static files are for all."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from console import private_files

ROOT = Path(__file__).resolve().parents[2]
UMASKS = [0o000, 0o077]

# A file is uploaded, checked, sent and joined, its failed rows are drafted, and the
# clock notes its pulse; the database's companions stay while it is open.
WORK = """
import os, sys
os.umask(int(sys.argv[1]))
import django
django.setup()
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import connection
from django.utils import timezone
from tests.migrated import fill
connection.ensure_connection()
fill(connection.connection)
from console.access.roles import Role
from console.health import pulse
from tests.conftest import actor, make_project, make_user, sandboxed
from tests.writes.making import confirm, make_draft, work_off
from writes.actions.derive import retry_failed
olga = make_user("olga", Role.OPERATOR)
integration = make_project().integrations.get()
pulse.beat(timezone.now())
upload = TemporaryUploadedFile("a.csv", "text/csv", 1, None)
with sandboxed():
    data = b"external_id__c,LastName\\r\\nk-1,A\\r\\nk-2,\\r\\n"
    write = make_draft(integration, olga, csv=data, primary_key="external_id__c")
    confirm(write, olga)
    work_off()
    write.refresh_from_db()
    retry_failed(write, actor(olga))
data = os.environ["DATA_DIR"]
for folder, _, names in os.walk(data):
    print(f"{os.stat(folder).st_mode & 0o777:o} {os.path.relpath(folder, data)}/")
    for name in names:
        path = os.path.join(folder, name)
        print(f"{os.stat(path).st_mode & 0o777:o} {os.path.relpath(path, data)}")
"""

COLLECT = """
import os, sys
os.umask(int(sys.argv[1]))
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
settings.STATIC_ROOT = sys.argv[2]
call_command("collectstatic", interactive=False, verbosity=0)
"""


def run(code: str, data: Path, *args: object) -> str:
    """Run code as a process with the real settings; return what it prints."""
    ended = subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        env=os.environ
        | {
            "DATA_DIR": str(data),
            "DATABASE_URL": "",
            "DJANGO_SETTINGS_MODULE": "console.settings",
            "LOG_LEVEL": "ERROR",
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def mode(path: Path) -> int:
    """Return the rights to a file."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.sqlite
@pytest.mark.parametrize("umask", UMASKS)
def test_all_data_is_for_one_user(umask: int, tmp_path: Path) -> None:
    told = run(WORK, tmp_path / "above" / "data", umask)
    rights = dict(reversed(line.split(" ", 1)) for line in told.splitlines())
    folders = {name for name in rights if name.endswith("/")}
    assert {rights[name] for name in folders} == {"700"}
    assert {rights[name] for name in rights.keys() - folders} == {"600"}
    kinds = {".".join(Path(name).name.split(".")[1:]) for name in rights}
    assert {"as-read.csv", "findings.csv", "rows.sqlite3"} <= kinds
    assert {"console.sqlite3", "console.sqlite3-wal", "pulse"} <= rights.keys()
    assert any(name.startswith("uploads/") and name != "uploads/" for name in rights)


@pytest.mark.parametrize("umask", UMASKS)
def test_the_state_of_the_sandbox_is_for_one_user(umask: int, tmp_path: Path) -> None:
    state = tmp_path / "sandbox.sqlite3"
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", "0", "--state", str(state)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        umask=umask,
    ) as process:
        assert process.stdout
        assert process.stdout.readline().startswith(b"Sandbox ready")
        rights = {path.name: mode(path) for path in tmp_path.glob("sandbox*")}
        process.terminate()
    assert set(rights.values()) == {0o600}
    assert "sandbox.sqlite3-wal" in rights


@pytest.mark.parametrize("umask", UMASKS)
def test_static_files_are_for_all_users(umask: int, tmp_path: Path) -> None:
    root = tmp_path / "static"
    for _ in range(2):
        run(COLLECT, tmp_path / "data", umask, root)
        paths = [root, *root.rglob("*")]
        assert {mode(path) for path in paths if path.is_dir()} == {0o755}
        assert {mode(path) for path in paths if path.is_file()} == {0o644}
        assert any(path.suffix == ".gz" for path in paths)
        # Collected by an earlier version: they are not collected anew.
        for path in paths:
            path.chmod(0o700 if path.is_dir() else 0o600)


def test_what_earlier_versions_left_open_is_closed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "files").mkdir(parents=True)
    names = ["pulse", "console.sqlite3", "console.sqlite3-wal", "sandbox.sqlite3"]
    for name in names:
        (data / name).touch()
    for path in (data, *data.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    private_files.prepare(data)
    assert {mode(data / name) for name in names} == {0o600}
    assert {mode(path) for path in (data, data / "files", data / "uploads")} == {0o700}


def test_a_directory_that_others_use_too_is_left_as_it_is(tmp_path: Path) -> None:
    data = tmp_path / "srv"
    (data / "website").mkdir(parents=True)
    for path in (data, data / "website"):
        path.chmod(0o755)
    private_files.prepare(data)
    assert (mode(data), mode(data / "website")) == (0o755, 0o755)
    assert mode(data / "files") == 0o700
