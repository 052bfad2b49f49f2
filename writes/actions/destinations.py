"""Where people wrote to: remembered when they send, for the next time."""

from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from console.actor import Actor
from files.mending.recipes import Recipe
from writes.columns import columns_of
from writes.models import Destination, Write
from writes.models.destination import TARGET
from writes.recipe import recipe_as_json
from writes.storage import storable

# Of one person, without the presets.
MOST_KEPT = 50


def remember(write: Write, actor: Actor) -> None:
    """Keep where a write of a person goes, and how its file is changed on the way.

    Not of failed rows that are sent again: their file is made of another one.
    """
    if actor.user is None or write.relation == Write.Relation.RETRY:
        return
    target = {name: getattr(write, name) for name in TARGET}
    values: dict[str, Any] = {"used_at": timezone.now()}
    if write.source == Write.Source.CSV:
        values |= {"columns": _columns(write), "recipe_json": _of_every_row(write)}
    Destination.objects.update_or_create(user=actor.user, **target, defaults=values)
    plain = Destination.objects.filter(user=actor.user, name="").order_by("-used_at")
    old = plain.values_list("pk", flat=True)[MOST_KEPT:]
    if old:
        Destination.objects.filter(pk__in=list(old)).delete()


def _columns(write: Write) -> list[str]:
    try:
        return list(storable(columns_of(write)))
    except FileNotFoundError:
        return []


def _of_every_row(write: Write) -> dict[str, Any]:
    recipe = write.recipe.of_every_row()
    return {} if recipe == Recipe() else recipe_as_json(recipe)


def recipe_for(
    columns: list[str], user: User, target: dict[str, Any]
) -> dict[str, Any]:
    """Return what a preset for this target does to a file with these columns.

    {} where there is none, or where its file had other columns.
    """
    if not columns:
        return {}
    wanted = {name: value for name, value in target.items() if name in TARGET}
    preset = Destination.objects.exclude(name="").filter(user=user, **wanted).first()
    if preset is None or preset.columns != columns:
        return {}
    recipe: dict[str, Any] = preset.recipe_json
    return recipe
