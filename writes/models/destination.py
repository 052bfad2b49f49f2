"""Where a person wrote to before, to be chosen again."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.http import urlencode

from console.access.scoping import OfEnvironment
from console.models import Integration, Project
from writes.models.write import Write

# What tells one destination of a person from another.
TARGET = (
    "integration",
    "source",
    "object_name",
    "group_ref",
    "action",
    "primary_key",
)


class DestinationQuerySet(OfEnvironment["Destination"]):
    """Questions asked of destinations."""

    def offered(self) -> "DestinationQuerySet":
        """Return the presets by name, then the others, what was used last first."""
        is_plain = models.Case(models.When(name="", then=1), default=0)
        return self.order_by(is_plain, "name", "-used_at")


class Destination(models.Model):
    """Where a person wrote to: remembered for them when they send, a row for each.

    One with a name is a preset. `columns` are those of the file that was sent last, as
    `files.mending.recipes.column_names` has them, and `recipe_json` is what was changed
    of every row of it: a preset does the same to the next file with these columns.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="destinations"
    )
    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, related_name="destinations"
    )
    source = models.CharField(max_length=10, choices=Write.Source)
    object_name = models.CharField(max_length=200)
    group_ref = models.CharField(max_length=200)
    action = models.CharField(max_length=10, choices=Write.Action)
    primary_key = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=100, blank=True)
    columns = models.JSONField(default=list, blank=True)
    recipe_json = models.JSONField(default=dict, blank=True)
    used_at = models.DateTimeField(default=timezone.now)

    # The customer in words, see `writes.forms.address.with_groups`.
    group_label = ""

    objects = DestinationQuerySet.as_manager()
    PROJECT = "integration__project"

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", *TARGET], name="destination_once"),
            models.UniqueConstraint(
                fields=["user", "name"],
                condition=~Q(name=""),
                name="destination_name_once",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-used_at"], name="destination_last"),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.object_name} of {self.group_ref}"

    @property
    def project(self) -> Project:
        """The project that the integration belongs to."""
        return self.integration.project

    @property
    def is_preset(self) -> bool:
        """Whether it has a name, and its changes are done again."""
        return bool(self.name)

    @property
    def query(self) -> str:
        """The part of an address behind "?" that fills a form in so."""
        return query_of(self)


def query_of(target: "Destination | Write") -> str:
    """Return what an address says of where something goes, to be shared.

    It names nothing but the choices; `writes.forms.address` reads it.
    """
    choices: dict[str, str | int] = {
        "project": target.integration.project_id,
        "integration": target.integration_id,
        "object": target.object_name,
        "group": target.group_ref,
        "action": target.action,
        "key": target.primary_key,
    }
    return urlencode({name: value for name, value in choices.items() if value})
