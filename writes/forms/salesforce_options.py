"""What Salesforce shall do besides: headers that Ampersand hands on to it."""

from typing import Any

from django import forms

from ampersand import SALESFORCE, RequestInvalid
from ampersand.provider_headers import (
    AUTO_ASSIGN,
    CALL_OPTIONS,
    DUPLICATE_RULE,
    MRU,
    allowed,
)
from console.models import Integration, Project

FLAGS = {
    "allow_save": "allowSave",
    "include_record_details": "includeRecordDetails",
    "run_as_current_user": "runAsCurrentUser",
}
OPTIONS = ("auto_assign", "assignment_rule", *FLAGS, "update_mru", "client")


class SalesforceOptions(forms.Form):
    """The options for Salesforce; a form of a write has them beside its own fields."""

    auto_assign = forms.ChoiceField(
        label="Assignment rules",
        choices=[
            ("", "Salesforce's default"),
            ("TRUE", "Apply the active rule"),
            ("FALSE", "Do not apply rules"),
        ],
        required=False,
    )
    assignment_rule = forms.RegexField(
        "^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$",
        label="Or a rule id",
        required=False,
        error_messages={"invalid": "A rule id has 15 or 18 letters and digits."},
    )
    allow_save = forms.BooleanField(
        label="Save despite duplicate alerts", required=False
    )
    include_record_details = forms.BooleanField(
        label="Return fields of duplicates", required=False
    )
    run_as_current_user = forms.BooleanField(
        label="Check duplicates with the connected user's sharing rules",
        required=False,
    )
    update_mru = forms.BooleanField(
        label="Add to recently used records", required=False
    )
    client = forms.RegexField(
        "^[A-Za-z0-9._/-]{1,100}$",
        label="Client",
        required=False,
        help_text="A partner's client id from Salesforce.",
        error_messages={"invalid": "Letters, digits and . _ / - only, up to 100."},
    )

    @property
    def has_options(self) -> bool:
        """Whether any is chosen, or wrong, so that they should be seen."""
        values = (self[name].value() for name in OPTIONS)
        return any(values) or any(name in self.errors for name in OPTIONS)

    def headers(self) -> dict[str, str]:
        """Return the headers by name, of a valid form."""
        said = self.cleaned_data
        flags = [f"{flag}=true" for name, flag in FLAGS.items() if said[name]]
        found = {
            AUTO_ASSIGN: said["assignment_rule"] or said["auto_assign"],
            DUPLICATE_RULE: "; ".join(flags),
            MRU: "updateMru=true" if said["update_mru"] else "",
            CALL_OPTIONS: f"client={said['client']}" if said["client"] else "",
        }
        return {name: value for name, value in found.items() if value}

    def need_takable(
        self, project: Project | None, integration: Integration | None
    ) -> None:
        """Put an error where options are chosen that cannot be handed on."""
        said = self.cleaned_data
        if said.get("auto_assign") and said.get("assignment_rule"):
            text = "Choose either an option or a rule id."
            self.add_error("assignment_rule", forms.ValidationError(text, code="both"))
        if (
            project is None
            or integration is None
            or any(n in self.errors for n in OPTIONS)
        ):
            return
        try:
            headers = allowed(self.headers().items())
        except RequestInvalid as error:
            self.add_error(None, forms.ValidationError(str(error), code="headers"))
            return
        is_taken = project.capabilities.takes_headers
        if headers and not (is_taken and integration.provider in SALESFORCE):
            text = (
                "Clear the Salesforce options: only Salesforce accepts them, through "
                "a project that uses the current Write API."
            )
            name = next(name for name in OPTIONS if said[name])
            self.add_error(name, forms.ValidationError(text, code="not-taken"))


def initial_options(headers: dict[str, str]) -> dict[str, Any]:
    """Return what the fields start with, from the headers of an earlier write."""
    rule = headers.get(AUTO_ASSIGN, "")
    is_word = rule in ("TRUE", "FALSE")
    flags = headers.get(DUPLICATE_RULE, "").split("; ")
    return {
        "auto_assign": rule if is_word else "",
        "assignment_rule": "" if is_word else rule,
        **{name: f"{flag}=true" in flags for name, flag in FLAGS.items()},
        "update_mru": headers.get(MRU) == "updateMru=true",
        "client": headers.get(CALL_OPTIONS, "").removeprefix("client="),
    }
