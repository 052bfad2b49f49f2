"""A program with a token, and something of everything for it to read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from console.access.roles import Role
from console.models import Integration
from sandbox.app import Sandbox
from tests.conftest import make_token, make_user
from tests.writes.making import confirm, make_draft, work_off
from writes.models import Write

CSV = b"external_id__c,LastName\nk-1,Name 1\nk-2,\nk-3,Name 3\n"
V1 = "/api/v1/"

# Asks for an address below /api/v1/ with a token.
Ask = Callable[..., Any]


@pytest.fixture(autouse=True)
def _stored_in_a_folder_of_its_own(settings: Any, tmp_path: Path) -> None:
    storage = {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": storage}


@pytest.fixture
def vera(db: None) -> User:
    """A viewer."""
    return make_user("vera", Role.VIEWER)


@pytest.fixture
def ask(vera: User) -> Ask:
    """A function that asks with a token: one of Vera's with all scopes, or `token`."""
    usual = make_token(vera)

    def asked(
        address: str, token: str = "", method: str = "GET", **headers: str
    ) -> Any:
        given = {"Authorization": f"Bearer {token or usual}", **headers}
        path = address if address.startswith("/") else V1 + address
        return Browser().generic(method, path, headers=given)

    return asked


@pytest.fixture
def sent(sandbox: Sandbox, integration: Integration) -> Write:
    """A file of three rows that was sent, and of which the second failed."""
    olga = make_user("olga", Role.OPERATOR)
    write = make_draft(integration, olga, csv=CSV, primary_key="external_id__c")
    confirm(write, olga)
    work_off()
    write.refresh_from_db()
    return write
