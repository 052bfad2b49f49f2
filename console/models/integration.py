"""What a project writes into: integrations, their objects, and the customers."""

from dataclasses import asdict
from datetime import datetime

from django.db import models
from django.urls import reverse

from ampersand import KNOWN_LIMITS, FieldSetting, Provider
from console.access.scoping import OfEnvironment
from console.models.project import Project
from console.validators import validate_path_part, validate_reference
from files.field import Field
from files.fields.field_lists import from_json


class Integration(models.Model):
    """A reference to an integration of a project, with what it may write."""

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="integrations"
    )
    name = models.CharField(max_length=100)
    remote_id = models.CharField(
        "Integration id or name in Ampersand",
        max_length=200,
        validators=[validate_path_part],
    )
    provider = models.CharField(max_length=50, default="salesforce")
    # What Ampersand told of a provider, and when: `keep_limits`.
    batch_limits = models.JSONField(default=dict, db_default={}, editable=False)
    limits_at = models.DateTimeField(null=True, editable=False)

    objects = OfEnvironment["Integration"].as_manager()
    PROJECT = "project"

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "remote_id"], name="integration_once_per_project"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def keep_limits(self, told: Provider, now: datetime) -> None:
        """Note how many records one request carries, as Ampersand told it."""
        limits = {"create": asdict(told.create), "update": asdict(told.update)}
        self.batch_limits = {"provider": self.provider, **limits}
        self.limits_at = now

    def most_in_batch(self, action: str, object_name: str = "") -> int:
        """Return how many records of an object one request may carry, at least 1.

        As Ampersand told it, or as its connectors are known; 1 where neither says.
        """
        if action not in ("create", "update"):
            return 1
        if self.batch_limits.get("provider") != self.provider:
            return KNOWN_LIMITS.get(self.provider, 1)
        limit = self.batch_limits[action]
        by_object = {name.casefold(): most for name, most in limit["by_object"].items()}
        most: int = by_object.get(object_name.casefold(), limit["most"])
        return most

    @property
    def most_created(self) -> int:
        """How many records of most objects are created by one request."""
        return self.most_in_batch("create")

    @property
    def most_updated(self) -> int:
        """How many records of most objects are updated by one request."""
        return self.most_in_batch("update")


class WriteObjectQuerySet(OfEnvironment["WriteObject"]):
    """Questions asked of objects."""


class WriteObjectManager(models.Manager["WriteObject"]):
    """Leaves the field lists unread, which may be large, until one is asked for."""

    def get_queryset(self) -> models.QuerySet["WriteObject"]:
        return super().get_queryset().defer("fields")


class WriteObject(models.Model):
    """An object that the integration's amp.yaml allows to be written.

    `fields` is its field list (`files.fields.field_lists.as_json`); `fields_from` says
    where that came from and is "" where there is none.
    """

    class FieldsFrom(models.TextChoices):
        DESCRIBE = "describe", "Imported from Salesforce"
        BY_HAND = "by hand", "Entered manually"

    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, related_name="write_objects"
    )
    name = models.CharField(max_length=200, validators=[validate_path_part])
    fields = models.JSONField(default=list, editable=False)
    fields_from = models.CharField(
        max_length=20, choices=FieldsFrom, blank=True, default="", editable=False
    )
    fields_at = models.DateTimeField(null=True, editable=False)

    objects = WriteObjectManager.from_queryset(WriteObjectQuerySet)()
    PROJECT = "integration__project"

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "name"], name="write_object_once"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("connections:fields", args=[self.pk])

    @property
    def project(self) -> Project:
        """The project that the integration belongs to."""
        return self.integration.project

    def field_list(self) -> tuple[Field, ...]:
        """Return the fields that values are checked against, () where none are kept."""
        return tuple(from_json(self.fields))


class Group(models.Model):
    """A customer of an integration: Ampersand's groupRef, and a name for people.

    What Ampersand told of the installation (`console.connections.installations`):
    `health`, `connection_status` and `last_operation` are its words, `may_write` names
    the objects that may be written, each with whether its records may be deleted,
    `field_settings` the fields of each that the installation treats in a way of its own
    (`ampersand.FieldSetting`).
    `seen_at` is when it was told last, None for a group that was only typed in.
    """

    # The health of what Ampersand does not list any more.
    NOT_INSTALLED = "not installed"

    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, related_name="groups"
    )
    group_ref = models.CharField(
        "groupRef", max_length=200, validators=[validate_reference]
    )
    name = models.CharField(max_length=100, blank=True)
    installation_id = models.CharField(
        max_length=100, blank=True, editable=False, default="", db_default=""
    )
    health = models.CharField(
        max_length=40, blank=True, editable=False, default="", db_default=""
    )
    connection_status = models.CharField(
        max_length=40, blank=True, editable=False, default="", db_default=""
    )
    last_operation = models.CharField(
        max_length=40, blank=True, editable=False, default="", db_default=""
    )
    may_write = models.JSONField(default=dict, db_default={}, editable=False)
    field_settings = models.JSONField(default=dict, db_default={}, editable=False)
    seen_at = models.DateTimeField(null=True, editable=False)
    # When its operations were last imported in the background, or began to be.
    imported_at = models.DateTimeField(null=True, editable=False)

    objects = OfEnvironment["Group"].as_manager()
    PROJECT = "integration__project"

    class Meta:
        ordering = ["name", "group_ref"]
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "group_ref"], name="group_once_per_integration"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.group_ref})" if self.name else self.group_ref

    @property
    def project(self) -> Project:
        """The project that the integration belongs to."""
        return self.integration.project

    @property
    def is_unwell(self) -> bool:
        """Whether Ampersand said that nothing goes through this installation."""
        return self.health not in ("", "healthy")

    def settings_of(self, object_name: str) -> dict[str, FieldSetting]:
        """Return the settings of the fields of an object, by names in lower case."""
        kept = self.field_settings.get(object_name, {})
        return {name.casefold(): FieldSetting(**each) for name, each in kept.items()}

    def lacks(self, object_name: str) -> bool:
        """Whether Ampersand said that this customer has no such object to write."""
        return self.seen_at is not None and object_name not in self.may_write

    def forbids_deleting(self, object_name: str) -> bool:
        """Whether Ampersand said that no record of the object may be deleted."""
        return self.seen_at is not None and not self.may_write.get(object_name)


class ObjectMetadata(models.Model):
    """The fields of an object as Ampersand told them for one customer.

    `fields` is their list (`files.fields.field_lists.as_json`), `sha256` that of its
    JSON, `fetched_at` when it came. `problem` says why a later question had no answer,
    "" where it had.
    """

    write_object = models.ForeignKey(
        WriteObject, on_delete=models.CASCADE, related_name="metadata"
    )
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="metadata")
    fields = models.JSONField(default=list)
    sha256 = models.CharField(max_length=64)
    fetched_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True)

    objects = OfEnvironment["ObjectMetadata"].as_manager()
    PROJECT = "write_object__integration__project"

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["write_object", "group"], name="metadata_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.write_object} of {self.group}"

    def field_list(self) -> tuple[Field, ...]:
        """Return the fields that were told."""
        return tuple(from_json(self.fields))
