"""Changing connections: each change and its audit event in one transaction."""

from typing import Any

from django import forms
from django.db import models, transaction

from console.actor import SYSTEM, Actor
from console.models import ApiKey, AuditEvent, Group, Integration, Project

Connection = Project | ApiKey | Integration | Group


def save_form(
    form: "forms.ModelForm[Any]", *, action: str, actor: Actor = SYSTEM
) -> Any:
    """Save a valid form and record it with the values that changed; return the row.

    Values typed into password fields are never recorded.
    """
    detail = _detail(form)
    with transaction.atomic():
        row = form.save()
        record(action, row, actor, detail)
    return row


def delete(row: Connection, *, action: str, actor: Actor) -> None:
    """Delete a row and record it. Ask `what_refers_to` first."""
    with transaction.atomic():
        record(action, row, actor)
        row.delete()


def record(
    action: str,
    row: Connection,
    actor: Actor,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add an audit event about a connection, linked to its project's page."""
    AuditEvent.record(
        action=action,
        actor=actor,
        subject=str(row),
        about=row.project,
        detail=detail,
    )


def what_refers_to(*rows: models.Model) -> list[str]:
    """Return the names of the tables, as "operations", that forbid deleting `rows`.

    Asks each only whether there is one: `ProtectedError` would load all of them.
    """
    names = {
        str(relation.related_model._meta.verbose_name_plural)
        for row in rows
        for relation in row._meta.related_objects
        if relation.on_delete is models.PROTECT
        and relation.related_model._default_manager.filter(
            **{relation.field.name: row}
        ).exists()
    }
    return sorted(names)


def _detail(form: "forms.ModelForm[Any]") -> dict[str, Any]:
    """Return {name: value} of a new row, {name: [before, after]} of a changed one."""
    names = [
        name
        for name, field in form.fields.items()
        if not isinstance(field.widget, forms.PasswordInput)
    ]
    if form.instance._state.adding:
        return {name: form.cleaned_data[name] for name in names}
    return {
        name: [form.initial.get(name), form.cleaned_data[name]]
        for name in names
        if name in form.changed_data
    }
