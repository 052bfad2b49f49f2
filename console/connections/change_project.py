"""Changing a project: its API keys stay with what they were given for."""

from django.db import transaction

from console.actor import SYSTEM, Actor
from console.connections.forms import ProjectForm
from console.connections.save import record, save_form, what_refers_to
from console.models import ApiKey, Project
from console.models.project import GIVEN_FOR


class EnvironmentInUse(Exception):
    """The environment cannot be changed; the text tells what refers to the project."""


def change_project(form: ProjectForm, *, actor: Actor = SYSTEM) -> list[ApiKey]:
    """Save a valid form of a known project; return the keys that were taken away.

    Those go where another address or environment of the project would lead them, which
    nobody meant who typed them in. Raises `EnvironmentInUse` with nothing changed.
    """
    with transaction.atomic():
        # Nothing can come to refer to it meanwhile, nor can anybody else move it.
        before = Project.objects.select_for_update().get(pk=form.instance.pk)
        moved = [
            name
            for name in GIVEN_FOR
            if getattr(before, name) != getattr(form.instance, name)
        ]
        if "environment" in moved:
            _need_unused(before)
        keys = ApiKey.objects.filter(project=before, revoked_at=None).defer("value")
        stored = list(keys) if moved else []
        save_form(form, action="project.changed", actor=actor)
        taken = [key for key in stored if key.revoke()]
        for key in taken:
            record("key.revoked", key, actor, {"project_changed": moved})
    return taken


def in_use(project: Project) -> list[str]:
    """Return the names of what was written with the project, as "operations"."""
    return what_refers_to(project, *project.integrations.all())


def _need_unused(project: Project) -> None:
    if blockers := in_use(project):
        raise EnvironmentInUse(
            f"There are {' and '.join(blockers)} of this project, and they stay in the "
            "environment that they were made in. Add another project instead."
        )
