"""Settings of the harness: the tests' own, with a real queue and a file for SQLite."""

import os
from pathlib import Path

from tests.hosts import ThisMachine
from tests.settings import *  # noqa: F403

_directory = Path(os.environ["CHAOS_DIR"])

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    DATABASES["default"]["NAME"] = _directory / "console.sqlite3"  # noqa: F405
    # Closing the last connection to a file costs more than all that is done with it.
    DATABASES["default"]["CONN_MAX_AGE"] = None  # noqa: F405
    DATABASES["default"]["OPTIONS"]["timeout"] = float(  # noqa: F405
        os.environ.get("CHAOS_TIMEOUT", "0.3")
    )
TASKS["default"]["BACKEND"] = "django_tasks_db.DatabaseBackend"  # noqa: F405
STORAGES["default"]["OPTIONS"] = {"location": _directory / "files"}  # noqa: F405
SEND_TIMEOUT = 60
# What stands in for Ampersand takes any port that is free.
API_HOSTS = ThisMachine()
LOGGING["handlers"]["stderr"] |= {  # noqa: F405
    "class": "logging.FileHandler",
    "filename": str(_directory / "log"),
}
