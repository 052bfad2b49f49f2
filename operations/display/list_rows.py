"""The rows of the list of operations, with the columns that a person chooses.

Drawn here and not by the template, which took several times as long for fifty of them
(docs/decisions/operations.md).
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from console.templatetags.console import duration, environment_badge, moment, thousands
from operations.display.state_badge import state_badge
from operations.display.times import ago
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


def list_rows(operations: Iterable[Operation], looks: ListSettings) -> SafeString:
    """Return the rows of operations.

    Like the list has them: with project, `group_name`, `write_number` and `took`.
    """
    cells = [_CELLS[column] for column in Column if column in looks.columns]
    html = f"<tr>{_FIRST}{''.join(cell.html for cell in cells)}</tr>\n"
    rows = (
        (
            *_first(operation, shows_ago=looks.shows_ago),
            *(value for cell in cells for value in cell.values(operation)),
        )
        for operation in operations
    )
    return format_html_join("", html, rows)


_FIRST = (
    '<td class="pick"><input class="form-check-input" type="checkbox" name="operation"'
    ' value="{}" id="pick-{}" aria-label="Select operation {}" autocomplete="off"></td>'
    '<td class="moment">{}</td><td>{}</td>'
    '<td class="row-title"><a id="operation-{}" href="{}">{} {}{}</a>{}</td>'
)


def _first(operation: Operation, *, shows_ago: bool) -> tuple[object, ...]:
    """Return the values of the columns that every list has."""
    pk, part = operation.pk, operation.part
    began = operation.created_at
    return (
        *(pk, pk, pk),
        moment(began, ago(began) if shows_ago else ""),
        state_badge(operation),
        pk,
        operation.get_absolute_url(),
        _ACTIONS[operation.action],
        operation.object_name,
        f", {part}" if part else "",
        _of_write(operation) if part and operation.write_number else "",
    )


def _of_write(operation: Operation) -> SafeString:
    return format_html(
        ' <a class="of-write" href="{}">of write {}</a>',
        _write_address(operation),
        operation.write_number,
    )


def _write_address(operation: Operation) -> str:
    return reverse("writes:detail", args=[operation.write_number])


class _Cell(NamedTuple):
    """A cell: its HTML, with a place for each of its values."""

    html: str
    values: Callable[[Operation], tuple[object, ...]]


def _number(column: Column, value: Callable[[Operation], object]) -> _Cell:
    html = f'<td data-label="{column.label}" class="number">{{}}</td>'
    return _Cell(html, lambda operation: (value(operation),))


def _text(value: Callable[[Operation], str]) -> _Cell:
    return _Cell("<td>{}</td>", lambda operation: (value(operation) or "–",))


def _code(value: str) -> str:
    return format_html("<code>{}</code>", value) if value else ""


def _customer(operation: Operation) -> tuple[object, ...]:
    return (getattr(operation, "group_name", "") or operation.group_ref or "–",)


def _project(operation: Operation) -> tuple[object, ...]:
    return operation.project.name, environment_badge(operation.project)


def _write(operation: Operation) -> tuple[object, ...]:
    number = operation.write_number
    if not number:
        return ("–",)
    return (format_html('<a href="{}">{}</a>', _write_address(operation), number),)


def _failed(operation: Operation) -> tuple[object, ...]:
    failed = operation.rows_failed
    return " bad" if failed else "", thousands(failed)


def _duration(operation: Operation) -> str:
    return "–" if operation.took is None else duration(operation.took)


# Django's `get_…_display` makes these anew for each of them.
_ACTIONS = dict(Operation.Action.choices)
_SOURCES = dict(Operation.Source.choices)

_CELLS: dict[Column, _Cell] = {
    Column.CUSTOMER: _Cell('<td class="customer">{}</td>', _customer),
    Column.PROJECT: _Cell('<td><span class="project-name">{}</span> {}</td>', _project),
    Column.USER: _text(lambda o: o.started_by_name),
    Column.SOURCE: _text(lambda o: _SOURCES.get(o.source, "")),
    Column.WRITE: _Cell(f'<td data-label="{Column.WRITE.label}">{{}}</td>', _write),
    Column.REASON: _text(lambda o: o.purpose),
    Column.RECORD: _text(lambda o: _code(o.record_id)),
    Column.REMOTE: _text(lambda o: _code(o.remote_id)),
    Column.SUCCEEDED: _number(Column.SUCCEEDED, lambda o: thousands(o.rows_succeeded)),
    Column.FAILED: _Cell(
        f'<td data-label="{Column.FAILED.label}" class="number{{}}">{{}}</td>', _failed
    ),
    Column.ROWS: _number(Column.ROWS, lambda o: thousands(o.rows_sent)),
    Column.DURATION: _number(Column.DURATION, _duration),
    Column.ID: _Cell('<td class="number quiet">#{}</td>', lambda o: (o.pk,)),
}
