"""Groups as Ampersand knows them: who installed an integration, and how they are."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from ampersand import FieldSetting, Installation, Provider
from console.actor import Actor
from console.connections.ask import NotAnswered, ask
from console.connections.save import record
from console.models import Group, Integration, Project, WriteObject
from console.validators import validate_path_part, validate_reference

# More than any company has; a list of more is no list of installations.
MOST = 20_000
MOST_OBJECTS = 2_000
LONGEST_PROVIDER = 50
MOST_FIELDS = 1_000
LONGEST = 255


@dataclass(frozen=True)
class Fetched:
    """What asking brought: how many groups are new, were known, are not installed.

    `problem` says why the limits of the provider are those from before, "" otherwise.
    """

    new: int
    known: int
    gone: int
    problem: str = ""


def fetch_groups(integration: Integration, actor: Actor) -> Fetched:
    """Bring the groups of an integration, and its objects, in step with Ampersand.

    So it is with its provider, and how many records go in one request to that. Groups
    that are not installed any more stay, and so does every name that a person gave.
    Raises `NotAnswered` with nothing changed.
    """
    project = integration.project
    told = ask(
        project,
        lambda client: client.list_installations(
            project=project.remote_id, integration=integration.remote_id
        ),
    )
    usable = {each.group_ref: each for each in told if _fits(each)}
    if len(usable) > MOST:
        raise NotAnswered(f"Ampersand reports more than {MOST:,} installations.")
    name = _provider_of(usable) or integration.provider
    limits, problem = _limits(project, name)
    with transaction.atomic():
        _keep_provider(integration, name, limits)
        fetched = replace(_keep(integration, usable), problem=problem)
        detail = {
            "new": fetched.new,
            "known": fetched.known,
            "gone": fetched.gone,
            "provider": integration.provider,
        }
        record("groups.fetched", integration, actor, detail)
    return fetched


def _provider_of(told: dict[str, Installation]) -> str:
    """Return the provider that all installations name, "" where there is none."""
    names = {each.provider for each in told.values() if each.provider}
    only = names.pop() if len(names) == 1 else ""
    return only if len(only) <= LONGEST_PROVIDER else ""


def _limits(project: Project, name: str) -> tuple[Provider | None, str]:
    """Return what Ampersand tells of a provider, or why it did not."""
    if project.capabilities.largest_batch == 1:
        return None, ""
    try:
        return ask(project, lambda client: client.get_provider(name=name)), ""
    except NotAnswered as error:
        return None, str(error)


def _keep_provider(integration: Integration, name: str, told: Provider | None) -> None:
    integration.provider = name
    if told is not None:
        integration.keep_limits(told, timezone.now())
    integration.save(update_fields=["provider", "batch_limits", "limits_at"])


def _fits(installation: Installation) -> bool:
    try:
        validate_reference(installation.group_ref)
    except ValidationError:
        return False
    return len(installation.group_ref) <= 200


def _keep(integration: Integration, told: dict[str, Installation]) -> Fetched:
    now = timezone.now()
    groups = {each.group_ref: each for each in integration.groups.select_for_update()}
    new, known = [], []
    for group_ref, installation in told.items():
        group = groups.get(group_ref)
        if group is None:
            group = Group(integration=integration, group_ref=group_ref)
            new.append(group)
        else:
            known.append(group)
        values = _values(installation)
        for name, value in {**values, "seen_at": now}.items():
            setattr(group, name, value)
        group.name = group.name or installation.group_name[:100]
    gone = [each for each in groups.values() if each.group_ref not in told]
    for group in gone:
        if group.seen_at:
            group.health, group.may_write = Group.NOT_INSTALLED, {}
            group.seen_at = now
    Group.objects.bulk_create(new)
    fields = ["name", "seen_at", *_FIELDS]
    Group.objects.bulk_update([*known, *gone], fields, batch_size=500)
    _add_objects(integration, told)
    return Fetched(new=len(new), known=len(known), gone=len(gone))


_FIELDS = (
    "installation_id",
    "health",
    "connection_status",
    "last_operation",
    "may_write",
    "field_settings",
)


def _values(installation: Installation) -> dict[str, Any]:
    return {
        "installation_id": installation.id[:100],
        "health": installation.health[:40],
        "connection_status": installation.connection_status[:40],
        "last_operation": installation.last_operation[:40],
        "may_write": dict(list(installation.objects.items())[:MOST_OBJECTS]),
        "field_settings": {
            name: _as_kept(settings)
            for name, settings in list(installation.settings.items())[:MOST_OBJECTS]
        },
    }


def _as_kept(settings: dict[str, FieldSetting]) -> dict[str, dict[str, str]]:
    found = list(settings.items())[:MOST_FIELDS]
    return {
        name[:LONGEST]: {key: text[:LONGEST] for key, text in asdict(each).items()}
        for name, each in found
    }


def _add_objects(integration: Integration, told: dict[str, Installation]) -> None:
    """Add the objects that some customer may have written; none is taken away."""
    names = {name for each in told.values() for name in each.objects}
    usable = sorted(name for name in names if _is_name(name))[:MOST_OBJECTS]
    rows = [WriteObject(integration=integration, name=name) for name in usable]
    WriteObject.objects.bulk_create(rows, ignore_conflicts=True)


def _is_name(name: str) -> bool:
    try:
        validate_path_part(name)
    except ValidationError:
        return False
    return len(name) <= 200
