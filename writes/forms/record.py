"""The form of one record."""

from typing import Any

from django import forms
from django.utils import timezone

from console.models import Group, WriteObject
from writes.forms.target import TargetForm
from writes.models import Write

ACTIONS = [
    (action.value, action.label)
    for action in (Write.Action.CREATE, Write.Action.UPDATE, Write.Action.DELETE)
]


class RecordForm(TargetForm):
    """One record to write or delete; `writes.forms.record_fields` reads its fields."""

    action = forms.ChoiceField(choices=ACTIONS)
    record_id = forms.CharField(
        label="Record ID",
        required=False,
        max_length=100,
        help_text="The id of the record in the customer's SaaS. Not for a create.",
    )

    def clean_record_id(self) -> str:
        """Refuse a missing id, except for a create: an id for that is left out."""
        record_id: str = self.cleaned_data["record_id"]
        action = self.cleaned_data.get("action")
        if action in (None, Write.Action.CREATE):
            return ""
        if not record_id:
            raise forms.ValidationError(
                f"{Write.Action(action).label} needs the id of the record.",
                code="required",
            )
        need_id(record_id)
        return record_id

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if action := cleaned.get("action"):
            self.need_capable("action", action)
            self._need_installed(action)
        return cleaned

    def _need_installed(self, action: str) -> None:
        """Refuse what the customer's installation does not have, as Ampersand told."""
        group: Group | None = self.cleaned_data.get("group")
        chosen: WriteObject | None = self.cleaned_data.get("object")
        if group is None or chosen is None:
            return
        if group.lacks(chosen.name):
            text = (
                f"{group} has no {chosen} to write, as Ampersand told {_as_of(group)}"
            )
            self.add_error("object", forms.ValidationError(text, code="not-installed"))
        elif action == Write.Action.DELETE and group.forbids_deleting(chosen.name):
            text = f"{group} did not allow to delete a {chosen}, as of {_as_of(group)}"
            self.add_error("action", forms.ValidationError(text, code="not-allowed"))


def _as_of(group: Group) -> str:
    moment = timezone.localtime(group.seen_at).strftime("%-d %b %Y %H:%M")
    return f"{moment}. An admin can fetch it again, on the page of the project."


def need_id(text: str) -> None:
    """Raise `ValidationError` for what is no id of a record."""
    if not text.isprintable() or " " in text:
        raise forms.ValidationError(
            "An id has no spaces or invisible characters.", code="spaces"
        )
