"""The page of rows after an operation of 1,000,000 rows, beside one of 1,000.

Both writes are made as operators make them, up to where they would be sent; then their
operations have ended, some rows failed, and the rows are joined to what the logs tell.
The pages come from the view itself, drawn in both by turns.
"""

from typing import TYPE_CHECKING

import drawing
import memory
import rows
import running
from figures import figure, finish

if TYPE_CHECKING:
    from console.models import Integration
    from writes.models import Batch, Write

SMALL, LARGE = 1_000, 1_000_000
# So many of each fail: enough in both for a full page behind every filter.
FAILED = {SMALL: 500, LARGE: 100_000}
ERRORS = 2
KEY = "external_id__c"


def main() -> None:
    """Make both writes, and measure each page in both."""
    with running.settings():
        import drafting
        from django.db import connection

        integration = drafting.make_workspace()
        writes = {count: ended(integration, count) for count in (SMALL, LARGE)}
        database = str(connection.settings_dict["NAME"])
        for page in addresses(SMALL):
            places = {
                count: (database, f"/writes/{write.pk}/rows/{addresses(count)[page]}")
                for count, write in writes.items()
            }
            name = f"row_pages_{page}"
            few, many = (lines(*place) for place in places.values())
            figure(f"{name}_lines", many, "lines", exactly=few)
            few, many = (len(drawing.queries(*place)) for place in places.values())
            figure(f"{name}_queries", many, "queries", exactly=few)
            drawing.compare(name, places)
    finish()


def addresses(count: int) -> dict[str, str]:
    """Return what follows the address of the table for each page that is measured."""
    middle = count // 2
    return {
        "first": "",
        "deep": f"?after={middle}",
        "back_from_deep": f"?before={middle}",
        "failed": "?state=failed",
        "failed_deep": f"?state=failed&after={middle}",
        "succeeded_deep": f"?state=succeeded&before={middle}",
        "unknown": "?state=unknown",
        "group": "?group=1",
        "group_deep": f"?group=1&after={middle}",
        "key": f"?key={rows.key(middle)}",
        "key_begins": "?key=key-0",
        "key_begins_failed": "?key=key-0&state=failed",
        "key_of_no_row": "?key=zzz",
    }


def ended(integration: "Integration", count: int) -> "Write":
    """Return a write of so many rows, all of it joined; print how long that took."""
    import drafting

    from writes.worker.join_rows import join_rows

    write = drafting.draft(integration, lambda path: rows.write(path, count), KEY)
    drafting.check(write)
    drafting.confirm(write)
    for batch in write.batches.select_related("operation"):
        tell_outcome(batch, every=count // FAILED[count])
    memory.forget_peak()
    base = memory.resident()
    steps = drafting.Steps()
    join_rows(write, steps)
    steps.end()
    write.refresh_from_db()
    totals = write.rows_totals
    assert totals is not None
    assert (totals.rows, totals.failed) == (count, FAILED[count]), totals
    assert (totals.unknown, totals.alarms) == (0, []), totals
    seconds = sum(steps.seconds.values())
    name = f"row_pages_joining_{count}_with_{FAILED[count]}_failed"
    figure(name, seconds, "s")
    figure(f"{name}_memory", memory.peak() - base, "MiB above base")
    return write


def tell_outcome(batch: "Batch", every: int) -> None:
    """Have the operation of a part ended, some of its rows failed."""
    from django.utils import timezone

    from operations.models import LogEntry

    assert batch.first_row is not None
    assert batch.last_row is not None
    # Row 2 of the file as sent is number 0.
    numbers = range(batch.first_row - 2, batch.last_row - 1)
    failed = [number for number in numbers if number % every == 0]
    operation = batch.operation
    operation.state = operation.State.PARTLY_FAILED
    operation.remote_id = f"remote-{operation.pk}"
    operation.due_at = None
    operation.ended_at = timezone.now()
    operation.rows_failed = len(failed)
    operation.rows_succeeded = len(numbers) - len(failed)
    counts = f"{operation.rows_succeeded} succeeded, {operation.rows_failed} failed"
    operation.result = f"Batch write completed ({counts})"
    operation.save()
    errors = {
        f"REQUIRED_FIELD_MISSING:Required fields are missing:[Field{n}] --": [
            rows.key(number) for number in failed if number // every % ERRORS == n
        ]
        for n in range(ERRORS)
    }
    raw = {"severity": "ERROR", "message": {"failedCreates": errors}}
    LogEntry.objects.create(
        operation=operation,
        sequence=1,
        timestamp=operation.ended_at,
        severity="ERROR",
        text="Some records are not processed successfully.",
        raw=raw,
        fingerprint="1",
        tells_outcome=True,
    )


def lines(database: str, address: str) -> int:
    """Return how many lines the tables of a page have."""
    return drawing.signed_in(database).get(address).content.count(b"<tr")


if __name__ == "__main__":
    main()
