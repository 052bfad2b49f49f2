"""What bench/runs.py measures: runs in a database of its own, made as people make them.

Imported once Django is set up.
"""

import threading
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from console.actor import Actor
from console.connections.demo import make_demo
from console.health import pulse
from console.models import Project
from console.runtime import db_clock
from files.records_json.cutting import body
from operations.models import Operation
from writes import calls
from writes.actions.confirm import confirm
from writes.actions.save_draft import save_draft
from writes.models import Batch, Call, Write
from writes.models.call import packed
from writes.storage import NewFiles
from writes.worker import check_file, run_calls

KEY = {"X-Api-Key": "SANDBOX-KEY", "Content-Type": "application/json"}
# Seconds that sending never takes.
LONGEST = 120
_CLOCK = threading.Lock()
# Enough for the pace to be no limit.
NO_PACE = 100


class _Silent:
    def step(self, name: str, total_bytes: int) -> None:
        """Nobody waits for news."""

    def need_worker(self) -> None:
        """No page waits."""

    def __call__(self, done_bytes: int, done_rows: int) -> None:
        """Nobody waits for news."""


class Measured:
    """A workspace that speaks today's API, and what is done in it."""

    def __init__(self, url: str) -> None:
        call_command("migrate", verbosity=0)
        port = int(url.rpartition(":")[2])
        make_demo(password=uuid.uuid4().hex, port=port)
        self.project = Project.objects.get(name="Demo today")
        Project.objects.update(max_per_second=NO_PACE, max_at_once=4)
        self.user = User.objects.get()
        self.actor = Actor(user=self.user, name=self.user.get_username())
        self.browser = Browser()
        self.browser.force_login(self.user)
        pulse.beat(db_clock.now())
        pulse.beat(db_clock.now())
        self._number = 0

    def draft(self, action: str, rows: int) -> Write:
        """Return a checked draft of so many rows."""
        new_files = NewFiles()
        path = new_files.path("original")
        self._fill(path, action, rows)
        write = save_draft(
            token=uuid.uuid4(),
            actor=self.actor,
            source=Write.Source.CSV,
            action=action,
            integration=self.project.integrations.get(),
            object_name="contact",
            group_ref="demo-group-id",
            group_name="Demo customer",
            primary_key="Id" if action == "delete" else "",
            file_name="bench.csv",
            original=new_files.name_of(path),
            is_ready=False,
            is_parallel=True,
        )
        check_file.check_file(write, _Silent())  # type: ignore[arg-type]
        write.refresh_from_db()
        assert write.is_ready, write.check_report["groups"][:3]
        return write

    def _fill(self, path: Path, action: str, rows: int) -> None:
        self._number += 1
        with path.open("w") as file:
            if action == "delete":
                file.write("Id\n")
                file.writelines(f"003SB{number:010}\n" for number in range(rows))
                return
            file.write("LastName,FirstName,Email\n")
            file.writelines(
                f"Last {self._number}-{n},First {n},p{n}@example.com\n"
                for n in range(rows)
            )

    def cut(self, write: Write) -> int:
        """Type the rows of a draft, cut them into requests, and return how many."""
        path, table = write.path_of("as_sent"), calls.table_of(write)
        found = calls.cut(path, table, calls.envelopes_of(write), write.lanes)
        return sum(1 for _ in found)

    def confirm(self, write: Write) -> Operation:
        """Confirm a draft, as a click on Send does."""
        return confirm(write, self.actor)

    def size(self) -> int:
        """Return the bytes of the database."""
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA page_count")
            pages = cursor.fetchone()[0]
            cursor.execute("PRAGMA page_size")
            return int(pages * cursor.fetchone()[0])

    def answer_all(self, operation: Operation) -> None:
        """Have every request answered, as the worker keeps it."""
        outcome = packed('[["succeeded","003SB0000000001AAA",""]]')
        now = timezone.now()
        mine = Call.objects.filter(batch__operation=operation)
        calls_ = mine.update(
            state=Call.State.ANSWERED,
            sent_at=now,
            answered_at=now,
            http_status=200,
            succeeded=1,
            trust=Call.Trust.POSITION,
            outcome=outcome,
        )
        Batch.objects.filter(operation=operation).update(calls_over=calls_)
        Operation.objects.filter(pk=operation.pk).update(rows_succeeded=calls_)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE writes_call SET remote_id = lower(hex(randomblob(18)))"
            )

    def page(self, operation: Operation) -> int:
        """Return the bytes of the page of a run."""
        return len(self.browser.get(operation.get_absolute_url()).content)

    def poll(self, operation: Operation) -> Any:
        """Ask for the panel of a run, as its page does."""
        return self.browser.get(f"/writes/{operation.batch.write_id}/requests/")

    def bodies(self, operation: Operation) -> list[tuple[str, bytes]]:
        """Return address and body of every request of a run."""
        write = operation.batch.write
        (envelope,) = operation.batch.envelopes().values()
        path, table = write.path_of("as_sent"), calls.table_of(write)
        frame = calls.frame_of(envelope)
        return [
            (
                envelope.url,
                body(path, table, frame, offset=call.offset, length=call.length),
            )
            for call in Call.objects.filter(batch__operation=operation)
        ]

    def bare(self, request: tuple[str, bytes]) -> None:
        """Send one request as a script would: a connection for each, as we do."""
        url, content = request
        answer = httpx.post(
            url, content=content, headers=KEY, timeout=60, trust_env=False
        )
        answer.raise_for_status()

    def send(self, operation: Operation) -> None:
        """Send what there is of a run, as one worker does."""
        until = time.monotonic() + LONGEST
        while self._left(operation) and time.monotonic() < until:
            # Nothing is sent before a clock has looked, of which there is one.
            with _CLOCK:
                pulse.beat(db_clock.now())
            run_calls.run(operation.pk)
        connection.close()

    def _left(self, operation: Operation) -> bool:
        open_ = Call.objects.filter(batch__operation=operation)
        return open_.filter(state=Call.State.PLANNED).exists()

    def is_sent(self, operation: Operation) -> bool:
        """Tell whether every request was answered in full."""
        answered = Call.objects.filter(batch__operation=operation)
        return not answered.exclude(state=Call.State.ANSWERED, failed=0).exists()


assert settings.configured
