"""What a person tells about a write whose outcome is unknown."""

from typing import Any

from django import forms

from console.ui.forms import StyledForm
from operations.actions import follow
from writes.actions.resend import could_duplicate
from writes.forms.confirm import LONGEST_REASON, ConfirmForm
from writes.forms.record import need_id
from writes.models import Batch


class LinkForm(StyledForm):
    """Which operation of Ampersand it is."""

    ids = "link_%s"
    remote_id = forms.CharField(
        label="Operation id",
        max_length=200,
        help_text="As Ampersand's dashboard shows it.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    is_sure = forms.BooleanField(label="Link it anyway", required=False)

    def clean_remote_id(self) -> str:
        """Refuse what cannot be an id."""
        remote_id: str = self.cleaned_data["remote_id"]
        follow.validate_remote_id(remote_id)
        return remote_id


class WrittenForm(StyledForm):
    """Under which id the one record was found."""

    ids = "written_%s"
    record_id = forms.CharField(
        label="Record id",
        max_length=100,
        help_text="The id of the record in the customer's SaaS.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, expected: str = "", **kwargs: Any) -> None:
        """`expected` is the id of the record to update, "" for a new one."""
        super().__init__(*args, initial={"record_id": expected}, **kwargs)
        self.expected = expected

    def clean_record_id(self) -> str:
        """Refuse what is no id, and for an update another record's."""
        record_id: str = self.cleaned_data["record_id"]
        need_id(record_id)
        if self.expected and record_id != self.expected:
            raise forms.ValidationError(
                f"This was an update of the record {self.expected}, of no other.",
                code="other-record",
            )
        return record_id


class NotWrittenForm(StyledForm):
    """How it was found out that nothing arrived."""

    ids = "not_written_%s"
    looked_at = forms.CharField(
        label="What did you check?",
        max_length=LONGEST_REASON,
        help_text="For your colleagues, for example “no such contact in Salesforce”.",
    )


class AgainForm(ConfirmForm):
    """What is asked for before the same is sent once more.

    Where that could duplicate: a reason, and a word that somebody looked. Else no more
    than the environment asks of every write.
    """

    ids = "again_%s"
    looked = forms.BooleanField(
        label="I checked, and it was not written",
        error_messages={"required": "Check first, then confirm this."},
    )
    field_order = ("looked", "reason", "name")

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        risky = could_duplicate(batch)
        super().__init__(*args, write=batch.write, is_repeat=risky, **kwargs)
        self.usual = f"The outcome of operation #{batch.operation_id} is unknown."
        if risky:
            del self.fields["repeats"]
            return
        del self.fields["looked"]
        if not self.fields["reason"].required:
            del self.fields["reason"]

    def said(self) -> dict[str, str]:
        """Return what was said, by the names that `confirming.confirm` takes."""
        reason = self.cleaned_data.get("reason", "")
        return {"reason": reason, "repeat_reason": reason or self.usual}
