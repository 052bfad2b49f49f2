"""A project of Ampersand and the keys that open it."""

from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone

from ampersand import AsyncReader, Client, SecretStr, UpdateStyle
from console.access.scoping import OfEnvironment
from console.clients import READ_TIMEOUT, client_for, reader_for
from console.environments import Environment
from console.fields import EncryptedField
from console.validators import validate_base_url, validate_path_part


class NoActiveKey(Exception):
    """A project has no API key to use: none was added, or all are revoked."""


class ProjectQuerySet(OfEnvironment["Project"]):
    """Questions asked of projects."""

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
    # The pace of everything together, over all workers and machines: see
    # operations.limits.rate_limit.
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
    PROJECT = ""

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
    def project(self) -> "Project":
        """Itself, as every other row of an environment has one."""
        return self

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

    objects = OfEnvironment["ApiKey"].as_manager()
    PROJECT = "project"

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
