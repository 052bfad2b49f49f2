"""The field list of an object: look at it, import a describe, or write it by hand."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from console.access.roles import Role, require_admin, require_viewer
from console.actor import Actor
from console.connections.field_list_forms import (
    LARGEST_DESCRIBE,
    DescribeForm,
    LinesForm,
)
from console.connections.field_lists import change_fields
from console.http import ConsoleRequest
from console.models import WriteObject
from console.uploads import takes_file
from console.views.lookup import find_object
from console.views.pages import posted
from files.field import Field
from files.fields.field_lists import as_lines


@require_safe
@require_viewer
def fields(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Show the fields of an object in a table."""
    row = find_object(request, pk, Role.VIEWER)
    context = {**_context(row), "fields": row.field_list()}
    return render(request, "console/fields.html", context)


@require_http_methods(["GET", "POST"])
@require_admin
@takes_file(LARGEST_DESCRIBE)
def fields_import(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Take the fields from a describe; the list that was there is replaced."""
    row = find_object(request, pk, Role.ADMIN)
    form = DescribeForm(posted(request), request.FILES or None)
    if not form.is_valid():
        context = {**_context(row), "form": form}
        status = 422 if form.errors else 200
        return render(request, "console/fields_import.html", context, status=status)
    source = WriteObject.FieldsFrom.DESCRIBE
    _change(request, row, form.fields_found, source)
    if form.object_name and form.object_name.lower() != row.name.lower():
        messages.warning(
            request,
            f"The describe is of “{form.object_name[:80]}” and this object is “{row}”."
            " Make sure that it was the right one.",
        )
    return redirect(row)


@require_http_methods(["GET", "POST"])
@require_admin
def fields_edit(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Change the list by hand, one field a line."""
    row = find_object(request, pk, Role.ADMIN)
    form = LinesForm(posted(request), initial={"lines": as_lines(row.field_list())})
    if not form.is_valid():
        context = {**_context(row), "form": form}
        status = 422 if form.errors else 200
        return render(request, "console/fields_edit.html", context, status=status)
    source = WriteObject.FieldsFrom.BY_HAND
    _change(request, row, form.cleaned_data["lines"], source)
    return redirect(row)


def _context(row: WriteObject) -> dict[str, object]:
    return {"object": row, "project": row.project}


def _change(
    request: ConsoleRequest,
    row: WriteObject,
    found: list[Field],
    source: WriteObject.FieldsFrom,
) -> None:
    if not change_fields(row, found, source=source, actor=Actor.of(request)):
        messages.info(request, f"The fields of {row} were exactly these already.")
    elif found:
        messages.success(request, f"{row} has {len(found):,} fields now.")
    else:
        messages.success(request, f"The field list of {row} is removed.")
