"""The forms of an upsert: a CSV file, a URL."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile

from ampersand import LONGEST_DEADLINE
from console.validators import endpoint, validate_reference
from files.pasted import as_csv
from files.remote.addresses import is_private_host
from writes.forms.salesforce_options import SalesforceOptions
from writes.forms.target import TargetForm, allowed_by_project, need_installed
from writes.models import KeptFile, Write

LONGEST_URL = 4000
# What cells that were pasted are called.
PASTED = "pasted.csv"


class UpsertForm(TargetForm):
    """What a CSV file and a URL have in common."""

    primary_key = forms.CharField(
        label="Primary key",
        max_length=200,
        validators=[validate_reference],
        help_text=(
            "The column that decides between create and update: id, or an External ID "
            "field, for example external_id__c."
        ),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )


ACTIONS = [
    ("upsert", "Upsert by a key"),
    ("create", "Create"),
    ("update", "Update by id"),
    ("by_id", "Create or update by id"),
    ("by_key", "Create or update by a key, looked up first"),
    ("delete", "Delete"),
]


MODES = [
    ("synchronous", "Synchronous: result of every row at once"),
    ("asynchronous", "Asynchronous: written later"),
]
# The kinds of write that can be done so.
DEFERRABLE = (Write.Action.CREATE, Write.Action.UPDATE)


class CsvForm(SalesforceOptions, UpsertForm):
    """Many records from a file on the operator's machine."""

    action = forms.ChoiceField(
        choices=ACTIONS,
        required=False,
        initial="upsert",
        widget=forms.Select(attrs=allowed_by_project("actions")),
    )
    all_or_none = forms.BooleanField(
        label="All or none",
        required=False,
        help_text="A request has up to 100 rows. If one of them fails, none of that "
        "request is written.",
    )
    mode = forms.ChoiceField(
        label="How Ampersand writes",
        choices=MODES,
        required=False,
        initial="synchronous",
        widget=forms.Select(attrs=allowed_by_project("modes")),
        help_text="Asynchronous suits updates of a system that is often busy. For an "
        "asynchronous create, Ampersand does not say which rows failed when "
        "only some did, and records can be created twice when a try timed out. "
        "Deletes are always synchronous.",
    )
    deadline_hours = forms.IntegerField(
        label="Hours to retry",
        required=False,
        min_value=1,
        max_value=LONGEST_DEADLINE,
        help_text=f"1 to {LONGEST_DEADLINE}; 1 if empty.",
    )
    # The file comes first: one that is kept already, chosen now, or pasted as cells.
    upload = forms.UUIDField(widget=forms.HiddenInput, required=False)
    pasted = forms.CharField(
        label="Or paste cells",
        required=False,
        strip=False,
        help_text="Copied from a spreadsheet, with the header row.",
        widget=forms.Textarea(
            attrs={"rows": 4, "spellcheck": "false", "autocapitalize": "none"}
        ),
    )
    file = forms.FileField(
        label="CSV file",
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(
            attrs={"accept": ".csv,.tsv,.txt,.xlsx,text/csv,text/plain"}
        ),
    )

    def __init__(
        self,
        *args: Any,
        earlier: Write | None = None,
        kept: KeptFile | None = None,
        **kwargs: Any,
    ) -> None:
        """`earlier` is the write whose file is taken when no other is chosen.

        `kept` is a file that came before, which is taken rather than that.
        """
        super().__init__(*args, **kwargs)
        self.kept = kept
        if kept is not None and kept.columns:
            # The names of its columns are offered while one is typed.
            self.fields["primary_key"].widget.attrs["list"] = "columns"
        self.fields["project"].widget.of_file = True
        key = self.fields["primary_key"]
        key.required = False
        key.help_text = (
            "By a key: the column that decides between create and update, for example "
            "external_id__c. By id: the column of the ids; rows without an id are "
            "created if the action says so. Where a project has upserts, a delete "
            "accepts a key, too."
        )
        self.earlier = earlier
        self.too_big = False
        if earlier is not None:
            self.fields["file"].help_text = (
                f"Leave empty to use {earlier.file_name} again, as uploaded for write "
                f"{earlier.pk}."
            )

    @property
    def is_complete(self) -> bool:
        """Whether a form that nobody posted has all that Review needs."""
        if self.is_bound or self.kept is None:
            return False
        needed = ["project", "integration", "object", "group"]
        if self["action"].value() != Write.Action.CREATE:
            needed.append("primary_key")
        return all(self.initial.get(name) for name in needed)

    def clean_action(self) -> str:
        """Return the action; who names none means an upsert."""
        return self.cleaned_data["action"] or Write.Action.UPSERT.value

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        action = cleaned.get("action", "")
        if not action:
            return cleaned
        self.need_capable("action", action, of_file=True)
        if action == Write.Action.CREATE:
            cleaned["primary_key"] = ""
        elif not cleaned.get("primary_key") and "primary_key" not in self.errors:
            text = "Enter the column that identifies the record of each row."
            self.add_error("primary_key", forms.ValidationError(text, code="required"))
        self.need_takable(cleaned.get("project"), cleaned.get("integration"))
        self._clean_mode(cleaned, action)
        if action == Write.Action.BY_KEY:
            self._need_search()
        group, chosen = cleaned.get("group"), cleaned.get("object")
        if group and chosen:
            need_installed(self, group, chosen, action)
        return cleaned

    def _need_search(self) -> None:
        """Put an error where nothing can be looked up by what is chosen."""
        project = self.cleaned_data.get("project")
        if project and project.capabilities.searches and not project.search_url:
            text = (
                f"{project} has no search URL. An admin sets it on the project's page."
            )
            self.add_error("action", forms.ValidationError(text, code="no-search"))
        if self.cleaned_data.get("primary_key", "").casefold() == "id":
            text = "Ids do not need a lookup. Choose Create or update by id."
            self.add_error("action", forms.ValidationError(text, code="by-id"))

    def _clean_mode(self, cleaned: dict[str, Any], action: str) -> None:
        """Leave a deadline only where something is written later."""
        is_later = cleaned.get("mode") == "asynchronous" and action in DEFERRABLE
        hours = cleaned.get("deadline_hours") or 1
        cleaned["deadline_hours"] = hours if is_later else None
        project = cleaned.get("project")
        if is_later and project and not project.capabilities.takes_asynchronous:
            text = f"{project} supports only Synchronous."
            self.add_error("mode", forms.ValidationError(text, code="not-capable"))

    def clean_file(self) -> UploadedFile[bytes] | None:
        """Ask for a file unless an earlier one serves; make its name fit to show."""
        if self.too_big:
            raise forms.ValidationError(
                "This file is over 1 GiB and was not stored. Split it and upload the "
                "pieces one after the other.",
                code="too-big",
            )
        file: UploadedFile[bytes] | None = self.cleaned_data["file"]
        if file is None:
            pasted = self.cleaned_data.get("pasted", "")
            if pasted.strip():
                return SimpleUploadedFile(PASTED, as_csv(pasted).encode())
            if self.earlier is None and self.kept is None:
                raise forms.ValidationError("Choose a CSV file.", code="required")
            return None
        name = "".join(c for c in file.name or "" if c.isprintable())
        file.name = name[-255:] or "upload.csv"
        return file


class UrlForm(UpsertForm):
    """Many records from an address that Ampersand fetches."""

    url = forms.CharField(
        label="URL",
        max_length=LONGEST_URL,
        widget=forms.TextInput(
            attrs={"inputmode": "url", "placeholder": "https://…/data.csv"}
        ),
        help_text="Ampersand must be able to download it without signing in; up to 150 "
        "MiB.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.need_capable("project", Write.Action.UPSERT, of_file=True)
        return cleaned

    def clean_url(self) -> str:
        """Accept http(s) with a host that Ampersand may reach.

        User names are refused, which would be stored.
        """
        url: str = self.cleaned_data["url"]
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise forms.ValidationError(
                "This is not a valid URL.", code="address"
            ) from None
        if parts.scheme not in ("http", "https") or not host:
            raise forms.ValidationError(
                "Enter the full URL, for example https://host/file.csv.", code="address"
            )
        if parts.username is not None or parts.password is not None:
            raise forms.ValidationError(
                "Remove the user name and password from the URL.", code="user-name"
            )
        if not url.isprintable() or " " in url:
            raise forms.ValidationError(
                "A URL has no spaces: write them as %20.", code="spaces"
            )
        if parts.fragment:
            raise forms.ValidationError(
                "Remove everything from “#” on.", code="fragment"
            )
        if is_private_host(host) and endpoint(parts) not in settings.PRIVATE_HOSTS:
            raise forms.ValidationError(
                "Ampersand downloads this URL from outside and cannot reach a private "
                "address.",
                code="private",
            )
        return url
