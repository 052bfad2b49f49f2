"""The choices that the address of a form makes, so that a link to it can be shared."""

from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.http import QueryDict

from console.access.roles import Person, Role
from console.models import Group, Integration, Project, WriteObject
from console.validators import LARGEST_ID, whole_number
from writes.forms.target import same_target
from writes.models import Destination, DestinationQuerySet, Write

NAMES = ("project", "integration", "object", "group", "key", "action")
_WORDS = {"group": "customer", "key": "primary key"}
OFFERED = 8
_LONGEST = 200


@dataclass
class Asked:
    """What an address asks for: `initial` for a form, and what is not there.

    `unknown` are words for people. Whoever follows a link is offered no more than their
    role allows: what others may see is as unknown as what nobody has.
    """

    initial: dict[str, Any] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    @property
    def note(self) -> str:
        """What to say of the unknown, "" where there is nothing."""
        if not self.unknown:
            return ""
        return (
            f"Ignored in the link, since you cannot choose it here: "
            f"{', '.join(self.unknown)}. Choose below."
        )


def asked(query: QueryDict, user: Person) -> Asked:
    """Return the choices that an address makes, among those that `user` has."""
    found = Asked()
    given = {name: query.get(name, "") for name in NAMES}
    for name, value in given.items():
        if not value.isprintable() or len(value) > _LONGEST:
            found.unknown.append(_WORDS.get(name, name))
            given[name] = ""
    project = _project(found, given["project"], user)
    integration = _integration(found, given, project, user)
    _below(found, "object", WriteObject, "name", given, integration, user)
    _below(found, "group", Group, "group_ref", given, integration, user)
    if given["key"]:
        found.initial["primary_key"] = given["key"]
    if given["action"] in Write.Action.values:
        found.initial["action"] = given["action"]
    elif given["action"]:
        found.unknown.append("action")
    return found


def _project(found: Asked, given: str, user: Person) -> Project | None:
    if not given:
        return None
    rows = Project.objects.for_role(user, Role.OPERATOR)
    pk = whole_number(given, most=LARGEST_ID) or 0
    project = rows.filter(pk=pk).first() or rows.filter(name=given).first()
    if project is None:
        found.unknown.append("project")
    else:
        found.initial["project"] = project
    return project


def _integration(
    found: Asked, given: dict[str, str], project: Project | None, user: Person
) -> Integration | None:
    """Return the integration that is named, or the only one that fits the rest."""
    named, name = given["integration"], given["object"]
    if not (project or named or name):
        return None
    rows = Integration.objects.for_role(user, Role.OPERATOR)
    if project is not None:
        rows = rows.filter(project=project)
    elif "project" in found.unknown:
        return None
    if named:
        pk = whole_number(named, most=LARGEST_ID) or 0
        rows = rows.filter(pk=pk) or rows.filter(remote_id=named)
    elif name:
        rows = rows.filter(write_objects__name=name)
    one = list(rows.select_related("project")[:2])
    if len(one) == 1:
        found.initial |= {"project": one[0].project, "integration": one[0]}
        return one[0]
    if named:
        found.unknown.append("integration")
    return None


def _below(
    found: Asked,
    name: str,
    model: type[WriteObject] | type[Group],
    column: str,
    given: dict[str, str],
    integration: Integration | None,
    user: Person,
) -> None:
    """Find an object or a group by the name that Ampersand knows it by."""
    value = given[name]
    if not value:
        return
    rows = model.objects.for_role(user, Role.OPERATOR)
    row = rows.filter(integration=integration, **{column: value}).first()
    if row is None:
        found.unknown.append(_WORDS.get(name, name))
    else:
        found.initial[name] = row


def initial_of(destination: Destination) -> dict[str, Any]:
    """Return what a form starts with to lead where a person wrote before."""
    return {
        **same_target(destination),
        "primary_key": destination.primary_key,
        "action": destination.action,
    }


def offered_to(user: User, source: str = "") -> list[Destination]:
    """Return where `user` wrote before and still may: the presets, then the last ones.

    With `source` only those of that form.
    """
    mine = Destination.objects.for_role(user, Role.OPERATOR).filter(user=user)
    if source:
        mine = mine.filter(source=source)
    found = list(mine.select_related("integration__project").offered()[:OFFERED])
    return with_groups(found)


def with_groups(found: list[Destination]) -> list[Destination]:
    """Give each destination its customer's name, as `group_label`, by one query."""
    references = {each.group_ref for each in found}
    groups = Group.objects.filter(group_ref__in=references)
    names = {(each.integration_id, each.group_ref): each.name for each in groups}
    for each in found:
        name = names.get((each.integration_id, each.group_ref), "")
        each.group_label = name or each.group_ref
    return found


def written_to(user: User, source: str) -> DestinationQuerySet:
    """Return where `user` wrote from a form and still may, the last one first.

    Without deletions: nobody shall delete because they did so the last time.
    """
    mine = Destination.objects.for_role(user, Role.OPERATOR)
    mine = mine.filter(user=user, source=source).exclude(action=Write.Action.DELETE)
    return mine.select_related("integration__project").order_by("-used_at")


def last_of(user: User, source: str) -> dict[str, Any]:
    """Return what a form of this source starts with: where its person wrote last.

    {} where they never did, or may not write there any more. The action is chosen anew:
    an update or a deletion was of one record.
    """
    last = written_to(user, source).first()
    if last is None:
        return {}
    return {name: value for name, value in initial_of(last).items() if name != "action"}
