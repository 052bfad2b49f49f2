"""Adding to a project what an amp.yaml declares: first the plan, then the same done."""

from dataclasses import dataclass

from django.db import transaction

from console.actor import SYSTEM, Actor
from console.connections.manifest import Manifest, ManifestIntegration
from console.models import AuditEvent, Integration, Project, WriteObject


@dataclass(frozen=True, kw_only=True)
class Step:
    """What reading the file does to one integration; nothing is ever removed.

    `integration` is None when it is new. `only_here` are objects that the console
    has and the file has not.
    """

    declared: ManifestIntegration
    integration: Integration | None
    new_objects: tuple[str, ...]
    kept_objects: tuple[str, ...]
    only_here: tuple[str, ...]

    @property
    def changes(self) -> bool:
        """Whether this step adds anything."""
        return self.integration is None or bool(self.new_objects)

    @property
    def summary(self) -> str:
        """What it adds, as "salesforce with 3 objects"."""
        count = len(self.new_objects)
        return f"{self.declared.name} with {count} object{'' if count == 1 else 's'}"


def plan(project: Project, manifest: Manifest) -> list[Step]:
    """Return one step for each integration of the file that may write something."""
    # Ampersand takes the id or the name, so the console may know it under either.
    existing: dict[str, Integration] = {}
    for integration in project.integrations.prefetch_related("write_objects"):
        existing.setdefault(integration.name, integration)
    for integration in list(existing.values()):
        existing[integration.remote_id] = integration
    return [
        _step(declared, existing.get(declared.name))
        for declared in manifest.integrations
        if declared.objects
    ]


def _step(declared: ManifestIntegration, integration: Integration | None) -> Step:
    rows = integration.write_objects.all() if integration else ()
    # In their order, and each found without looking through all.
    here = dict.fromkeys(row.name for row in rows)
    declares = frozenset(declared.objects)
    return Step(
        declared=declared,
        integration=integration,
        new_objects=tuple(name for name in declared.objects if name not in here),
        kept_objects=tuple(name for name in declared.objects if name in here),
        only_here=tuple(name for name in here if name not in declares),
    )


def apply_manifest(
    project: Project, manifest: Manifest, actor: Actor = SYSTEM
) -> list[Step]:
    """Do what `plan` shows, all or nothing; return the steps that added something.

    A second time it finds nothing to add and leaves no trace.
    """
    with transaction.atomic():
        steps = [step for step in plan(project, manifest) if step.changes]
        for step in steps:
            _apply(project, step)
        if steps:
            AuditEvent.record(
                action="project.manifest_applied",
                actor=actor,
                subject=project.name,
                about=project,
                detail={step.declared.name: list(step.new_objects) for step in steps},
            )
    return steps


def _apply(project: Project, step: Step) -> None:
    integration = step.integration or Integration.objects.create(
        project=project,
        name=step.declared.name,
        remote_id=step.declared.name,
        provider=step.declared.provider,
    )
    WriteObject.objects.bulk_create(
        WriteObject(integration=integration, name=name) for name in step.new_objects
    )
