"""The form of one record."""

from typing import Any

from django import forms

from writes.forms.salesforce_options import SalesforceOptions
from writes.forms.target import TargetForm, allowed_by_project, need_installed
from writes.models import Write

ACTIONS = [
    (action.value, action.label)
    for action in (Write.Action.CREATE, Write.Action.UPDATE, Write.Action.DELETE)
]


class RecordForm(SalesforceOptions, TargetForm):
    """One record to write or delete; `writes.forms.record_fields` reads its fields."""

    action = forms.ChoiceField(
        choices=ACTIONS, widget=forms.Select(attrs=allowed_by_project("actions"))
    )
    record_id = forms.CharField(
        label="Record id",
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
            group, chosen = cleaned.get("group"), cleaned.get("object")
            if group and chosen:
                need_installed(self, group, chosen, action)
            self.need_takable(cleaned.get("project"), cleaned.get("integration"))
        return cleaned


def need_id(text: str) -> None:
    """Raise `ValidationError` for what is no id of a record."""
    if not text.isprintable() or " " in text:
        raise forms.ValidationError(
            "An id has no spaces or invisible characters.", code="spaces"
        )
