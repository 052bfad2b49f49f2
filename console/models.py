"""What an administrator configures.

ApiKey N-1 Project 1-N Integration 1-N WriteObject
                               Integration 1-N Group
Grant (console/grants.py): what a person may do in an environment.
SignInAttempt (console/sign_in_limits.py): what was tried wrongly of late.
AuditEvent (console/audit.py) stands alone: it outlives everything it names.
EnvironmentControl (console/environment_control.py): what holds for an environment.
Heartbeat (console/heartbeats.py): which processes are alive.
"""

from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone

from ampersand import AsyncReader, Client, SecretStr, UpdateStyle
from console.audit import AuditEvent, AuditEventQuerySet
from console.clients import READ_TIMEOUT, client_for, reader_for
from console.environment_control import EnvironmentControl, EnvironmentControlQuerySet
from console.environments import Environment
from console.fields import EncryptedField
from console.grants import Grant
from console.heartbeats import Heartbeat
from console.scope import OfEnvironment
from console.sign_in_limits import SignInAttempt
from console.validators import validate_base_url, validate_path_part
from files.field import Field
from files.fields.field_lists import from_json

__all__ = [
    "ApiKey",
    "AuditEvent",
    "AuditEventQuerySet",
    "EnvironmentControl",
    "EnvironmentControlQuerySet",
    "Grant",
    "Group",
    "Heartbeat",
    "Integration",
    "NoActiveKey",
    "Project",
    "SignInAttempt",
    "WriteObject",
]


class NoActiveKey(Exception):
    """A project has no API key to use: none was added, or all are revoked."""


class ProjectQuerySet(OfEnvironment["Project"]):
    """Questions asked of projects."""

    PROJECT = ""

    def for_list(self) -> "ProjectQuerySet":
        """Add `integration_count` and `active_keys`, a list, the newest first.

        The keys come without their values, so that this works when FIELD_KEYS is lost.
        """
        keys = ApiKey.objects.filter(revoked_at=None).defer("value")
        return self.annotate(
            integration_count=models.Count("integrations")
        ).prefetch_related(
            models.Prefetch("api_keys", queryset=keys, to_attr="active_keys")
        )


class Project(models.Model):
    """A reference to an Ampersand project, and how to speak to it."""

    Environment = Environment

    class Generation(models.TextChoices):
        """Which of Ampersand's write APIs the project speaks."""

        A = "A", "2024-03: create, update, CSV upsert"

    class UpdateStyle(models.TextChoices):
        """How an update is sent: Ampersand's published documents do not say."""

        PATCH = "patch", "PATCH, the id inside the record"
        POST_TYPE_UPDATE = "post_type_update", "POST with type: update"
        PATCH_ID_IN_PATH = "patch_id_in_path", "PATCH, the id in the address"

    name = models.CharField(max_length=100, unique=True)
    remote_id = models.CharField(
        "Project id or name in Ampersand",
        max_length=200,
        validators=[validate_path_part],
        help_text="As in the address bar of Ampersand's dashboard.",
    )
    environment = models.CharField(max_length=20, choices=Environment)
    write_url = models.CharField(
        "Write address",
        max_length=500,
        default="https://write.withampersand.com/v1",
        validators=[validate_base_url],
    )
    api_url = models.CharField(
        "API address",
        max_length=500,
        default="https://api.withampersand.com/v1",
        validators=[validate_base_url],
        help_text="Where operations and their logs are read.",
    )
    generation = models.CharField(
        "API generation", max_length=1, choices=Generation, default=Generation.A
    )
    update_style = models.CharField(
        max_length=20,
        choices=UpdateStyle,
        default=UpdateStyle.PATCH,
        help_text="Ampersand leaves it open. Change it if updates are refused.",
    )
    # The pace of everything together, over all workers and machines: operations.gate.
    max_at_once = models.PositiveSmallIntegerField(
        "Writes at once",
        default=4,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="No more requests that write are under way at the same time.",
    )
    max_per_second = models.FloatField(
        "Writes per second",
        default=5,
        validators=[MinValueValidator(0.05), MaxValueValidator(100)],
        help_text="No more are begun in any second. 0.5 is one every two seconds.",
    )
    reads_per_second = models.PositiveSmallIntegerField(
        "Reads per second",
        default=200,
        validators=[MinValueValidator(10), MaxValueValidator(10_000)],
        help_text="How fast it is asked how operations are doing.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(environment__in=["sandbox", "test", "production"]),
                name="project_environment_known",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("connections:project", args=[self.pk])

    @property
    def is_production(self) -> bool:
        """Whether a write to this project changes a customer's live data."""
        return self.environment == self.Environment.PRODUCTION

    def active_key(self) -> "ApiKey":
        """Return the newest key that is not revoked. Raises `NoActiveKey`."""
        key = self.api_keys.filter(revoked_at=None).order_by("-pk").first()
        if key is None:
            raise NoActiveKey(f"{self.name} has no active API key.")
        return key

    def client(
        self, *, timeout: float | None = None, only_prepares: bool = False
    ) -> Client:
        """Return the pooled client that speaks to this project with its active key.

        `only_prepares` says that nothing will be sent, so the key counts as not used.
        `timeout` is in seconds for a single wait, SEND_TIMEOUT unless given.
        Raises `NoActiveKey`, and `UnreadableSecret` when FIELD_KEYS does not open it.
        """
        key = self.active_key()
        if not only_prepares:
            key.mark_used()
        return client_for(
            api_key=key.value,
            write_url=self.write_url,
            api_url=self.api_url,
            generation=self.generation,
            update_style=cast(UpdateStyle, self.update_style),
            timeout=timeout or settings.SEND_TIMEOUT,
        )

    client.alters_data = True  # type: ignore[attr-defined]

    def reader(self) -> AsyncReader:
        """Return the pooled reader that asks this project about many operations.

        Raises as `client` does, and `RequestInvalid` for an address that is none.
        """
        key = self.active_key()
        key.mark_used()
        return reader_for(
            api_key=key.value,
            api_url=self.api_url,
            generation=self.generation,
            timeout=min(READ_TIMEOUT, settings.SEND_TIMEOUT),
        )

    reader.alters_data = True  # type: ignore[attr-defined]


class ApiKeyQuerySet(OfEnvironment["ApiKey"]):
    """Questions asked of API keys."""

    PROJECT = "project"


class ApiKey(models.Model):
    """A key of a project, encrypted at rest; only its last four are shown."""

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="api_keys"
    )
    label = models.CharField(max_length=100)
    value: models.Field[Any, SecretStr] = EncryptedField("Key")
    last_four = models.CharField(max_length=4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.label} (…{self.last_four})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if "value" not in self.get_deferred_fields():
            self.value = EncryptedField().to_python(self.value)
            self.last_four = self.value.last_four
        super().save(*args, **kwargs)

    def mark_used(self) -> None:
        """Note the use; at most one write a minute, since every request comes here."""
        now = timezone.now()
        stale = models.Q(last_used_at=None) | models.Q(
            last_used_at__lt=now - timedelta(minutes=1)
        )
        ApiKey.objects.filter(stale, pk=self.pk).update(last_used_at=now)

    mark_used.alters_data = True  # type: ignore[attr-defined]

    def revoke(self) -> bool:
        """Stop the key from being used. Returns False when it already was revoked."""
        active = ApiKey.objects.filter(pk=self.pk, revoked_at=None)
        return active.update(revoked_at=timezone.now()) == 1

    revoke.alters_data = True  # type: ignore[attr-defined]


class IntegrationQuerySet(OfEnvironment["Integration"]):
    """Questions asked of integrations."""

    PROJECT = "project"


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

    objects = IntegrationQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "remote_id"], name="integration_once_per_project"
            )
        ]

    def __str__(self) -> str:
        return self.name


class WriteObjectQuerySet(OfEnvironment["WriteObject"]):
    """Questions asked of objects."""

    PROJECT = "integration__project"


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
        DESCRIBE = "describe", "Imported from a describe"
        BY_HAND = "by hand", "Written by hand"

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

    def field_list(self) -> tuple[Field, ...]:
        """Return the fields that values are checked against, () where none are kept."""
        return tuple(from_json(self.fields))


class GroupQuerySet(OfEnvironment["Group"]):
    """Questions asked of groups."""

    PROJECT = "integration__project"


class Group(models.Model):
    """A customer of an integration: Ampersand's groupRef, and a name for people."""

    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, related_name="groups"
    )
    group_ref = models.CharField("groupRef", max_length=200)
    name = models.CharField(max_length=100, blank=True)

    objects = GroupQuerySet.as_manager()

    class Meta:
        ordering = ["name", "group_ref"]
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "group_ref"], name="group_once_per_integration"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.group_ref})" if self.name else self.group_ref
