"""The columns of the list of operations that a person chooses: head and cells.

Drawn here and not by the template, which took twice as long for fifty lines of them
(docs/decisions/operations.md).
"""

from collections.abc import Callable

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from console.templatetags.console import duration, environment_badge, thousands
from operations.models import Operation
from operations.models.list_settings import Column, ListSettings

NUMBERS = (
    Column.SUCCEEDED,
    Column.FAILED,
    Column.ROWS,
    Column.DURATION,
    Column.ID,
)


def head_cells(looks: ListSettings) -> SafeString:
    """Return the heads of the chosen columns."""
    chosen = (column for column in Column if column in looks.columns)
    heads = (("number" if column in NUMBERS else "", column.label) for column in chosen)
    return format_html_join("", '<th scope="col" class="{}">{}</th>', heads)


def cells(operation: Operation, looks: ListSettings) -> SafeString:
    """Return the cells of the chosen columns of an operation.

    Like the list has it: with its project, `group_name`, `write_number` and `took`.
    """
    chosen = (column for column in Column if column in looks.columns)
    return format_html_join(
        "", "{}", ((_CELLS[column](operation),) for column in chosen)
    )


def _text(value: str) -> SafeString:
    return format_html("<td>{}</td>", value or "–")


def _code(value: str) -> SafeString:
    return format_html("<td><code>{}</code></td>", value) if value else _text("")


def _count(name: str, value: int | None) -> SafeString:
    return format_html(
        '<td data-label="{}" class="number">{}</td>', name, thousands(value)
    )


def _customer(operation: Operation) -> SafeString:
    name = getattr(operation, "group_name", "") or operation.group_ref or "–"
    return format_html('<td class="customer">{}</td>', name)


def _project(operation: Operation) -> SafeString:
    return format_html(
        '<td><span class="project-name">{}</span> {}</td>',
        operation.project.name,
        environment_badge(operation.project),
    )


def _write(operation: Operation) -> SafeString:
    number = operation.write_number
    if not number:
        return format_html('<td data-label="{}">–</td>', Column.WRITE.label)
    return format_html(
        '<td data-label="{}"><a href="{}">{}</a></td>',
        Column.WRITE.label,
        reverse("writes:detail", args=[number]),
        number,
    )


def _failed(operation: Operation) -> SafeString:
    return format_html(
        '<td data-label="{}" class="number{}">{}</td>',
        Column.FAILED.label,
        " bad" if operation.rows_failed else "",
        thousands(operation.rows_failed),
    )


def _duration(operation: Operation) -> SafeString:
    took = operation.took
    return format_html(
        '<td data-label="{}" class="number">{}</td>',
        Column.DURATION.label,
        "–" if took is None else duration(took),
    )


_CELLS: dict[Column, Callable[[Operation], SafeString]] = {
    Column.CUSTOMER: _customer,
    Column.PROJECT: _project,
    Column.USER: lambda o: _text(o.started_by_name),
    Column.SOURCE: lambda o: _text(o.get_source_display()),
    Column.WRITE: _write,
    Column.REASON: lambda o: _text(o.purpose),
    Column.RECORD: lambda o: _code(o.record_id),
    Column.REMOTE: lambda o: _code(o.remote_id),
    Column.SUCCEEDED: lambda o: _count(Column.SUCCEEDED.label, o.rows_succeeded),
    Column.FAILED: _failed,
    Column.ROWS: lambda o: _count(Column.ROWS.label, o.rows_sent),
    Column.DURATION: _duration,
    Column.ID: lambda o: format_html('<td class="number quiet">#{}</td>', o.pk),
}
