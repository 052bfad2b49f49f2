"""The demo workspace: a person, and a project that speaks to the sandbox.

Made with the forms that the screens use, and once only: a second time nothing changes.
"""

from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.forms import model_to_dict

from console.connections.forms import GroupForm, IntegrationForm, KeyForm, ProjectForm
from console.connections.manifest import read_manifest
from console.connections.save import save_form
from console.environments import Environment
from console.models import ApiKey, Grant, Group, Integration, Project
from console.models.grant import give

USER = "operator"
NAME = "Demo"
INTEGRATION = "salesforce"
KEY = "SANDBOX-KEY"
GROUPS = (("demo-group-id", "Demo customer"), ("sample-org-id", "Sample customer"))

# Read as a file: the console never imports the sandbox.
MANIFEST = Path(settings.BASE_DIR) / "sandbox" / "amp.yaml"


@transaction.atomic
def make_demo(*, password: str, port: int) -> Project:
    """Make what is missing and return the project, which speaks to 127.0.0.1:`port`.

    An existing user keeps the password unless one is given.
    """
    _make_user(password)
    project = _project(port)
    if not project.api_keys.exists():
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


def _make_user(password: str) -> None:
    user, is_new = User.objects.get_or_create(username=USER)
    if password and (is_new or not user.check_password(password)):
        user.set_password(password)
        user.save(update_fields=["password"])
    if is_new:
        give(user, dict.fromkeys(Environment.values, Grant.Role.ADMIN))


def _project(port: int) -> Project:
    """Return the project, made or brought in step with the sandbox's port."""
    address = f"http://127.0.0.1:{port}/v1"
    project = Project.objects.filter(name=NAME).first()
    if project and (project.write_url, project.api_url) == (address, address):
        return project
    kept = model_to_dict(project or Project(), fields=ProjectForm.Meta.fields)
    data = {
        **kept,
        "name": NAME,
        "remote_id": "demo",
        "environment": Project.Environment.SANDBOX,
        "write_url": address,
        "api_url": address,
    }
    action = "project.changed" if project else "project.created"
    form = ProjectForm(data, instance=project, environments=Environment.values)
    saved: Project = _save(form, action)
    return saved


def _integration(project: Project) -> Integration:
    manifest = read_manifest(MANIFEST.read_bytes())
    declared = next(one for one in manifest.integrations if one.name == INTEGRATION)
    data = {
        "name": declared.name,
        "remote_id": declared.name,
        "provider": declared.provider,
        "objects": "\n".join(declared.objects),
    }
    form = IntegrationForm(data, instance=Integration(project=project))
    saved: Integration = _save(form, "integration.created")
    return saved


def _save(form: "forms.ModelForm[Any]", action: str) -> Any:
    if not form.is_valid():
        raise ValueError(f"The demo does not fit the form: {form.errors.as_text()}")
    return save_form(form, action=action)
