"""Databases for processes of our own, and what runs on them."""

import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection

from console.access.roles import Role
from console.models import Project
from tests.conftest import make_project, make_user
from tests.machines.installation import Installation, speaking_to


@pytest.fixture
def empty_database(transactional_db: None, tmp_path: Path) -> str:
    """A database of this test's own, a copy of the tests'; its address."""
    server = os.environ.get("TEST_DATABASE_URL", "")
    if not server:
        connection.ensure_connection()
        with closing(sqlite3.connect(tmp_path / "own.sqlite3")) as copy:
            connection.connection.backup(copy)
        return f"sqlite:///{tmp_path / 'own.sqlite3'}"
    # PostgreSQL copies only what nobody is connected to.
    connection.close()
    made, name = settings.DATABASES["default"]["NAME"], f"own_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as maker:
        maker.execute(f"CREATE DATABASE {name} TEMPLATE {made}")
    return server.replace("@/postgres?", f"@/{name}?")


@contextmanager
def installed(database_url: str, data: Path, settings: Any) -> Iterator[Installation]:
    """Give a sandbox and a database that this test and its processes share."""
    settings.DATA_DIR = data
    storage = {**settings.STORAGES["default"], "OPTIONS": {"location": data / "files"}}
    settings.STORAGES = {**settings.STORAGES, "default": storage}
    backend = "django_tasks_db.DatabaseBackend"
    settings.TASKS = {"default": {**settings.TASKS["default"], "BACKEND": backend}}
    installation = Installation(data, database_url)
    with speaking_to(database_url):
        installation.sandbox()
        settings.API_HOSTS = [("127.0.0.1", installation.sandbox_port)]
        try:
            yield installation
        finally:
            installation.end()


@pytest.fixture
def installation(
    empty_database: str, tmp_path: Path, settings: Any
) -> Iterator[Installation]:
    """What a test starts its processes in."""
    with installed(empty_database, tmp_path, settings) as installation:
        yield installation


@pytest.fixture
def project(installation: Installation) -> Project:
    """The demo project, that speaks to the sandbox."""
    url = f"{installation.sandbox_url}/v1"
    return make_project(write_url=url, api_url=url)


@pytest.fixture
def olga(installation: Installation) -> User:
    """An operator."""
    return make_user("olga", Role.OPERATOR)
