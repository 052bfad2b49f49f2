"""The form of one record."""

from django import forms

from writes.forms.target import TargetForm
from writes.models import Write


class RecordForm(TargetForm):
    """One record to create or update; `writes.forms.record_fields` reads its fields."""

    action = forms.ChoiceField(choices=[("create", "Create"), ("update", "Update")])
    record_id = forms.CharField(
        label="Record ID",
        required=False,
        max_length=100,
        help_text="The id of the record in the customer's SaaS. Only for an update.",
    )

    def clean_record_id(self) -> str:
        """Refuse a missing id for an update; an id for a create is left out."""
        record_id: str = self.cleaned_data["record_id"]
        if self.cleaned_data.get("action") != Write.Action.UPDATE:
            return ""
        if not record_id:
            raise forms.ValidationError(
                "An update needs the id of the record.", code="required"
            )
        need_id(record_id)
        return record_id


def need_id(text: str) -> None:
    """Raise `ValidationError` for what is no id of a record."""
    if not text.isprintable() or " " in text:
        raise forms.ValidationError(
            "An id has no spaces or invisible characters.", code="spaces"
        )
