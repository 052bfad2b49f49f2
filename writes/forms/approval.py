"""What is asked of who decides about a write that waits for approval."""

from django import forms

from console.ui.forms import StyledForm
from writes.forms.confirm import NameForm
from writes.models.approval import LONGEST_NOTE


class ApproveForm(NameForm):
    """A note, and in production the name of the project: approving queues the write."""

    note = forms.CharField(
        label="Note",
        required=False,
        max_length=LONGEST_NOTE,
        help_text="Optional. Kept with the write and in the audit trail.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("note", "name")


class RefuseForm(StyledForm):
    """Why it is not to be sent: who asked has to know what to do about it."""

    ids = "id_refuse_%s"
    note = forms.CharField(
        label="Why not?",
        max_length=LONGEST_NOTE,
        help_text="Required. Shown to who asked, and kept in the audit trail.",
        error_messages={"required": "Say why, so that it can be put right."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
