"""Writes of large files in the database of a benchmark, made as the console makes them.

Nothing is sent: the demo project's address leads nowhere.
"""

import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.core.management import call_command

from console.actor import Actor
from console.connections.demo import make_demo
from console.models import WriteObject
from writes.actions.confirm import confirm as confirm_write
from writes.actions.save_draft import save_draft
from writes.models import Write
from writes.storage import NewFiles
from writes.worker import check_file

if TYPE_CHECKING:
    from console.models import Integration


class Steps:
    """Progress that measures how many seconds each step takes."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._name, self._since = "", time.perf_counter()

    def step(self, name: str, total_bytes: int) -> None:
        """Begin the next step."""
        self.end()
        self._name = name

    def need_worker(self) -> None:
        """No page waits."""

    def __call__(self, done_bytes: int, done_rows: int) -> None:
        """Nothing waits for news."""

    def end(self) -> None:
        """End the last step."""
        now = time.perf_counter()
        if self._name:
            spent = self.seconds.get(self._name, 0)
            self.seconds[self._name] = spent + now - self._since
        self._name, self._since = "", now


def make_workspace() -> "Integration":
    """Make the tables, a user, and an integration that drafts can be made for."""
    call_command("migrate", verbosity=0)
    project = make_demo(password=uuid.uuid4().hex, port=1)
    # The files of the benchmarks have columns of their own.
    no_list = {"fields": [], "fields_from": "", "fields_at": None}
    WriteObject.objects.update(**no_list)
    return project.integrations.get()


def _actor() -> Actor:
    user = User.objects.get()
    return Actor(user=user, name=user.get_username())


def draft(
    integration: "Integration", fill: Callable[[Path], object], key: str
) -> Write:
    """Return a draft of the file that `fill` writes; it is not checked yet."""
    new_files = NewFiles()
    path = new_files.path("original")
    fill(path)
    return save_draft(
        token=uuid.uuid4(),
        actor=_actor(),
        source=Write.Source.CSV,
        action=Write.Action.UPSERT,
        integration=integration,
        object_name="contact",
        group_ref="demo-group-id",
        group_name="Demo customer",
        primary_key=key,
        file_name="bench.csv",
        original=new_files.name_of(path),
        is_ready=False,
    )


def check(write: Write) -> Steps:
    """Do all that is done with the file of a draft; return how long it took."""
    steps = Steps()
    check_file.check_file(write, steps)
    steps.end()
    write.refresh_from_db()
    return steps


def confirm(write: Write) -> None:
    """Confirm a draft, as a click on Send does."""
    confirm_write(write, _actor())
    write.refresh_from_db()
