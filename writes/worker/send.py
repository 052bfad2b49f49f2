"""Sending: at most once, and whatever happens the row says what is known.

    held ◀── something of this installation keeps it from leaving: a person resumes
      ▲
    waiting ──claim──▶ sending ──┬─▶ in progress | succeeded
       ▲                         ├─▶ rejected   the server said no
       └──── nothing left, ──────┤
             or: come later      └─▶ unknown    no readable answer

The claim is the project's gate as well (`operations.limits.rate_limit`): who is not
let through stays waiting and is due later.

Each arrow is one conditional UPDATE. The HTTP call happens between two of them and
inside no transaction. A worker that is killed leaves a row that is due, and
`recover_overdue` calls it what it is: unknown.
"""

import hashlib
import logging
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import partial

from django.db.models import Q
from django.utils import timezone

from ampersand import (
    AmpersandError,
    Client,
    OutcomeUnknown,
    Request,
    RequestInvalid,
    WriteResult,
)
from console.fields import UnreadableSecret
from console.health import pulse
from console.models import EnvironmentControl, NoActiveKey
from console.runtime import db_clock
from console.runtime.shutdown import holding
from console.runtime.trouble import Prevented, in_words, trouble_of
from files.remote.stores import StoreError
from operations.display.problem import problem_in_words
from operations.limits import circuit_breaker, rate_limit
from operations.models import Operation
from operations.models.operation_queries import is_frozen
from operations.worker.store_failures import store_failures
from writes import url_check
from writes.models import Batch, Write
from writes.models.batch import paused_condition, stopped_condition
from writes.storage import measure
from writes.worker import record_answer, share_file
from writes.worker.hold import hold_for_a_person
from writes.worker.lease import LEASE, lease_renewed

log = logging.getLogger(__name__)

State = Operation.State

# Making the file available to Ampersand, before the request, takes no longer than this.
SHARING = timedelta(minutes=15)
# After this time what could not be sent is given up: the data may be stale by then.
GIVE_UP_AFTER = timedelta(hours=1)
MOST_NUDGED = 200


def send(operation_id: int) -> None:
    """Send the request of one waiting operation; a second call finds nothing to do."""
    operation = (
        Operation.objects.select_related("project", "batch__write__integration")
        .filter(pk=operation_id, state=State.WAITING)
        .first()
    )
    if operation is None:
        return
    if not pulse.is_trusted(db_clock.now()):
        # The clock holds it in a moment, or says that all is well.
        return
    control = EnvironmentControl.objects.of(operation.project.environment)
    if control.is_frozen:
        return
    if timezone.now() - _could_leave_since(operation, control) > GIVE_UP_AFTER:
        _give_up(operation)
        return
    if rate_limit.puts_off(operation):
        return
    # Nobody makes a file ready without a key, which takes minutes.
    is_shared = operation.batch.is_shared
    if is_shared and not (_reserve(operation) and _client(operation)):
        return
    request = _ready(operation)
    if request is None:
        return
    # Now: it may have been revoked meanwhile.
    client = _client(operation)
    if client is not None and _claim(operation):
        with holding(partial(_stop_waiting, operation)), _lease_renewed(operation):
            _exchange(operation, client, request)


def _client(operation: Operation) -> Client | None:
    """Return who may send it, None where it is held since nobody may."""
    try:
        return operation.project.client()
    except (NoActiveKey, UnreadableSecret, RequestInvalid) as problem:
        hold_for_a_person(operation, problem_in_words(problem))
    return None


def _ready(operation: Operation) -> Request | None:
    """Return the request to send; None where it is held, or can never be sent."""
    try:
        with holding(partial(_release, operation)):
            return _as_reviewed(operation)
    except (Prevented, StoreError) as error:
        hold_for_a_person(operation, str(error))
    except RequestInvalid as error:
        _cancel(operation, str(error))
    except OSError as error:
        log.warning("Operation %s: not sent: %s", operation.pk, error)
        trouble = trouble_of(error)
        if isinstance(error, FileNotFoundError) and not trouble:
            _cancel(operation, in_words(error))
        else:
            # Not the remedy of a page: who does it again has it twice.
            hold_for_a_person(operation, trouble.text if trouble else in_words(error))
    return None


def _could_leave_since(operation: Operation, control: EnvironmentControl) -> datetime:
    """Return when its hour began: a freeze does not count, and what waited out one
    has the whole of it again.
    """
    return max(operation.waiting_since, control.unfrozen_at or operation.waiting_since)


def _as_reviewed(operation: Operation) -> Request:
    """Return the request with exactly the content that was confirmed.

    Raises `RequestInvalid` where that is not to be had any more; `Prevented`,
    `StoreError` and `OSError` where it is not to be had now.
    """
    batch = operation.batch
    batch.need_same_generation()
    if batch.write.source == Write.Source.URL:
        url_check.need_same(batch.write)
    batch.need_same_text()
    if batch.is_shared:
        request = batch.request(url=share_file.share(batch))
    else:
        request = batch.request()
    content = request.content()
    digest = hashlib.sha256(content).hexdigest()
    if batch.is_shared or not batch.sha256:
        # An address that was made just now, or a part: its rows are what was confirmed.
        batch.sha256, batch.size = digest, len(content)
        batch.save(update_fields=["sha256", "size"])
    if digest != batch.sha256:
        raise RequestInvalid("The stored file is not the one that was confirmed.")
    return request


def _reserve(operation: Operation) -> bool:
    """Keep other workers off while the file is made available, which takes minutes.

    A second address would end the first, which may just be on its way. Who finds it due
    later than any pause or task puts it finds it reserved.
    """
    now = db_clock.now()
    mine = Operation.objects.filter(
        pk=operation.pk,
        state=State.WAITING,
        due_at=operation.due_at,
        due_at__lte=now + timedelta(seconds=max(record_answer.PAUSES)),
    )
    return mine.update(due_at=now + SHARING) == 1


def _release(operation: Operation) -> None:
    """Let another worker have what is being made ready here: this one must end."""
    if operation.batch.is_shared:
        waiting = Operation.objects.filter(pk=operation.pk, state=State.WAITING)
        waiting.update(due_at=db_clock.now())


def need_same_file(batch: Batch) -> None:
    """Raise `RequestInvalid` unless the whole file is what was confirmed."""
    if measure(batch.write.path_of("as_sent"))[1] != batch.csv_sha256:
        raise RequestInvalid("The stored file is not the one that was confirmed.")


def _claim(operation: Operation) -> bool:
    """Take the operation for sending.

    False if another worker has it, if its environment was frozen or its write paused or
    stopped (the very UPDATE that takes it looks, so that nothing leaves afterwards), or
    if the gate puts it off. A back-up may have been restored while it was made ready.
    """
    now = db_clock.now()
    if not pulse.is_trusted(now):
        return False
    return rate_limit.admit_write(
        operation,
        only_if=~is_frozen() & ~paused_condition() & ~stopped_condition(),
        state=State.SENDING,
        sent_at=now,
        due_at=now + LEASE,
        attempts=operation.attempts + 1,
        reason="",
        remedy="",
        **record_answer.NO_ANSWER,
    )


def _lease_renewed(operation: Operation) -> AbstractContextManager[None]:
    mine = Operation.objects.filter(pk=operation.pk, state=State.SENDING)
    return lease_renewed(operation, lambda now: mine.update(due_at=now + LEASE))


def _exchange(operation: Operation, client: Client, request: Request) -> None:
    """Make the one HTTP call, and keep what is known afterwards."""
    try:
        outcome: WriteResult | AmpersandError = client.send(
            request, provider=operation.batch.write.integration.provider
        )
    except AmpersandError as error:
        outcome = error
    except Exception:
        log.exception("Operation %s: sending went wrong", operation.pk)
        outcome = OutcomeUnknown("The console failed; its log has the cause")
        record_answer.record_answer(operation, outcome)
        return
    record_answer.record_answer(operation, outcome)
    failure = outcome if isinstance(outcome, AmpersandError) else None
    if failure is None:
        rate_limit.note_accepted(operation.project)
    circuit_breaker.note(operation.project, "write", [failure])


def _give_up(operation: Operation) -> None:
    """End what could not be sent within the hour: by the last answer, if there is one.

    The data may be stale by now.
    """
    hour = "It could not be sent within an hour, and the data may be outdated by now."
    reason = f"{operation.reason} {hour}".strip()
    if not operation.remote_status:
        _cancel(operation, reason)
        return
    now = timezone.now()
    operation.change(
        only_from=(State.WAITING,),
        state=State.REJECTED,
        reason=reason,
        due_at=None,
        answered_at=now,
        **record_answer.all_refused(operation),
    )
    store_failures(operation)


def _cancel(operation: Operation, reason: str) -> None:
    operation.change(only_from=(State.WAITING,), **record_answer.cancelled(reason))


def _stop_waiting(operation: Operation) -> None:
    """Call unknown what is still without an answer: this worker must end."""
    # A copy of its own: this is another thread.
    Operation.objects.get(pk=operation.pk).change(
        only_from=(State.SENDING,),
        # Another worker may be sending it by now, if nothing of this try had left.
        only_if=Q(attempts=operation.attempts),
        state=State.UNKNOWN,
        due_at=None,
        reason="The worker was told to stop while it waited for the answer.",
    )


def recover_overdue(now: datetime) -> int:
    """Call unknown what a worker was sending when it vanished; return how many."""
    recovered = 0
    for operation in Operation.objects.due(State.SENDING, now=now)[:MOST_NUDGED]:
        # Its worker may have renewed the lease just now.
        recovered += operation.change(
            only_from=(State.SENDING,),
            only_if=Q(due_at=operation.due_at),
            state=State.UNKNOWN,
            due_at=None,
            reason="The worker stopped while it was sending.",
        )
    return recovered
