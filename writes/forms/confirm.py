"""What is asked beside the Send button: nobody sends by accident, or unawares."""

from collections.abc import Sequence
from typing import Any

from django import forms

from console.models import EnvironmentControl
from console.ui.forms import StyledForm
from writes.models import Write

LONGEST_REASON = 200
MOST_ROWS = 2**31 - 1
BY_HAND = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class NameForm(StyledForm):
    """In production the name of the project, so that nobody writes live data unawares.

    Elsewhere it is not asked for.
    """

    name = forms.CharField(
        label="Name of the project", widget=forms.TextInput(attrs=BY_HAND)
    )

    def __init__(self, *args: Any, write: Write, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.project = write.project
        if not self.project.is_production:
            del self.fields["name"]
            return
        field = self.fields["name"]
        field.help_text = (
            f"Type “{self.project.name}” to confirm that you write live data."
        )
        field.error_messages["required"] = (
            f"Type the project's name, “{self.project.name}”."
        )

    def clean_name(self) -> str:
        """Refuse any other text than the project's name; case does not matter."""
        name: str = self.cleaned_data["name"]
        if name.casefold() != self.project.name.strip().casefold():
            raise forms.ValidationError(
                f"This is not the project's name. It is “{self.project.name}”.",
                code="other-name",
            )
        return name


class ConfirmForm(NameForm):
    """A reason for the write, and in production the name of the project.

    Of a file in parts also after how many failed rows no further part goes.

    Where the same content was sent already (`is_repeat`), the reason says why once
    more, and is required; `repeats` is the id of the write that this is said of.
    """

    repeats = forms.IntegerField(
        widget=forms.HiddenInput, min_value=1, max_value=2**63 - 1
    )
    reason = forms.CharField(
        label="Reason or ticket",
        max_length=LONGEST_REASON,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    stop_after = forms.IntegerField(
        label="Stop after this many failed rows",
        required=False,
        min_value=0,
        max_value=MOST_ROWS,
        help_text="Counted over all parts; parts already sent continue. If empty, "
        "failed rows do not stop the write; only a part that fails as a whole "
        "does.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )
    count = forms.CharField(
        label="Number of records to delete",
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )
    field_order: Sequence[str] = ("repeats", "reason", "stop_after", "count", "name")

    def __init__(
        self, *args: Any, write: Write, is_repeat: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, write=write, **kwargs)
        self.is_repeat = is_repeat
        control = EnvironmentControl.objects.of(self.project.environment)
        if is_repeat:
            self._ask_why_again()
        else:
            self._ask_for_reason(control)
            del self.fields["repeats"]
        has_parts = len(write.check_report.get("parts", [])) > 1
        if not (write.goes_in_parts and has_parts):
            del self.fields["stop_after"]
        self.row_count = write.row_count or 0
        is_file = write.source == Write.Source.CSV
        if is_file and write.action == Write.Action.DELETE:
            self._ask_for_count()
        else:
            del self.fields["count"]

    def _ask_why_again(self) -> None:
        field = self.fields["reason"]
        field.label = "Why send it again?"
        field.help_text = "Required. Kept with the write and in the audit trail."
        field.error_messages["required"] = "Say why you send the same content again."

    def _ask_for_reason(self, control: EnvironmentControl) -> None:
        field = self.fields["reason"]
        field.required = control.needs_reason
        field.error_messages["required"] = (
            f"{control} requires a reason or ticket. Say why you send this."
        )
        field.help_text = (
            f"{control} requires one for every write."
            if control.needs_reason
            else "Optional. Shown wherever this write is shown."
        )

    def _ask_for_count(self) -> None:
        field = self.fields["count"]
        field.help_text = (
            f"Type {self.row_count} to confirm how many records you delete."
        )
        field.error_messages["required"] = f"Type {self.row_count}."

    def clean_count(self) -> str:
        """Refuse any other number than that of the rows; commas do not matter."""
        typed: str = self.cleaned_data["count"]
        if typed.replace(",", "") != str(self.row_count):
            text = f"The file has {self.row_count:,} rows. Type {self.row_count}."
            raise forms.ValidationError(text, code="other-count")
        return typed

    def said(self) -> dict[str, Any]:
        """Return what was said, by the names that `confirm` takes."""
        asked = ("reason", "repeats", "stop_after")
        said = {n: value for n, value in self.cleaned_data.items() if n in asked}
        if self.is_repeat:
            said["repeat_reason"] = said["reason"]
        return said
