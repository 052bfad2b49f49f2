"""The breaker of a project: nothing goes to an Ampersand that does not answer.

    closed ──5 failures in a row──▶ open ──try_at: one harmless read──▶ closed
                                     ▲  └── no answer: open twice as long ──┐
                                     └──────────────────────────────────────┘

A failure is: nothing left this machine, no readable answer, or a 5xx. Writes and reads
go to different hosts and are counted apart: that reads are answered must not hide that
writes are not. An answer to a write ends both counts, one to a read that of reads. What
it is tried by is a read; so after it closes, one failed write opens it again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Least

from ampersand import AmpersandError, NotSent, OutcomeUnknown, Refused
from console.connections.probe import try_connection
from console.models import AuditEvent, Project
from console.runtime import db_clock
from operations.models import Gate

Kind = Literal["write", "read"]

THRESHOLD = 5
SHORTEST_OPEN = timedelta(seconds=30)
LONGEST_OPEN = timedelta(minutes=5)


def note(project: Project, kind: Kind, errors: Sequence[AmpersandError | None]) -> None:
    """Count what came of requests made together, None for each that went well.

    Opens the breaker when those were too many in a row.
    """
    failures = [error for error in errors if is_failure(error)]
    others = [error for error in errors if not is_failure(error)]
    if any(error is None or isinstance(error, Refused) for error in others):
        _forget(project, kind)
    elif failures:
        _count(project, kind, len(failures), str(failures[-1]))


def is_failure(error: AmpersandError | None) -> bool:
    """Tell whether Ampersand cannot be said to be there, judging by one request."""
    if isinstance(error, Refused):
        return error.problem.status >= 500
    return isinstance(error, NotSent | OutcomeUnknown)


def _forget(project: Project, kind: Kind) -> None:
    """End the count: mostly there is none, and then nothing is written."""
    names = (
        ("read_failures",) if kind == "read" else ("read_failures", "write_failures")
    )
    counted = Q(*((f"{name}__gt", 0) for name in names), _connector=Q.OR)
    gates = Gate.objects.filter(counted, pk=project.pk, opened_at=None)
    if gates.exists():
        gates.update(**dict.fromkeys(names, 0), open_seconds=0)


def _count(project: Project, kind: Kind, failed: int, why: str) -> None:
    name = f"{kind}_failures"
    with transaction.atomic():
        gate = Gate.locked(project.pk)
        if gate.is_open:
            # They were under way when the breaker opened.
            return
        failures = getattr(gate, name) + failed
        setattr(gate, name, failures)
        gate.last_failure = why
        if failures >= THRESHOLD:
            _open(gate)
        gate.save(
            update_fields=[name, "last_failure", "opened_at", "try_at", "open_seconds"]
        )


def _open(gate: Gate) -> None:
    now = db_clock.now()
    gate.opened_at = now
    _stay_open(gate, now)
    AuditEvent.record(
        action="breaker.opened",
        subject=f"{gate.project}: sending and checking are paused. {gate.last_failure}",
        about=gate.project,
        detail={
            "write_failures": gate.write_failures,
            "read_failures": gate.read_failures,
            "seconds": gate.open_seconds,
        },
    )


def _stay_open(gate: Gate, now: datetime) -> None:
    shortest, longest = (int(t.total_seconds()) for t in (SHORTEST_OPEN, LONGEST_OPEN))
    gate.open_seconds = min(max(gate.open_seconds * 2, shortest), longest)
    gate.try_at = now + timedelta(seconds=gate.open_seconds)


def probe(project_id: int) -> None:
    """Ask one harmless question; close the breaker if anything of Ampersand answers."""
    gate = Gate.objects.select_related("project").filter(pk=project_id).first()
    if gate is None or not gate.is_open:
        return
    verdict = try_connection(gate.project)
    with transaction.atomic():
        gate = Gate.locked(project_id)
        if not gate.is_open:
            return
        if verdict.answered:
            _close(gate, verdict.title)
        else:
            gate.last_failure = f"{verdict.title}. {verdict.text}"
            _stay_open(gate, db_clock.now())
            gate.save(update_fields=["last_failure", "try_at", "open_seconds"])


def _close(gate: Gate, answer: str) -> None:
    since = gate.opened_at
    Gate.objects.filter(pk=gate.pk).update(
        opened_at=None,
        try_at=None,
        turn_at=None,
        write_failures=Least(F("write_failures"), THRESHOLD - 1),
        read_failures=0,
    )
    AuditEvent.record(
        action="breaker.closed",
        subject=f"{gate.project}: Ampersand answers again",
        about=gate.project,
        detail={"answer": answer, "open_since": since.isoformat() if since else ""},
    )
