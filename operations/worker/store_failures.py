"""Keeping why an operation failed, whenever its outcome is stored."""

from operations.models import Failure, Operation
from operations.outcome.error_kinds import failures_of

# Before these nothing has failed; of a run its rows tell, once they are joined.
TOLD = (*Operation.ENDED, Operation.State.REJECTED)


def store_failures(operation: Operation) -> None:
    """Keep its errors by kind, in place of those that were kept before.

    Call it in the transaction that stores the outcome.
    """
    if operation.is_run or operation.state not in TOLD:
        return
    raws = operation.log_entries.filter(tells_outcome=True)
    found = failures_of(operation, raws.values_list("raw", flat=True))
    if found or operation.failures.exists():
        Failure.objects.keep(operation, found)
