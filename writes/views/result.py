"""What the headline of an operation shows of its write: counts, and buttons.

One set of counts for a page: those of the rows once they are joined to their outcome,
before that those that the operation or its run has.
"""

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode

from console.http import ConsoleRequest
from operations.models import Operation
from writes.display.known_record import known_record
from writes.models import Batch, Call, Write
from writes.views.panels import batch_of

RESULT = "writes/result.html"
State = Operation.State


def rows_counts(request: ConsoleRequest, operation: Operation) -> str:
    """Draw how its rows fared: "" until they are joined, and for one of many parts."""
    batch = batch_of(operation)
    if batch is None or not _is_told(operation, batch):
        return ""
    context = {"write": batch.write, "totals": batch.write.rows_totals}
    return render_to_string(f"{RESULT}#counts", context, request)


def rows_remedies(request: ConsoleRequest, operation: Operation) -> str:
    """Draw the buttons beside what to do: each leads to a draft, or to a decision."""
    batch = batch_of(operation)
    if batch is None:
        return ""
    write = batch.write
    is_refused = operation.state in (State.REJECTED, State.FAILED)
    totals = write.rows_totals if _is_told(operation, batch) else None
    context = {
        "write": write,
        "can_retry": write.has_content and bool(totals and totals.failed),
        # Of what was written in part a copy would write that once more.
        "can_copy": write.has_content and is_refused and not operation.part,
        "undecided": _undecided(operation, batch),
        "update": _update(operation, write),
    }
    return render_to_string(f"{RESULT}#remedies", context, request)


def _is_told(operation: Operation, batch: Batch) -> bool:
    """Tell whether the rows that are joined are all that this page is about."""
    if operation.part or not batch.write.rows_totals:
        return False
    if operation.is_run:
        return batch.calls_over == batch.calls_total
    return not operation.is_in_flight


def _undecided(operation: Operation, batch: Batch) -> Call | None:
    """Return the first request of a run that a person has to decide about."""
    if not operation.is_run or not operation.needs_person:
        return None
    return Call.objects.filter(batch=batch).undecided().order_by("number").first()


def _update(operation: Operation, write: Write) -> str:
    """Return where the form is for an update of its record, "" where none is known.

    The record is the one that was created, or the one that Salesforce names since it
    has the value already.
    """
    record = known_record(operation)
    if not record or Write.Action.UPDATE not in write.project.capabilities.actions:
        return ""
    return f"{reverse('writes:record')}?{urlencode({'update': write.pk})}"
