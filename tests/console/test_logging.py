"""LOG_LEVEL is the level of everything that is logged, Django's own lines included."""

import json
import logging
import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client as Browser

from console import redaction
from console.json_log import JsonFormatter
from console.runtime.log_context import log_context
from console.web import config
from writes.tasks import send_operation

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


class TestJson:
    """LOG_FORMAT=json: one object a line, whatever is in it."""

    def test_each_line_is_an_object_and_no_key_is_in_it(self) -> None:
        script = """
import django, logging
django.setup()
from ampersand import SecretStr
from console.redaction import remember
key = 'key"with\\\\signs'
remember(SecretStr(key))
log = logging.getLogger("writes.test")
log.warning("A line\\nand %s, \\ud800 \\u2028", key)
try:
    raise ValueError(key)
except ValueError:
    log.exception("It failed")
"""
        variables = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "console.settings",
            "LOG_FORMAT": "json",
        }
        told = subprocess.run(
            [sys.executable, "-c", script],
            env=variables,
            capture_output=True,
            text=True,
            check=True,
        )
        first, second = map(json.loads, told.stderr.splitlines())
        assert first["level"] == "WARNING"
        assert first["logger"] == "writes.test"
        assert first["message"] == "A line\nand ****, \ud800 \u2028"
        assert datetime.fromisoformat(first["time"]).tzinfo == UTC
        assert "request_id" not in first
        assert "ValueError: ****" in second["exception"]
        assert "signs" not in told.stderr

    @pytest.mark.django_db
    def test_a_line_carries_the_id_of_its_request(self, caplog: Any) -> None:
        caplog.handler.setFormatter(JsonFormatter())
        response = Browser().get("/login/nothing/")
        told = [json.loads(line) for line in caplog.text.splitlines()]
        [line] = [each for each in told if each["logger"] == "django.request"]
        assert line["request_id"] == response["X-Request-ID"]
        assert log_context() == {}

    @pytest.mark.django_db
    def test_a_line_carries_the_task_of_a_worker(
        self, caplog: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Other tests have keys of one letter, which an id may hold.
        monkeypatch.setattr(redaction, "_seen", {})
        backend = "django.tasks.backends.immediate.ImmediateBackend"
        settings.TASKS = {"default": {"BACKEND": backend, "QUEUES": ["sending"]}}
        caplog.handler.setFormatter(JsonFormatter())
        caplog.set_level("INFO", "django.tasks")
        result = send_operation.enqueue(4711)
        told = [json.loads(line) for line in caplog.text.splitlines()]
        # Threads that other tests left may log as well.
        mine = [line for line in told if line.get("task_id") == result.id]
        assert mine
        assert {line["task"] for line in mine} == {"send_operation(4711)"}
        assert log_context() == {}


def test_gunicorns_own_lines_look_like_all_others() -> None:
    ours = logging.getLogger().handlers[0].formatter
    handler = logging.StreamHandler()

    class Server:
        class log:  # noqa: N801 - as gunicorn calls it
            error_log = logging.Logger("gunicorn.error")

    Server.log.error_log.addHandler(handler)
    config.on_starting(Server)
    assert handler.formatter is ours
