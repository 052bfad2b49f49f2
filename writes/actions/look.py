"""A cheap look at whether the clock has anything to do.

A tick asks some twenty questions, and mostly nothing has happened. So the clock asks
this one first, every second, and ticks when something is due or has changed. What this
misses waits for the tick that comes all the same, half a minute later at most.
"""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.db import connection, models

from console.runtime import db_clock
from operations.models import Gate, Operation, RollupMark
from writes.models import Batch, Call, FileJob, Notice
from writes.worker.join_rows import MOVING

# Stands in the statement for the moment of a look.
_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)


def is_anything_due() -> bool:
    """Tell whether a tick would find something: one statement, by indexes alone."""
    sql, params = _statement(connection.vendor)
    adapt = connection.ops.adapt_datetimefield_value
    moment, now = adapt(_MOMENT), adapt(db_clock.now())
    with connection.cursor() as cursor:
        cursor.execute(sql, [now if each == moment else each for each in params])
        return bool(cursor.fetchone()[0])


def _questions() -> list[models.QuerySet[Any]]:
    is_due = {"due_at__lte": _MOMENT}
    return [
        # To be sent, to be asked about, or left by a worker that is gone.
        Operation.objects.filter(**is_due),
        Call.objects.filter(**is_due),
        Batch.objects.filter(calls_due_at__lte=_MOMENT),
        FileJob.objects.filter(**is_due),
        Notice.objects.filter(**is_due),
        Gate.objects.with_open_breaker().filter(try_at__lte=_MOMENT),
        # Changed its state: parts behind it may go or must be held, people be told.
        Operation.objects.filter(has_news=True),
        # At its end, with rows to join; a held part may stay so for ever.
        Batch.objects.filter(is_settled=False).exclude(
            operation__state__in=(*MOVING, Operation.State.HELD)
        ),
        RollupMark.objects.all(),
    ]


@cache
def _statement(vendor: str) -> tuple[str, list[Any]]:
    """Return it as SQL; made once, since that costs more than to ask it."""
    asked: list[str] = []
    params: list[Any] = []
    for question in _questions():
        sql, given = question.order_by().values("pk").query.sql_with_params()
        asked.append(f"EXISTS ({sql})")
        params += given
    return f"SELECT {' OR '.join(asked)}", params
