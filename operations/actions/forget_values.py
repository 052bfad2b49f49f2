"""Forgetting what Ampersand said of an operation in words: it may quote values.

States, counts, times and ids stay, and so do the kinds of its errors, which hold no
values (`operations.outcome.error_kinds`).
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from operations.models import Failure, Operation, OperationTransition

State = Operation.State

# Why it came into these states are words of a person or of this console.
_OUR_WORDS = ("", State.HELD, State.CANCELLED)


def forget(operation: Operation, now: datetime) -> bool:
    """Take the words away and ask no more; tell whether they were still there.

    What comes in later is not kept: `operations.worker.store` looks at
    `values_deleted_at` under the row's lock.
    """
    with transaction.atomic():
        mine = Operation.objects.filter(pk=operation.pk, values_deleted_at=None)
        told: dict[str, object] = {"answer": {}, "result": "", "watch_problem": ""}
        if operation.state not in _OUR_WORDS:
            told |= {"reason": "", "remedy": ""}
        if not mine.update(
            **told,
            due_at=None,
            log_since=None,
            values_deleted_at=now,
            version=F("version") + 1,
        ):
            return False
        # A new one is there for the reason that a person gave.
        OperationTransition.objects.filter(operation=operation).exclude(
            from_state=""
        ).exclude(to_state__in=_OUR_WORDS).update(reason="")
        Failure.objects.forget_examples(Operation.objects.filter(pk=operation.pk))
    return True
