"""The demo workspace: a person, and projects that speak to the sandbox.

“Demo” has what a customer has, with the lists of its fields; “Demo 2024” and “Demo
today” the same, by the APIs of April 2024 and of today. “Faults” has the objects that
misbehave, so that its breaker stops nothing but them. Made with the forms that the
screens use, and once only: a second time nothing changes.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.db import transaction
from django.forms import model_to_dict

from console.actor import SYSTEM
from console.connections.change_project import EnvironmentInUse, change_project
from console.connections.field_lists import change_fields
from console.connections.forms import GroupForm, IntegrationForm, KeyForm, ProjectForm
from console.connections.manifest import read_manifest
from console.connections.save import save_form
from console.environments import Environment
from console.models import (
    ApiKey,
    AuditEvent,
    FirstPassword,
    Grant,
    Group,
    Integration,
    Project,
    WriteObject,
)
from console.models.grant import give
from console.models.project import ADDRESSES, GIVEN_FOR
from console.settings import env
from files.fields.describe import from_describe

USER = "operator"
NAME = "Demo"
SINCE_APRIL = "Demo 2024"
TODAY = "Demo today"
FAULTS = "Faults"
# What the sandbox calls them, and the API that they speak.
REMOTE = {
    NAME: ("demo", "A"),
    SINCE_APRIL: ("demo-b", "B"),
    TODAY: ("demo-c", "C"),
    FAULTS: ("demo", "A"),
}
# What the objects of that project begin with, see sandbox/README.md.
FAULT = "fault_"
INTEGRATION = "salesforce"
KEY = "SANDBOX-KEY"
HOST = "127.0.0.1"
GROUPS = (("demo-group-id", "Demo customer"), ("sample-org-id", "Sample customer"))

# Read as a file: the console never imports the sandbox.
MANIFEST = Path(settings.BASE_DIR) / "sandbox" / "amp.yaml"


def make_demo(*, password: str, port: int, is_first: bool = False) -> Project:
    """Make what is missing and return Demo, which speaks to 127.0.0.1:`port`.

    An existing user keeps the password unless one is given. `is_first`: what is given
    has to be changed at the first sign-in. Raises `CommandError` where the settings do
    not let an API key go there.
    """
    if (HOST, port) not in settings.API_HOSTS:
        raise CommandError(
            f"Nothing was made. Set API_HOSTS={HOST}:{port} for every process of the "
            "console, so that the demo may speak to the sandbox."
        )
    known = WriteObject.objects.values_list("integration__project__name", flat=True)
    had_objects = set(known)
    with transaction.atomic():
        _make_user(password, is_first=is_first)
        made = {name: _make_project(name, port) for name in REMOTE}
    new = [made[name] for name in made if name not in had_objects | {FAULTS}]
    if new:
        _list_fields(*new)
    return made[NAME]


def needs_password() -> bool:
    """Tell whether the user is still to be made."""
    return not User.objects.filter(username=USER).exists()


def given_password() -> str:
    """Return the DEMO_PASSWORD, "" where there is none or the user chose one since."""
    changes = AuditEvent.objects.filter(action="user.password_changed")
    if changes.filter(actor__username=USER).exists():
        return ""
    return env.text("DEMO_PASSWORD", default="")


def _make_project(name: str, port: int) -> Project:
    project = _project(name, port)
    given = {name: getattr(project, name) for name in GIVEN_FOR}
    if not project.api_keys.filter(**given).exists():
        data = {"label": "Sandbox", "value": KEY}
        _save(KeyForm(data, instance=ApiKey(project=project)), "key.added")
    integration = project.integrations.filter(remote_id=INTEGRATION).first()
    if integration is None:
        integration = _integration(project)
    for group_ref, name in GROUPS:
        if not integration.groups.filter(group_ref=group_ref).exists():
            data = {"group_ref": group_ref, "name": name}
            group = Group(integration=integration)
            _save(GroupForm(data, instance=group), "group.created")
    return project


def _list_fields(*projects: Project) -> None:
    """Give the objects the fields that the sandbox checks, as a describe tells them."""
    rows = WriteObject.objects.filter(integration__project__in=projects)
    names = sorted({row.name for row in rows})
    command = [sys.executable, "-m", "sandbox", "--describe", *names]
    told = subprocess.run(  # nosec B603 # noqa: S603 - our own command
        command, cwd=settings.BASE_DIR, capture_output=True, check=True
    )
    described = json.loads(told.stdout)
    for row in rows:
        change_fields(
            row,
            from_describe(json.dumps(described[row.name])),
            source=WriteObject.FieldsFrom.DESCRIBE,
            actor=SYSTEM,
        )


def _make_user(password: str, *, is_first: bool) -> None:
    user, is_new = User.objects.get_or_create(username=USER)
    if password and (is_new or not user.check_password(password)):
        user.set_password(password)
        user.save(update_fields=["password"])
    if password and not is_first:
        FirstPassword.objects.filter(user=user).delete()
    if is_new:
        roles = dict.fromkeys(Environment.values, Grant.Role.ADMIN)
        give(user, roles)
        AuditEvent.record(
            action="user.created",
            subject=user.get_username(),
            detail={"roles": {str(word): str(role) for word, role in roles.items()}},
        )


def _project(name: str, port: int) -> Project:
    """Return a project, made or brought in step with the sandbox's port."""
    address = f"http://{HOST}:{port}/v1"
    project = Project.objects.filter(name=name).first()
    if project and all(getattr(project, each) == address for each in ADDRESSES):
        return project
    kept = model_to_dict(project or Project(), fields=ProjectForm.Meta.fields)
    remote_id, generation = REMOTE[name]
    data = {
        **kept,
        "name": name,
        "remote_id": remote_id,
        "generation": generation,
        "environment": Project.Environment.SANDBOX,
        **dict.fromkeys(ADDRESSES, address),
    }
    form = ProjectForm(data, instance=project, environments=Environment.values)
    if project is None:
        saved: Project = _save(form, "project.created")
        return saved
    _need_valid(form)
    try:
        change_project(form)
    except EnvironmentInUse as error:
        raise CommandError(f"The demo cannot be made in {project}. {error}") from None
    return project


def _integration(project: Project) -> Integration:
    manifest = read_manifest(MANIFEST.read_bytes())
    declared = next(one for one in manifest.integrations if one.name == INTEGRATION)
    of_faults = project.name == FAULTS
    objects = [o for o in declared.objects if o.startswith(FAULT) == of_faults]
    data = {
        "name": declared.name,
        "remote_id": declared.name,
        "provider": declared.provider,
        "objects": "\n".join(objects),
    }
    form = IntegrationForm(data, instance=Integration(project=project))
    saved: Integration = _save(form, "integration.created")
    return saved


def _save(form: "forms.ModelForm[Any]", action: str) -> Any:
    _need_valid(form)
    return save_form(form, action=action)


def _need_valid(form: "forms.ModelForm[Any]") -> None:
    if not form.is_valid():
        raise CommandError(f"The demo does not fit the form: {form.errors.as_text()}")
