"""Operations as a table for spreadsheets: all that the filters let through."""

from collections.abc import Iterable, Iterator
from itertools import batched

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console.access.roles import require_viewer
from console.http import ConsoleRequest
from console.ui.downloads import note_download
from operations.csv_export import csv_lines, download
from operations.filters import OperationFilter
from operations.models import Operation
from operations.views.lookup import name_groups

COLUMNS = (
    "id",
    "created_at",
    "state",
    "action",
    "object",
    "customer",
    "group_ref",
    "project",
    "environment",
    "integration",
    "user",
    "source",
    "write",
    "part",
    "rows",
    "rows_succeeded",
    "rows_failed",
    "rows_unknown",
    "sent_at",
    "ended_at",
    "seconds",
    "record_id",
    "operation_id_in_ampersand",
    "api_status",
    "request_id",
    "reason_or_ticket",
    "details",
    "resolution",
)
# So many are read at a time, with the names of their customers.
BLOCK = 500


@require_safe
@never_cache
@require_viewer  # type: ignore[arg-type]
def operations_csv(request: ConsoleRequest) -> HttpResponseBase:
    """Send what the filters let through as CSV for spreadsheets, as the list has it."""
    chosen = OperationFilter(request.GET, user=request.user)
    if not chosen.is_valid():
        return HttpResponse("These filters are not valid.", status=400)
    visible = Operation.objects.visible_to(request.user)
    newest = visible.newest_first().values_list("pk", flat=True).first() or 0
    # What begins while the file is sent is not in it.
    listed = visible.for_list().select_related("project", "integration")
    found = chosen.page(listed.filter(pk__lte=newest))
    note_download(
        request,
        "operations.downloaded",
        "Operations as CSV",
        told=lambda: {"filters": chosen.narrowing, "newest": newest},
    )
    return download(operation_lines(found.iterator(BLOCK)), file_name="operations.csv")


def operation_lines(operations: Iterable[Operation]) -> Iterator[str]:
    """Yield the lines of the table, a few hundred operations at a time."""
    return csv_lines(COLUMNS, _rows(operations))


def _rows(operations: Iterable[Operation]) -> Iterator[list[object]]:
    for block in batched(operations, BLOCK):
        name_groups(block)
        yield from map(_cells, block)


def _cells(operation: Operation) -> list[object]:
    took = operation.took
    return [
        operation.pk,
        operation.created_at.isoformat(),
        operation.state_label,
        operation.get_action_display(),
        operation.object_name,
        operation.group_name,  # type: ignore[attr-defined]
        operation.group_ref,
        operation.project.name,
        operation.project.get_environment_display(),
        operation.integration.name if operation.integration else "",
        operation.started_by_name,
        operation.get_source_display(),
        operation.write_number,
        operation.part,
        operation.rows_sent,
        operation.rows_succeeded,
        operation.rows_failed,
        operation.rows_unknown,
        operation.sent_at and operation.sent_at.isoformat(),
        operation.ended_at and operation.ended_at.isoformat(),
        None if took is None else round(took.total_seconds(), 3),
        operation.record_id,
        operation.remote_id,
        operation.remote_status,
        operation.request_id,
        operation.purpose,
        operation.reason,
        operation.resolution,
    ]
