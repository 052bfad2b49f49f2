"""The forms in which an administrator describes connections."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from ampersand import SecretStr
from ampersand.notifications import key_of
from console.connections.manifest import (
    LARGEST,
    Manifest,
    ManifestInvalid,
    read_manifest,
)
from console.environments import Environment
from console.models import ApiKey, Group, Integration, Project, WriteObject
from console.redaction import remember
from console.ui.forms import StyledForm, StyledModelForm
from console.validators import validate_path_part, validate_webhook
from files.lines import text_lines

SHORTEST_KEY = 8
LONGEST_KEY = 500
LONGEST_WEBHOOK = 2_000


class ProjectForm(StyledModelForm):
    """A project and its addresses."""

    class Meta:
        model = Project
        fields = [
            "name",
            "remote_id",
            "environment",
            "write_url",
            "api_url",
            "generation",
            "search_url",
            "update_style",
            "id_spelling",
            "max_at_once",
            "max_per_second",
            "reads_per_second",
            "imports_operations",
        ]
        help_texts = {
            "name": "What your team calls it; shown wherever somebody writes.",
            "environment": "Production is marked in red wherever somebody writes.",
            "write_url": "Where records and CSV files are sent.",
        }
        error_messages = {
            "name": {"unique": "There is already a project with this name."}
        }

    def __init__(self, *args: Any, environments: Iterable[str], **kwargs: Any) -> None:
        """Offer `environments`: those where the person is an admin."""
        super().__init__(*args, **kwargs)
        self.fields["environment"].choices = [  # type: ignore[attr-defined]
            ("", "Choose…"),
            *((word, Environment(word).label) for word in environments),
        ]


class KeyForm(StyledModelForm):
    """A new API key. The value is never shown again, not even after an error."""

    value = forms.CharField(
        label="API key",
        strip=False,
        max_length=LONGEST_KEY,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "off", "spellcheck": "false"}
        ),
        help_text="Stored encrypted; only its last four characters will be shown.",
    )

    class Meta:
        model = ApiKey
        fields = ["label", "value"]
        help_texts = {
            "label": "To tell keys apart, for example “Main” or “Until June”."
        }

    def clean_value(self) -> SecretStr:
        """Refuse what no HTTP header can carry. No message repeats what was typed."""
        text: str = self.cleaned_data["value"]
        secret = SecretStr(text)
        remember(secret)
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValidationError(
                "Paste only the key: this has a space or a character that no key has.",
                code="characters",
            )
        if len(text) < SHORTEST_KEY:
            raise ValidationError(
                "This is too short for an API key.", code="min_length"
            )
        return secret


class HookForm(StyledForm):
    """What notifications are signed by. It is never shown again, nor after an error."""

    secret = forms.CharField(
        label="Signing secret",
        max_length=LONGEST_KEY,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "off", "spellcheck": "false"}
        ),
        help_text="As Ampersand shows it for the webhook: it begins with whsec_. "
        "Stored encrypted, and never shown.",
    )

    def clean_secret(self) -> SecretStr:
        """Refuse what cannot be one. No message repeats what was typed."""
        secret = SecretStr(self.cleaned_data["secret"])
        remember(secret)
        try:
            key_of(secret)
        except ValueError as error:
            raise ValidationError(str(error), code="secret") from None
        return secret


class WebhookForm(StyledForm):
    """Where notices go. The address is never shown again, nor after an error."""

    address = forms.CharField(
        label="Webhook address",
        max_length=LONGEST_WEBHOOK,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "off", "spellcheck": "false"}
        ),
        help_text="As Slack or Teams shows it for an incoming webhook: https:// and "
        "more. Stored encrypted, since whoever has it may post there.",
    )

    def clean_address(self) -> SecretStr:
        """Refuse what no message may go to. No message repeats what was typed."""
        address = SecretStr(self.cleaned_data["address"])
        remember(address)
        validate_webhook(address.reveal())
        return address


class NewValueForm(KeyForm):
    """The value that takes over from a key that is in use."""

    class Meta(KeyForm.Meta):
        fields = ["value"]


class NamesField(forms.Field):
    """Names typed one a line, as a list. Blank lines and spaces around do not count."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        lines = (line.strip() for line in text_lines(str(value or "")))
        return [line for line in lines if line]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != self.to_python(data)

    def validate(self, value: list[str]) -> None:
        super().validate(value)
        problems = [problem for name in value for problem in _problems(name)]
        problems += [
            ValidationError(f"“{name}” is there more than once.", code="twice")
            for name, count in Counter(value).items()
            if count > 1
        ]
        if problems:
            raise ValidationError(problems)


def _problems(name: str) -> list[ValidationError]:
    if len(name) > 200:
        text = f"“{name[:30]}…” is longer than 200 characters."
        return [ValidationError(text, code="max_length")]
    try:
        validate_path_part(name)
    except ValidationError as error:
        text = f"“{name}”: {error.message}"
        return [ValidationError(text, code=error.code)]
    return []


class IntegrationForm(StyledModelForm):
    """An integration with the objects that may be written through it."""

    objects = NamesField(
        label="Writable objects",
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text="One name per line, spelled as in amp.yaml, for example contact or "
        "tactics__c.",
    )

    class Meta:
        model = Integration
        fields = ["name", "remote_id", "provider"]
        help_texts = {"remote_id": "Ampersand takes either."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            names = self.instance.write_objects.values_list("name", flat=True)
            self.initial["objects"] = list(names)

    def clean_remote_id(self) -> str:
        """Refuse an integration that the project already has."""
        remote_id: str = self.cleaned_data["remote_id"]
        same = self.instance.project.integrations.filter(remote_id=remote_id)
        _need_new(self, same, "This project already has this integration.")
        return remote_id

    def save(self, commit: bool = True) -> Integration:
        """Save the integration and bring its objects in step with the list."""
        integration: Integration = super().save(commit)
        wanted = self.cleaned_data["objects"]
        integration.write_objects.exclude(name__in=wanted).delete()
        WriteObject.objects.bulk_create(
            [WriteObject(integration=integration, name=name) for name in wanted],
            ignore_conflicts=True,
        )
        return integration


class GroupForm(StyledModelForm):
    """A customer of an integration."""

    class Meta:
        model = Group
        fields = ["group_ref", "name"]
        labels = {"name": "Customer's name"}
        help_texts = {
            "group_ref": "The customer's id, as given to Ampersand at installation.",
            "name": "Shown beside the groupRef.",
        }

    def clean_group_ref(self) -> str:
        """Refuse a groupRef that the integration already has."""
        group_ref: str = self.cleaned_data["group_ref"]
        same = self.instance.integration.groups.filter(group_ref=group_ref)
        _need_new(self, same, "This integration already has this groupRef.")
        return group_ref


def _need_new(form: StyledModelForm, same: QuerySet[Any], text: str) -> None:
    """Raise `ValidationError` where another row than the form's is among `same`."""
    if same.exclude(pk=form.instance.pk).exists():
        raise ValidationError(text, code="unique")


class ManifestForm(StyledForm):
    """An amp.yaml. `cleaned_data["file"]` is its Manifest and `text` what it says."""

    text = ""

    file = forms.FileField(
        label="amp.yaml",
        widget=forms.FileInput(attrs={"accept": ".yaml,.yml"}),
        help_text="Up to 1 MiB. You see a preview before anything is added.",
    )

    def clean_file(self) -> Manifest:
        """Read the file, no further than is allowed."""
        content = self.cleaned_data["file"].read(LARGEST + 1)
        try:
            manifest = read_manifest(content)
        except ManifestInvalid as error:
            raise ValidationError(str(error), code="manifest") from None
        self.text = content.decode("utf-8-sig")
        return manifest
