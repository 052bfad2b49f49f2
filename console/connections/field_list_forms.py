"""The forms in which an administrator gives an object its fields."""

from typing import Any, Protocol

from django import forms
from django.core.exceptions import ValidationError

from console.ui.forms import StyledForm
from files.field import Field
from files.fields.describe import described_object
from files.fields.field_lists import InvalidFields, from_describe, from_lines

# A describe of a large object with its picklists is some five MiB.
LARGEST_DESCRIBE = 20 * 1024 * 1024
PROBLEMS_SHOWN = 20


class DescribeForm(StyledForm):
    """A describe, as a file or pasted. When valid, `fields_found` is set."""

    fields_found: list[Field]
    object_name = ""

    file = forms.FileField(
        label="Describe file",
        required=False,
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
        help_text="JSON, up to 20 MiB.",
    )
    text = forms.CharField(
        label="Or paste the JSON here",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text="Up to 2 MiB; upload a file for more.",
    )

    def clean(self) -> dict[str, Any]:
        """Read the describe, from the one place where it was given."""
        cleaned = super().clean() or self.cleaned_data
        file, text = cleaned.get("file"), cleaned.get("text", "")
        if self.errors:
            return cleaned
        if bool(file) == bool(text.strip()):
            raise ValidationError(
                "Choose a file or paste the text, not both."
                if file
                else "Choose a file or paste its text.",
                code="not-one-place",
            )
        name = "file" if file else "text"
        try:
            content = _content(file) if file else text
            self.fields_found = from_describe(content)
            self.object_name = described_object(content)
        except InvalidFields as error:
            self.add_error(name, _shown(error))
        return cleaned


class LinesForm(StyledForm):
    """A field list, one field a line. `cleaned_data["lines"]` holds the fields."""

    lines = forms.CharField(
        label="Fields",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false"}),
    )

    def clean_lines(self) -> list[Field]:
        """Read the lines; every line that cannot be read is told."""
        try:
            return from_lines(self.cleaned_data["lines"])
        except InvalidFields as error:
            raise ValidationError(_shown(error)) from None


class _Upload(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _content(file: _Upload) -> str:
    """Return the text of an upload, read no further than is allowed."""
    content = file.read(LARGEST_DESCRIBE + 1)
    if len(content) > LARGEST_DESCRIBE:
        raise InvalidFields(["The file is larger than 20 MiB."])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidFields(["The file is not in UTF-8, so it is not JSON."]) from None


def _shown(error: InvalidFields) -> list[str]:
    """Return the problems, or the first of them and how many more there are."""
    rest = len(error.problems) - PROBLEMS_SHOWN
    more = [f"… and {rest:,} more."] if rest > 0 else []
    return error.problems[:PROBLEMS_SHOWN] + more
