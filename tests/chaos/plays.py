"""What is written in the harness: how it begins, and what a person does in the end."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User

from console.models import Integration
from tests.chaos import workers
from tests.chaos.processes import done
from tests.chaos.stage import Stage
from tests.conftest import actor
from tests.writes.making import confirm, make_draft
from writes.actions import release_parts
from writes.models import Write
from writes.worker import check_file

HEADER = b"external_id__c,LastName\n"
ROWS = [b"a-%d,Name %d\n" % (number, number) for number in range(1, 10)]
# So small that a part has three rows.
SMALL_PART = 60


@dataclass(frozen=True)
class Play:
    """A beginning.

    `prepare` confirms what is to be sent, `made` puts into the sandbox what is there
    already, `faults` are those of requests to come, `lead_in` is what went before.
    """

    name: str
    prepare: Callable[[], object]
    made: Callable[[Stage], object] | None = None
    faults: dict[int, str] = field(default_factory=dict)
    lead_in: Callable[[], None] | None = None

    def prepare_on(self, stage: Stage) -> None:
        """Make its beginning and keep it."""
        stage.set("empty")
        done(lambda: self.prepare() and None)
        stage.database.keep(self.name)

    def begin_on(self, stage: Stage) -> None:
        """Go back to its beginning."""
        stage.set(self.name)
        if self.made:
            self.made(stage)
        for write, fault in self.faults.items():
            stage.remote.plan(fault, write)
        if self.lead_in:
            done(self.lead_in)


def olga() -> User:
    """Return the operator."""
    return User.objects.get(username="olga")


def draft_parts() -> Write:
    """Return a draft of nine rows in three parts."""
    check_file.LARGEST_CSV = SMALL_PART
    return _draft(csv=HEADER + b"".join(ROWS), primary_key="external_id__c")


def draft_record() -> Write:
    """Return a draft of one record."""
    return _draft(record={"LastName": "Berg"})


def three(values: Callable[[int], dict[str, Any]]) -> Callable[[], None]:
    """Return what confirms three writes, one after the other."""

    def prepare() -> None:
        for number in (1, 2, 3):
            confirm(_draft(**values(number)), olga())

    return prepare


def _draft(**values: Any) -> Write:
    return make_draft(Integration.objects.get(), olga(), **values)


def _upsert() -> None:
    csv = HEADER + b"".join(ROWS[:3])
    confirm(_draft(csv=csv, primary_key="external_id__c"), olga())


PARTS = Play("parts", lambda: confirm(draft_parts(), olga()))
CREATE = Play("create", lambda: confirm(draft_record(), olga()))
# The upsert is accepted; then two of the first polls are answered with 500.
POLLS = Play("polls", _upsert, faults={1: "poll_500"}, lead_in=workers.run_tasks)


def go_on_with_all() -> bool:
    """Send what is held, as a person does who looked; tell whether there was any."""
    writes = Write.objects.filter(state=Write.State.CONFIRMED)
    return any(release_parts.go_on(write, actor(olga())) for write in writes)
