"""What monitoring is told: figures of the whole installation, read when asked.

It is in the database or on the disk, so every web server tells the same; only requests
are those of the server that is asked, whose processes add them up in memory they share.
Labels are words of ours: environments, states, queues. None names a customer or a
project.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Max, Min, Q, QuerySet
from django_tasks_db.models import DBTaskResult

from console import VERSION
from console.environments import Environment
from console.health.workers import PROCESSES, tasks_are_in_database
from console.models import EnvironmentControl, Heartbeat
from console.runtime import db_clock
from console.web import request_counts
from operations.models import Gate, Operation
from writes.models import FileJob

State = Operation.State
# Those that do not end by themselves, or have not yet.
OPEN = (*Operation.UNSENT, State.SENDING, State.IN_PROGRESS)
RECENT = timedelta(hours=1)
# Seconds within which Ampersand may answer a write; more than the last is a time-out.
WITHIN = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
MIB = 1024 * 1024

type Labels = Mapping[str, str]


@dataclass(frozen=True)
class Metric:
    """Its name, what it means, and a value for each set of labels."""

    name: str
    meaning: str
    values: list[tuple[Labels, float]] = field(default_factory=list)
    kind: str = "gauge"

    def lines(self) -> Iterator[str]:
        """Yield it in Prometheus' text format, version 0.0.4."""
        yield f"# HELP {self.name} {self.meaning}"
        yield f"# TYPE {self.name} {self.kind}"
        for labels, value in self.values:
            named = ",".join(f'{key}="{_quoted(text)}"' for key, text in labels.items())
            yield f"{self.name}{{{named}}} {value}" if named else f"{self.name} {value}"


def text() -> str:
    """Return all metrics as Prometheus reads them."""
    return "".join(f"{line}\n" for metric in metrics() for line in metric.lines())


def metrics() -> Iterator[Metric]:
    """Yield each metric; a few queries, all of them by an index."""
    now = db_clock.now()
    yield Metric("console_info", "The version that runs.", [({"version": VERSION}, 1)])
    yield from _processes(now)
    if tasks_are_in_database():
        yield from _tasks(now)
    yield from _operations(now)
    yield _answers(now)
    controls = EnvironmentControl.objects.frozen()
    frozen = set(controls.values_list("environment", flat=True))
    yield from _late(now, frozen)
    yield from _stops(now, frozen)
    yield _file_jobs()
    yield from _disk()
    yield from _requests()


def _processes(now: datetime) -> Iterator[Metric]:
    beats = Heartbeat.objects.seen().values("queue").annotate(last=Max("seen_at"))
    seen = {row["queue"] or "clock": _age(now, row["last"]) for row in beats}
    alive = Heartbeat.objects.alive().values("queue").annotate(count=Count("pk"))
    counts = {row["queue"] or "clock": row["count"] for row in alive}
    yield Metric(
        "console_processes",
        "Clocks, and workers by their queue, seen in the last 30 seconds.",
        [({"kind": kind}, counts.get(kind, 0)) for kind in PROCESSES],
    )
    yield Metric(
        "console_process_seen_seconds",
        "Seconds since one of the kind was last seen alive.",
        [({"kind": kind}, seen[kind]) for kind in PROCESSES if kind in seen],
    )


def _tasks(now: datetime) -> Iterator[Metric]:
    # No order: the default one would be part of the grouping.
    ready = DBTaskResult.objects.ready().order_by().values("queue_name")
    found = ready.annotate(count=Count("pk"), oldest=Min("enqueued_at"))
    by_queue = {row["queue_name"]: row for row in found}
    queues = settings.TASKS["default"]["QUEUES"]
    none: dict[str, Any] = {"count": 0, "oldest": now}
    rows = {queue: by_queue.get(queue, none) for queue in queues}
    yield Metric(
        "console_tasks_waiting",
        "Tasks that no worker has taken, by queue.",
        [({"queue": queue}, row["count"]) for queue, row in rows.items()],
    )
    yield Metric(
        "console_tasks_oldest_seconds",
        "Seconds that the oldest of them waits; 0 where there is none.",
        [({"queue": queue}, _age(now, row["oldest"])) for queue, row in rows.items()],
    )


def _operations(now: datetime) -> Iterator[Metric]:
    yield Metric(
        "console_operations_open",
        "Operations that have not ended, by environment and state.",
        _by_state(Operation.objects.filter(state__in=OPEN), OPEN),
    )
    unknown = Operation.objects.needing_attention()
    yield Metric(
        "console_outcomes_unknown",
        "Operations whose outcome is unknown, and nobody has decided about.",
        [
            ({"environment": environment}, count)
            for (environment, _), count in _counted(unknown, (State.UNKNOWN,)).items()
        ],
    )
    recent = Operation.objects.filter(created_at__gte=now - RECENT)
    yield Metric(
        "console_operations_last_hour",
        "Operations of the last 60 minutes, by environment and state.",
        _by_state(recent, tuple(State)),
    )


def _answers(now: datetime) -> Metric:
    """Tell how many answers came within each time, as `histogram_quantile` wants it."""
    answered = Operation.objects.filter(
        created_at__gte=now - RECENT, sent_at__isnull=False, answered_at__isnull=False
    ).order_by()
    within = {
        f"within_{place}": Count(
            "pk", filter=Q(answered_at__lte=F("sent_at") + timedelta(seconds=seconds))
        )
        for place, seconds in enumerate(WITHIN)
    }
    counts = answered.aggregate(**within, all=Count("pk"))
    labels = [*map(str, WITHIN), "+Inf"]
    return Metric(
        "console_send_seconds_last_hour_bucket",
        "Writes of the last 60 minutes that Ampersand answered within le seconds.",
        [({"le": le}, n) for le, n in zip(labels, counts.values(), strict=True)],
    )


def _by_state(
    operations: QuerySet[Operation], states: tuple[str, ...]
) -> list[tuple[Labels, float]]:
    return [
        ({"environment": environment, "state": state}, count)
        for (environment, state), count in _counted(operations, states).items()
    ]


def _counted(
    operations: QuerySet[Operation], states: tuple[str, ...]
) -> dict[tuple[str, str], int]:
    """Count by environment and state, and say 0 where there is none."""
    counts = {(str(e), str(s)): 0 for e in Environment.values for s in states}
    rows = operations.order_by().values("environment", "state")
    for row in rows.annotate(count=Count("pk")):
        counts[row["environment"], row["state"]] = row["count"]
    return counts


def _late(now: datetime, frozen: set[str]) -> Iterator[Metric]:
    # Of all states: a database that is asked for some reads all that ever ended.
    late = Operation.objects.filter(due_at__lte=now).order_by()
    told = late.values("state", "environment").annotate(
        count=Count("pk"), oldest=Min("due_at")
    )
    sends, polls = [], []
    for row in told:
        if row["state"] in Operation.WATCHED:
            polls.append(row)
        elif row["state"] == State.WAITING and row["environment"] not in frozen:
            sends.append(row)
    for what, words, rows in (
        ("sends", "to be sent", sends),
        ("polls", "to be asked about", polls),
    ):
        oldest = min((row["oldest"] for row in rows), default=now)
        yield Metric(
            f"console_{what}_due",
            f"Operations that are due {words} and were not yet.",
            [({}, sum(row["count"] for row in rows))],
        )
        yield Metric(
            f"console_{what}_late_seconds",
            "Seconds that the one which waits longest is late; 0 where none is.",
            [({}, _age(now, oldest))],
        )


def _stops(now: datetime, frozen: set[str]) -> Iterator[Metric]:
    opened = Gate.objects.with_open_breaker().order_by()
    told = opened.aggregate(count=Count("pk"), oldest=Min("opened_at"))
    yield Metric(
        "console_breakers_open",
        "Projects to which nothing goes, since Ampersand does not answer.",
        [({}, told["count"])],
    )
    yield Metric(
        "console_breaker_open_seconds",
        "Seconds since the first of them opened; 0 where none is open.",
        [({}, _age(now, told["oldest"] or now))],
    )
    yield Metric(
        "console_frozen",
        "1 for an environment that sends nothing, since somebody froze it.",
        [({"environment": each}, int(each in frozen)) for each in Environment.values],
    )


def _file_jobs() -> Metric:
    # Those that are open have a moment at which they are due, and an index on it.
    rows = FileJob.objects.filter(due_at__isnull=False).order_by().values("state")
    counts = {row["state"]: row["count"] for row in rows.annotate(count=Count("pk"))}
    return Metric(
        "console_file_jobs",
        "Work on files that waits or runs.",
        [({"state": str(each)}, counts.get(each, 0)) for each in FileJob.OPEN],
    )


def _disk() -> Iterator[Metric]:
    try:
        free = shutil.disk_usage(settings.DATA_DIR).free
    except OSError:
        # The directory is missing: no figure, which an alert can ask for.
        return
    yield Metric(
        "console_disk_free_bytes", "Free on the disk of DATA_DIR.", [({}, free)]
    )
    yield Metric(
        "console_disk_kept_free_bytes",
        "Below this no upload is taken: KEEP_FREE_MIB.",
        [({}, settings.KEEP_FREE_MIB * MIB)],
    )


def _requests() -> Iterator[Metric]:
    by_status, by_time, seconds = request_counts.counted()
    yield Metric(
        "console_requests_total",
        "Requests that this web server answered since its start, by status.",
        [({"status": status}, count) for status, count in by_status.items()],
        kind="counter",
    )
    labels = [*map(str, request_counts.WITHIN), "+Inf"]
    within = accumulate(by_time)
    yield Metric(
        "console_request_seconds_bucket",
        "Requests that it answered within le seconds.",
        [({"le": le}, count) for le, count in zip(labels, within, strict=True)],
        kind="counter",
    )
    yield Metric(
        "console_request_seconds_sum",
        "Seconds that all of them took.",
        [({}, round(seconds, 3))],
        kind="counter",
    )


def _age(now: datetime, then: datetime) -> float:
    return max(0.0, round((now - then).total_seconds(), 3))


def _quoted(text: str) -> str:
    for plain, escaped in (("\\", r"\\"), ('"', r"\""), ("\n", r"\n")):
        text = text.replace(plain, escaped)
    return text
