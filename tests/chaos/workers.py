"""What the clock and the workers do, in one process and as fast as it goes."""

from datetime import datetime, timedelta

from django.db.models import Min
from django_tasks_db.management.commands.db_worker import Worker

from operations.models import Operation
from tests.chaos import clock
from writes.actions import settle
from writes.management.commands.clock import tick
from writes.models import Batch, Call, FileJob

State = Operation.State

# What is due later than this from the beginning is not waited for.
HORIZON = timedelta(hours=4)
MOST_ROUNDS = 400
# After so many rounds the clock takes long strides, as where the workers were away.
PATIENT_ROUNDS = 30
STRIDE = 600.0
CALM_ROUNDS = 4


class NeverRests(Exception):
    """There is always something due."""


def work(*, stride: float = 0.0) -> None:
    """Do all that is due, turning the clock ahead, until nothing is due for hours.

    The clock is turned to what is due next, or by `stride` seconds if that is more.
    """
    end = clock.now() + HORIZON
    calm = 0
    for number in range(MOST_ROUNDS):
        tick()
        run_tasks()
        due = _next_due()
        if due is None or due > end:
            # Of what has just ended the rows are joined by the next tick, and the one
            # after that settles it.
            calm, due = calm + 1, clock.now()
            if calm == CALM_ROUNDS:
                return
        pause = (due - clock.now()).total_seconds() + 0.001
        clock.turn(max(pause, STRIDE if number > PATIENT_ROUNDS else stride))
    raise NeverRests


def run_tasks() -> None:
    """Run every task that is enqueued, as the workers do."""
    Worker(
        queue_names=["*"],
        interval=0,
        batch=True,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id="chaos",
        excluded_queue_names=[],
    ).run()


def _next_due() -> datetime | None:
    """Return when the clock has to turn to something next."""
    open_ = (Call.State.SENDING, Call.State.ACCEPTED)
    under_way = Call.objects.filter(state__in=open_)
    moments = [
        Operation.objects.aggregate(at=Min("due_at"))["at"],
        FileJob.objects.aggregate(at=Min("due_at"))["at"],
        under_way.aggregate(at=Min("due_at"))["at"],
        Batch.objects.aggregate(at=Min("calls_due_at"))["at"],
    ]
    unknown = Batch.objects.filter(is_settled=False, operation__state=State.UNKNOWN)
    sent_at = unknown.aggregate(at=Min("operation__sent_at"))["at"]
    if sent_at:
        moments.append(sent_at + settle.LATE)
    return min((moment for moment in moments if moment), default=None)
