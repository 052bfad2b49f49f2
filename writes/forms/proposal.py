"""Where a file seems to be meant to go, told by its header and by what came before.

Nothing is decided here: a person sees what is proposed, and why, and reviews it.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User

from console.access.roles import Role
from console.access.scoping import OfEnvironment
from console.models import ObjectMetadata, Project, WriteObject
from console.validators import LARGEST_ID, whole_number
from files.fields.matching import only_letters
from files.mending.recipes import column_names
from writes.forms.address import initial_of, written_to
from writes.forms.target import TargetForm
from writes.models import Destination, KeptFile, Write

# Their field lists are compared: a few names each, but all of them for every file.
MOST_OBJECTS = 200
MOST_OFFERED = 6
# A header that names fewer of the fields than this says nothing of the object.
_LEAST = 0.5
_NEAR = 0.75


@dataclass(frozen=True)
class Proposal:
    """What a form starts with, and why, in a sentence; both empty where none is.

    `objects` are those to choose from where several fit as well.
    """

    initial: dict[str, Any] = field(default_factory=dict)
    why: str = ""
    objects: Sequence[WriteObject] = ()


def propose(kept: KeptFile, user: User, chosen: WriteObject | None) -> Proposal:
    """Propose where the file goes; only the key where an object was `chosen`."""
    columns = kept.columns
    if chosen is not None:
        fields = _fields_of([chosen]).get(chosen.pk, [])
        return Proposal(_key_and_action(columns, fields, chosen.project))
    last = written_to(user, Write.Source.CSV)
    same = last.filter(columns=column_names(columns)).first() if columns else None
    if same is not None:
        return Proposal(initial_of(same), "Same columns as your last file.")
    if columns and (found := _by_fields(kept, user, last)):
        return found
    known = {name.casefold() for name in columns}
    for destination in last[:MOST_OBJECTS]:
        if not columns or destination.primary_key.casefold() in known:
            words = (
                "As your last file with this key." if columns else "As your last file."
            )
            return Proposal(initial_of(destination), words)
    return Proposal(_key_and_action(columns, [], None))


def chosen_object(form: TargetForm) -> WriteObject | None:
    """Return the object that a form begins with, among those that it offers."""
    given = form.initial.get("object")
    if isinstance(given, WriteObject):
        return given
    rows: OfEnvironment[WriteObject] = form.fields["object"].queryset  # type: ignore[attr-defined]
    pk = whole_number(str(given or ""), most=LARGEST_ID) or 0
    return rows.select_related("integration__project").filter(pk=pk).first()


def _by_fields(
    kept: KeptFile, user: User, last: Iterable[Destination]
) -> Proposal | None:
    """Return the object whose fields the header names most of, if that is clear."""
    rows = WriteObject.objects.for_role(user, Role.OPERATOR)
    objects = list(rows.select_related("integration__project")[:MOST_OBJECTS])
    fields = _fields_of(objects)
    counts = {row: _named(kept.columns, fields.get(row.pk, [])) for row in objects}
    most = max(counts.values(), default=0)
    if most < max(1, _LEAST * len(kept.columns)):
        return None
    best = [row for row, count in counts.items() if count == most]
    stem = only_letters(kept.file_name)
    best = [row for row in best if only_letters(row.name) in stem] or best
    why = f"{most:,} of {len(kept.columns):,} columns are fields of {best[0]}."
    used = [(row, each) for each in last for row in best if _is_same(row, each)]
    if used:
        row, before = used[0]
        initial = initial_of(before)
    elif len(best) == 1:
        row, initial = best[0], _only_group(best[0])
    else:
        key = _key_and_action(kept.columns, fields.get(best[0].pk, []), None)
        return Proposal(key, "", best[:MOST_OFFERED])
    project = row.integration.project
    initial |= _key_and_action(kept.columns, fields.get(row.pk, []), project)
    if used:
        creates = before.action == Write.Action.CREATE
        if creates or before.primary_key in kept.columns:
            initial |= {"primary_key": before.primary_key, "action": before.action}
        why += " Project and customer: your last write of it."
    return Proposal(initial, why)


def _is_same(row: WriteObject, destination: Destination) -> bool:
    return (row.integration_id, row.name) == (
        destination.integration_id,
        destination.object_name,
    )


def _only_group(row: WriteObject) -> dict[str, Any]:
    groups = list(row.integration.groups.all()[:2])
    return {
        "project": row.integration.project,
        "integration": row.integration,
        "object": row,
        "group": groups[0] if len(groups) == 1 else None,
    }


def _fields_of(objects: Sequence[WriteObject]) -> dict[int, list[dict[str, Any]]]:
    """Return the fields of each object as they are kept, by the key of its row."""
    keys = [row.pk for row in objects]
    own = WriteObject.objects.filter(pk__in=keys).values_list("pk", "fields")
    fields = {pk: list(kept) for pk, kept in own}
    told = ObjectMetadata.objects.filter(write_object__in=keys)
    for pk, kept in told.values_list("write_object", "fields"):
        fields[pk] = fields[pk] or list(kept)
    return fields


def _named(columns: Sequence[str], fields: Sequence[dict[str, Any]]) -> int:
    """Return how many columns name a field; every object has an Id, which says less."""
    texts = (each.get(name, "") for each in fields for name in ("name", "label"))
    known = {only_letters(text) for text in texts} - {"", "id"}
    # A relationship column as Account.Name fills the reference before its dot.
    return sum(
        only_letters(name) in known
        or only_letters(f"{name.partition('.')[0]}Id") in known
        for name in columns
    )


def _key_and_action(
    columns: Sequence[str], fields: Sequence[dict[str, Any]], project: Project | None
) -> dict[str, Any]:
    key = _key(columns, fields)
    if not key:
        return {}
    found = {"primary_key": key}
    if project is None:
        return found
    able = project.capabilities.file_actions
    by = Write.Action.BY_ID if key.casefold() == "id" else Write.Action.BY_KEY
    for action in (Write.Action.UPSERT, by):
        if action in able:
            return found | {"action": action.value}
    return found


def _key(columns: Sequence[str], fields: Sequence[dict[str, Any]]) -> str:
    """Return the column that tells records apart: an External ID before the id."""
    by_name = {name.casefold(): name for name in reversed(columns)}
    by_letters = {only_letters(name): name for name in reversed(columns)}
    external = [each for each in fields if each.get("is_external_id")]
    for each in external:
        if each["name"].casefold() in by_name:
            return by_name[each["name"].casefold()]
    for each in external:
        for text in (each["name"], each.get("label", "")):
            if text and only_letters(text) in by_letters:
                return by_letters[only_letters(text)]
    if "id" in by_name:
        return by_name["id"]
    wanted = [only_letters(each["name"]) for each in external] or ["externalid"]
    for letters in wanted:
        near = difflib.get_close_matches(letters, list(by_letters)[:200], 1, _NEAR)
        if near:
            return by_letters[near[0]]
    return ""
