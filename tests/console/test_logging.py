"""LOG_LEVEL is the level of everything that is logged, Django's own lines included."""

import logging
import os
import subprocess
import sys

import pytest

NAMES = ("ampersand", "console", "django", "django.server", "django.tasks")
TELL = f"""
import django, logging
django.setup()
print(*(logging.getLogger(name).getEffectiveLevel() for name in {NAMES}))
"""


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
def test_log_level_is_that_of_every_logger(level: str) -> None:
    variables = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "LOG_LEVEL": level,
    }
    told = subprocess.run(
        [sys.executable, "-c", TELL],
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    )
    levels = dict(zip(NAMES, map(int, told.stdout.split()), strict=True))
    expected = getattr(logging, level)
    ours = {name: at for name, at in levels.items() if not name.startswith("django")}
    assert set(ours.values()) == {expected}
    # At DEBUG Django would log every query with its values.
    djangos = levels.keys() - ours.keys()
    assert {levels[name] for name in djangos} == {max(expected, logging.INFO)}
