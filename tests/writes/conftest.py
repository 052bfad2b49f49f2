"""Who writes in these tests, and where to."""

import socket
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from console.access.roles import Role
from console.models import Integration, Project, WriteObject
from files.fields.field_lists import as_json
from sandbox.app import Sandbox
from tests.conftest import make_user
from tests.files.corpus import FIELDS
from tests.writes.unknown_outcomes import left_unknown
from writes.models import Batch
from writes.worker import check_file


@pytest.fixture(autouse=True)
def _stored_in_a_folder_of_its_own(settings: Any, tmp_path: Path) -> None:
    storage = {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": storage}
    # Another process may be trying the sweep, which empties this one.
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "uploads"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()


@pytest.fixture
def olga(db: None) -> User:
    """An operator."""
    return make_user("olga", Role.OPERATOR)


@pytest.fixture
def browser(olga: User) -> Browser:
    """Olga's browser."""
    browser = Browser()
    browser.force_login(olga)
    return browser


@pytest.fixture
def target(project: Project) -> dict[str, Any]:
    """What the four choices of a form hold once they are made, and its token."""
    integration = project.integrations.get()
    return {
        "token": str(uuid.uuid4()),
        "project": project.pk,
        "integration": integration.pk,
        "object": integration.write_objects.get(name="contact").pk,
        "group": integration.groups.get().pk,
    }


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> int:
    """Let no more than so many bytes go in one request, as if they were 10 MiB."""
    monkeypatch.setattr(check_file, "LARGEST_CSV", 40)
    return 40


@pytest.fixture(autouse=True)
def _no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test reach further than this machine, nor wait for names."""
    really = socket.getaddrinfo

    def addresses(host: Any, *args: Any, **values: Any) -> Any:
        if host in (None, "127.0.0.1", "localhost", "::1"):
            return really(host, *args, **values)
        raise socket.gaierror("There is no network.")

    monkeypatch.setattr(socket, "getaddrinfo", addresses)


@pytest.fixture
def unknown(sandbox: Sandbox, project: Project, olga: User) -> Callable[..., Batch]:
    """A function that sends something to an object with a fault; it stays unknown."""
    return partial(left_unknown, sandbox, project, olga)


@pytest.fixture
def tiers(integration: Integration) -> Integration:
    """An integration whose contacts have a restricted picklist `tier`."""
    WriteObject.objects.update_or_create(
        integration=integration, name="contact", defaults={"fields": as_json(FIELDS)}
    )
    return integration
