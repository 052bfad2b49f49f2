"""Where a write goes: the four choices that each form of a write begins with."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.utils import timezone

from console.access.roles import Person, Role
from console.models import Group, Integration, Project, WriteObject
from console.ui.forms import StyledForm, offer
from writes.models import Destination, Write


class DependentSelect(forms.Select):
    """A select whose options belong to the value chosen in another one.

    Without JavaScript all options are there, grouped by what they belong to; with it
    only the fitting ones stay (console.js, `data-depends-on`).
    """

    def __init__(self, *, depends_on: str, parent: Callable[[Any], Any]) -> None:
        super().__init__(attrs={"data-depends-on": f"id_{depends_on}"})
        self.parent = parent

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(*args, **kwargs)
        instance = getattr(option["value"], "instance", None)
        if instance is not None:
            parent = self.parent(instance)
            option["attrs"]["data-parent"] = str(parent.pk)
            option["group"] = _path(parent)
        return option

    def optgroups(
        self, *args: Any, **kwargs: Any
    ) -> list[tuple[str | None, list[dict[str, Any]], int | None]]:
        grouped: dict[Any, list[Any]] = {}
        for _, options, _ in super().optgroups(*args, **kwargs):
            for option in options:
                grouped.setdefault(option.get("group"), []).append(option)
        return [(name, made, i) for i, (name, made) in enumerate(grouped.items())]


class ProjectSelect(forms.Select):
    """A select of projects, each with what its API has: `data-actions`, `data-modes`.

    With JavaScript a select that is `allowed_by` it offers only those.
    """

    of_file = False

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(*args, **kwargs)
        project = getattr(option["value"], "instance", None)
        if project is not None:
            able = project.capabilities
            actions = able.file_actions if self.of_file else able.actions
            option["attrs"]["data-actions"] = " ".join(sorted(actions))
            option["attrs"]["data-modes"] = "synchronous" + (
                " asynchronous" if able.takes_asynchronous else ""
            )
        return option


def allowed_by_project(what: str) -> dict[str, str]:
    """Return what a select has for that, of the `what` of a project."""
    return {"data-allowed-by": "id_project", "data-allowed-in": what}


def _path(parent: Project | Integration) -> str:
    """Name it so that integrations of the same name in two projects stay apart."""
    if isinstance(parent, Integration):
        return f"{parent.project}: {parent}"
    return str(parent)


class TargetForm(StyledForm):
    """Project, integration, object and group, checked against each other."""

    token = forms.UUIDField(widget=forms.HiddenInput)
    again = forms.IntegerField(
        widget=forms.HiddenInput, required=False, min_value=1, max_value=2**63 - 1
    )
    project = forms.ModelChoiceField(Project.objects.none(), widget=ProjectSelect)
    integration = forms.ModelChoiceField(
        Integration.objects.none(),
        widget=DependentSelect(depends_on="project", parent=lambda i: i.project),
    )
    object = forms.ModelChoiceField(
        WriteObject.objects.none(),
        widget=DependentSelect(
            depends_on="integration", parent=lambda o: o.integration
        ),
    )
    group = forms.ModelChoiceField(
        Group.objects.none(),
        label="Customer",
        widget=DependentSelect(
            depends_on="integration", parent=lambda g: g.integration
        ),
        help_text="Whose data is written: Ampersand's groupRef.",
    )

    def __init__(self, *args: Any, user: Person, **kwargs: Any) -> None:
        """Offer what `user` may have written to: the environments of an operator."""
        super().__init__(*args, **kwargs)
        below = "integration__project"
        for name, rows in (
            ("project", Project.objects.all()),
            ("integration", Integration.objects.select_related("project")),
            ("object", WriteObject.objects.select_related(below)),
            ("group", Group.objects.select_related(below)),
        ):
            offer(self, name, rows.for_role(user, Role.OPERATOR))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if any(field.errors for field in self.hidden_fields()):
            text = "This page is incomplete or outdated. Reload it."
            self.add_error(None, forms.ValidationError(text, code="old-page"))
        project, integration = cleaned.get("project"), cleaned.get("integration")
        if project and integration and integration.project_id != project.pk:
            self.add_error("integration", _not_part(integration, project))
        for name in ("object", "group"):
            chosen = cleaned.get(name)
            if integration and chosen and chosen.integration_id != integration.pk:
                self.add_error(name, _not_part(chosen, integration))
        return cleaned

    def need_capable(self, name: str, action: str, *, of_file: bool = False) -> None:
        """Put an error at the field `name` where the project's API has no `action`."""
        project: Project | None = self.cleaned_data.get("project")
        if project is None:
            return
        able = project.capabilities
        if action in (able.file_actions if of_file else able.actions):
            return
        api = f"{project} uses: {project.get_generation_display()}."
        lacks = _LACKS[Write.Action(action)]
        if action in able.file_actions and not of_file:
            lacks = _ONLY_ROWS
        text = f"{lacks} {api}"
        self.add_error(name, forms.ValidationError(text, code="not-capable"))

    def target(self) -> dict[str, Any]:
        """Return the fields of a `Write` that say where it goes."""
        group: Group = self.cleaned_data["group"]
        return {
            "integration": self.cleaned_data["integration"],
            "object_name": self.cleaned_data["object"].name,
            "group_ref": group.group_ref,
            "group_name": group.name,
        }


_ONLY_ROWS = (
    "This project deletes only rows of a file. Upload a CSV with only the id column "
    "and choose Delete, even for one row."
)
_BY_KEY = (
    "This project cannot only create or only update rows of a file. Choose Upsert, "
    "which does both by a key."
)
# What to do where an API does not have a kind of write.
_LACKS = {
    Write.Action.DELETE: "Nothing can be deleted through this project. Delete the "
    "record in the customer's system, or choose a project that uses the current Write "
    "API.",
    Write.Action.UPSERT: "This project has no upsert by a key. Upload a CSV and choose "
    "Create, Update, Delete, or Create or update by a key, which looks up the "
    "keys first; or choose a project whose API has upserts.",
    Write.Action.CREATE: _BY_KEY,
    Write.Action.UPDATE: _BY_KEY,
    Write.Action.BY_ID: "This project does not support this for files. Choose Upsert "
    "with the key id: every row then needs an id.",
    Write.Action.BY_KEY: "This project does not look up keys: choose Upsert by a key.",
}


def need_installed(
    form: TargetForm, group: Group, chosen: WriteObject, action: str
) -> None:
    """Put an error where the customer's installation lacks what is chosen.

    As Ampersand told it last; nothing is known of a group that was only typed in.
    """
    if group.lacks(chosen.name):
        text = f"{group} has no writable {chosen}, as of {_as_of(group)}"
        form.add_error("object", forms.ValidationError(text, code="not-installed"))
    elif action == Write.Action.DELETE and group.forbids_deleting(chosen.name):
        text = f"{group} does not allow deleting a {chosen}, as of {_as_of(group)}"
        form.add_error("action", forms.ValidationError(text, code="not-allowed"))


def _as_of(group: Group) -> str:
    moment = timezone.localtime(group.seen_at).strftime("%-d %b %Y %H:%M")
    return f"{moment}. An admin can refresh it on the project's page."


def _not_part(chosen: object, whole: object) -> forms.ValidationError:
    return forms.ValidationError(f"{chosen} is not part of {whole}.", code="not-part")


def initial_target(write: Write | None, user: Person) -> dict[str, Any]:
    """Return what the form starts with: the target of `write`, or the only choice."""
    if write is None:
        only = list(Project.objects.for_role(user, Role.OPERATOR)[:2])
        return {"project": only[0]} if len(only) == 1 else {}
    return same_target(write)


def same_target(before: Write | Destination) -> dict[str, Any]:
    """Return what a form starts with to lead where somebody wrote before."""
    integration = before.integration
    objects = integration.write_objects.filter(name=before.object_name)
    groups = integration.groups.filter(group_ref=before.group_ref)
    return {
        "project": integration.project,
        "integration": integration,
        "object": objects.first(),
        "group": groups.first(),
    }
