"""The field list of an object: look at it, import a describe, or write it by hand."""

from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from console.access.roles import Role, require_admin, require_operator, require_viewer
from console.actor import Actor
from console.connections.ask import NotAnswered
from console.connections.field_list_forms import (
    LARGEST_DESCRIBE,
    DescribeForm,
    LinesForm,
)
from console.connections.field_lists import change_fields
from console.connections.object_metadata import fetch_fields, fields_for
from console.http import ConsoleRequest
from console.models import AuditEvent, Group, ObjectMetadata, WriteObject
from console.sign_in import kept_form
from console.uploads import takes_file
from console.validators import LARGEST_ID, whole_number
from console.views.lookup import find_object
from console.views.pages import posted
from files.field import Field
from files.fields.field_lists import as_lines


@require_safe
@require_viewer
def fields(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Show the fields of an object in a table."""
    row = find_object(request, pk, Role.VIEWER)
    group = _chosen(row, request.GET.get("group", ""))
    shown = fields_for(row, group) if group else row.field_list()
    context = {
        **_context(row),
        "fields": shown,
        "group": group,
        "groups": _with_metadata(row),
    }
    return render(request, "console/fields.html", context)


@require_POST
@require_operator
def fields_fetch(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Ask Ampersand for the fields that an object has for one customer."""
    row = find_object(request, pk, Role.OPERATOR)
    group = _chosen(row, request.POST.get("group", ""))
    if group is None:
        messages.error(
            request, "Nothing was fetched. Choose a customer of this integration."
        )
        return redirect(row)
    try:
        kept = fetch_fields(row, group)
    except NotAnswered as error:
        _tell_fetch(request, row, group, problem=str(error))
        messages.error(request, f"Nothing was changed for {group}. {error}")
        return redirect(row)
    _tell_fetch(request, row, group, fields=len(kept.fields))
    messages.success(request, f"{row} has {len(kept.fields):,} fields for {group}.")
    return redirect(f"{row.get_absolute_url()}?group={group.pk}")


def _tell_fetch(
    request: ConsoleRequest, row: WriteObject, group: Group, **detail: object
) -> None:
    AuditEvent.record(
        action="fields.fetched",
        subject=f"{row} of {row.integration}",
        about=row,
        actor=Actor.of(request),
        detail={"group": group.group_ref, **detail},
    )


def _chosen(row: WriteObject, text: str) -> Group | None:
    pk = whole_number(text, most=LARGEST_ID) or 0
    return row.integration.groups.filter(pk=pk).first()


def _with_metadata(row: WriteObject) -> QuerySet[Group]:
    """Return the groups, each with what is kept of the object for it as `told`."""
    told = ObjectMetadata.objects.filter(write_object=row)
    return row.integration.groups.prefetch_related(
        Prefetch("metadata", queryset=told, to_attr="told")
    )


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
            f"The file describes “{form.object_name[:80]}”, but this object is “{row}”."
            " Check that it was the right file.",
        )
    return redirect(row)


@require_http_methods(["GET", "POST"])
@require_admin
def fields_edit(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Change the list by hand, one field a line."""
    row = find_object(request, pk, Role.ADMIN)
    form = LinesForm(posted(request), initial={"lines": as_lines(row.field_list())})
    if not form.is_valid():
        kept_form.fill(form, request)
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
