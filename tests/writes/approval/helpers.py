"""What the tests of approvals look for."""

from django.contrib.auth.models import User

from console.models import AuditEvent
from operations.models import Operation
from tests.conftest import actor
from writes.actions import edit_cells
from writes.models import Approval, Write
from writes.worker.index_rows import rows_of as indexed_rows

CSV = b"external_id__c,LastName\nk-1,Name 1\nk-2,Name 2\nk-3,Name 3\n"


def fresh(approval: Approval) -> Approval:
    return Approval.objects.get(pk=approval.pk)


def nothing_is_queued() -> bool:
    return not Operation.objects.exists() and not Write.objects.filter(
        state=Write.State.CONFIRMED
    )


def actions(*prefixes: str) -> list[str]:
    found = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    return [action for action in found if action.startswith(prefixes)]


def edit(draft: Write, by: User) -> None:
    """Change a cell in the grid."""
    edits = [edit_cells.Edit(place=1, was="Name 1", text=f"By {by}")]
    with indexed_rows(draft) as rows:
        reading = rows.index.reading
    assert edit_cells.edit_cells(draft, 2, edits, reading=reading, actor=actor(by))
