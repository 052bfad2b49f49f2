"""A back-up is made while the console runs, and proven by restoring it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from console.models import AuditEvent, Project
from tests.machines.installation import ROOT, Installation
from tests.machines.people import creates, file_in_parts
from tests.writes.making import confirm
from writes.models import Write

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


def backup(
    installation: Installation, *arguments: str, root: Path = ROOT
) -> tuple[int, str]:
    """Run `manage.py backup …`; return how it ended, and what it said."""
    done = subprocess.run(
        [sys.executable, "manage.py", "backup", *arguments],
        cwd=root,
        env=installation.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def made(
    installation: Installation,
    project: Project,
    olga: User,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A back-up with a write of a file and a record."""
    confirm(file_in_parts(project, olga), olga)
    creates(project, olga, 1)
    parent = tmp_path_factory.mktemp("backups")
    code, told = backup(installation, "make", str(parent), "--by", "Ada")
    assert code == 0, told
    (folder,) = parent.iterdir()
    return folder


def test_it_is_whole_and_proven(installation: Installation, made: Path) -> None:
    manifest = json.loads((made / "backup.json").read_text())
    assert manifest["rows"]["writes_write"] == Write.objects.count() == 2
    names = {name for name in manifest["files"] if name.startswith("data/files/")}
    assert names
    assert "data/pulse" not in manifest["files"]
    assert not (made.stat().st_mode | (made / "database").stat().st_mode) & 0o077
    assert AuditEvent.objects.get(action="backup.made").actor_name == "Ada"
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*")}
    code, told = backup(installation, "verify", str(made))
    assert code == 0, told
    assert before == {path: path.stat().st_mtime_ns for path in made.rglob("*")}


def test_what_was_changed_or_lost_is_told(
    installation: Installation, made: Path
) -> None:
    whole = (made / "backup.json").read_text()
    manifest = json.loads(whole)
    name = next(n for n in manifest["files"] if n.startswith("data/files/"))
    content = (made / name).read_bytes()

    (made / name).write_bytes(b"x")
    code, told = backup(installation, "verify", str(made))
    assert (code, name in told) == (1, True)

    # A row names it, and nothing else does.
    (made / name).unlink()
    del manifest["files"][name]
    (made / "backup.json").write_text(json.dumps(manifest))
    code, told = backup(installation, "verify", str(made))
    assert (code, Path(name).name in told) == (1, True), told

    (made / name).write_bytes(content)
    manifest = json.loads(whole)
    manifest["rows"]["writes_write"] += 1
    (made / "backup.json").write_text(json.dumps(manifest))
    code, told = backup(installation, "verify", str(made))
    assert (code, "writes_write" in told) == (1, True), told

    (made / "backup.json").unlink()
    assert backup(installation, "verify", str(made))[0] == 1


def test_the_scratch_database_is_examined_wherever_the_settings_stand(
    installation: Installation, made: Path, tmp_path: Path
) -> None:
    # The settings are read from beside the code: a place of its own for both.
    root = tmp_path / "release"
    root.mkdir()
    shutil.copy2(ROOT / "manage.py", root)
    for name in ("ampersand", "console", "files", "operations", "writes"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copytree(ROOT / "templates", root / "templates")
    url = tmp_path / "database-url"
    url.write_text(installation.database_url)
    (root / ".env").write_text(f"DATABASE_URL_FILE={url}\n")
    code, told = backup(installation, "verify", str(made), root=root)
    assert code == 0, told


def test_what_cannot_be_made_leaves_nothing(
    installation: Installation, tmp_path: Path
) -> None:
    inside = installation.data / "files" / "backups"
    code, told = backup(installation, "make", str(inside))
    assert (code, "which is what is copied" in told, inside.exists()) == (1, True, 0)
    (tmp_path / "taken").write_text("")
    code, told = backup(installation, "make", str(tmp_path / "taken"))
    assert (code, "Traceback" in told) == (1, False)
    installation.variables["PATH"] = "/nowhere"
    parent = tmp_path / "backups"
    code, told = backup(installation, "make", str(parent))
    is_postgres = installation.database_url.startswith("postgres")
    assert code == is_postgres, told
    assert len(list(parent.iterdir())) == 1 - is_postgres
