"""A project of Ampersand and the keys that open it."""

from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone

from ampersand import (
    AsyncReader,
    Capabilities,
    Client,
    IdSpelling,
    RequestInvalid,
    SecretStr,
    UpdateStyle,
    generation_for,
    origin_of,
)
from console.access.scoping import OfEnvironment
from console.clients import READ_TIMEOUT, client_for, reader_for
from console.environments import Environment
from console.fields import EncryptedField
from console.validators import THIS_MACHINE, validate_base_url, validate_path_part

# What GIVEN_FOR names of a project, an API key was typed in for: there it goes, and a
# project that is moved has no key until one is typed in anew.
ADDRESSES = ("write_url", "api_url", "search_url")
GIVEN_FOR = ("environment", *ADDRESSES)

# Which hosts are allowed, a setting says.
HTTPS_NEEDED = "An address must begin with https://, since the API key goes there."


def _for_keys(name: str) -> models.Q:
    """Return the condition that an address is https, or of this machine itself."""
    begins = ["https://"]
    for host in THIS_MACHINE:
        shown = f"[{host}]" if ":" in host else host
        begins += [f"http://{shown}:", f"http://{shown}/"]
    fits = models.Q()
    for begin in begins:
        fits |= models.Q(**{f"{name}__istartswith": begin})
    return fits & ~models.Q(**{f"{name}__contains": "@"})


class NoActiveKey(Exception):
    """A project has no API key to use: none was added, or all are revoked."""


class ProjectQuerySet(OfEnvironment["Project"]):
    """Questions asked of projects."""

    def for_list(self) -> "ProjectQuerySet":
        """Add `integration_count` and `active_keys`, a list, the newest first.

        The keys come without their values, so that this works when FIELD_KEYS is lost.
        """
        keys = ApiKey.objects.active().defer("value")
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
        B = "B", "2024-04 to 2024-12: create, update, CSV upsert and delete"
        C = "C", "Today: create, update and delete, one record or a CSV"

    class UpdateStyle(models.TextChoices):
        """How an update is sent: Ampersand's published documents do not say."""

        PATCH = "patch", "PATCH, the id inside the record"
        POST_TYPE_UPDATE = "post_type_update", "POST with type: update"
        PATCH_ID_IN_PATH = "patch_id_in_path", "PATCH, the id in the URL"

    class IdSpelling(models.TextChoices):
        """How the id is spelled in an updated record: it changed on 28 June 2024."""

        ID = "id", "id"
        CAPITAL_ID = "Id", "Id, as until June 2024"

    name = models.CharField(max_length=100, unique=True)
    remote_id = models.CharField(
        "Project id or name in Ampersand",
        max_length=200,
        validators=[validate_path_part],
        help_text="As in the address bar of Ampersand's dashboard.",
    )
    environment = models.CharField(max_length=20, choices=Environment)
    write_url = models.CharField(
        "Write URL",
        max_length=500,
        default="https://write.withampersand.com/v1",
        validators=[validate_base_url],
    )
    api_url = models.CharField(
        "API URL",
        max_length=500,
        default="https://api.withampersand.com/v1",
        validators=[validate_base_url],
        help_text="Where operations and their logs are read.",
    )
    search_url = models.CharField(
        "Search URL",
        max_length=500,
        blank=True,
        default="https://search.withampersand.com/v1",
        db_default="https://search.withampersand.com/v1",
        validators=[validate_base_url],
        help_text="Only for today's API: where records are looked up by a key.",
    )
    generation = models.CharField(
        "API generation", max_length=1, choices=Generation, default=Generation.A
    )
    update_style = models.CharField(
        max_length=20,
        choices=UpdateStyle,
        default=UpdateStyle.PATCH,
        help_text="Only for the API of 2024-03, where Ampersand does not document it. "
        "Change it if updates are rejected.",
    )
    id_spelling = models.CharField(
        "Name of the id field",
        max_length=2,
        choices=IdSpelling,
        default=IdSpelling.ID,
        db_default=IdSpelling.ID,
        help_text="Only for updates by the API of 2024-04 to 2024-12. "
        "Change it if updates are rejected.",
    )
    # The pace of everything together, over all workers and machines: see
    # operations.limits.rate_limit.
    max_at_once = models.PositiveSmallIntegerField(
        "Writes at once",
        default=4,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="The most write requests in progress at the same time.",
    )
    max_per_second = models.FloatField(
        "Writes per second",
        default=5,
        validators=[MinValueValidator(0.05), MaxValueValidator(100)],
        help_text="The most write requests per second. 0.5 is one every two seconds.",
    )
    reads_per_second = models.PositiveSmallIntegerField(
        "Reads per second",
        default=200,
        validators=[MinValueValidator(10), MaxValueValidator(10_000)],
        help_text="The most requests per second that check on operations.",
    )
    imports_operations = models.BooleanField(
        "Import operations every hour",
        default=False,
        db_default=False,
        help_text="Follows operations that were started elsewhere, for customers that "
        "were fetched from Ampersand.",
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
            ),
            *(
                models.CheckConstraint(
                    condition=_for_keys(name),
                    name=f"project_{name}_for_keys",
                    violation_error_message=HTTPS_NEEDED,
                )
                for name in ("write_url", "api_url")
            ),
            models.CheckConstraint(
                condition=_for_keys("search_url") | models.Q(search_url=""),
                name="project_search_url_for_keys",
                violation_error_message=HTTPS_NEEDED,
            ),
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

    @property
    def capabilities(self) -> Capabilities:
        """What the API that the project speaks can do."""
        return generation_for(self.generation).CAPABILITIES

    def active_key(self) -> "ApiKey":
        """Return the newest key that may go where this project leads.

        Raises `NoActiveKey`.
        """
        # Asked of the row as it is here, too: that is where the key would go.
        here = {name: getattr(self, name) for name in GIVEN_FOR}
        key = ApiKey.objects.active().filter(project=self, **here).first()
        if key is None:
            raise NoActiveKey(f"{self.name} has no active API key.")
        return key

    def client(
        self, *, timeout: float | None = None, only_prepares: bool = False
    ) -> Client:
        """Return the pooled client that speaks to this project with its active key.

        `only_prepares` says that nothing will be sent, so the key counts as not used.
        `timeout` is in seconds for a single wait, SEND_TIMEOUT unless given.
        Raises `NoActiveKey`, `UnreadableSecret` when FIELD_KEYS does not open it, and
        `RequestInvalid` for an address to which no key may go.
        """
        self._need_addresses()
        key = self.active_key()
        if not only_prepares:
            key.mark_used()
        return client_for(
            api_key=key.value,
            write_url=self.write_url,
            api_url=self.api_url,
            search_url=self.search_url,
            generation=self.generation,
            update_style=cast(UpdateStyle, self.update_style),
            id_spelling=cast(IdSpelling, self.id_spelling),
            upload_origins=self._upload_origins(),
            timeout=timeout or settings.SEND_TIMEOUT,
        )

    client.alters_data = True  # type: ignore[attr-defined]

    def _upload_origins(self) -> frozenset[str]:
        """Return where a file may be put: the sandbox itself offers a place, too."""
        origins = {f"https://{host}:{port}" for host, port in settings.UPLOAD_HOSTS}
        if self.environment == self.Environment.SANDBOX:
            origins.add(origin_of(self.write_url))
        return frozenset(origins)

    def reader(self) -> AsyncReader:
        """Return the pooled reader that asks this project about many operations.

        Raises as `client` does.
        """
        self._need_addresses()
        key = self.active_key()
        key.mark_used()
        return reader_for(
            api_key=key.value,
            api_url=self.api_url,
            timeout=min(READ_TIMEOUT, settings.SEND_TIMEOUT),
        )

    reader.alters_data = True  # type: ignore[attr-defined]

    def _need_addresses(self) -> None:
        """Raise `RequestInvalid` for an address that the settings allow no more."""
        for name in ADDRESSES:
            if not getattr(self, name) and name == "search_url":
                continue
            try:
                validate_base_url(getattr(self, name))
            except ValidationError as error:
                label = self._meta.get_field(name).verbose_name  # type: ignore[union-attr]
                text = f"The {label} of {self.name} takes no API key. {error.message}"
                raise RequestInvalid(text) from None


class ApiKeyQuerySet(OfEnvironment["ApiKey"]):
    """Questions asked of keys."""

    def active(self) -> "ApiKeyQuerySet":
        """Return those that may be used: not revoked, given for what the project is."""
        here = {name: models.F(f"project__{name}") for name in GIVEN_FOR}
        return self.filter(revoked_at=None, **here)


class ApiKey(models.Model):
    """A key of a project, encrypted at rest; only its last four are shown.

    It goes only where it was given for; once revoked, its value is gone.
    """

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="api_keys"
    )
    label = models.CharField(max_length=100)
    value: models.Field[Any, SecretStr] = EncryptedField("Key", null=True)
    environment = models.CharField(
        max_length=20, default="", db_default="", editable=False
    )
    write_url = models.CharField(
        max_length=500, default="", db_default="", editable=False
    )
    api_url = models.CharField(
        max_length=500, default="", db_default="", editable=False
    )
    search_url = models.CharField(
        max_length=500, blank=True, default="", db_default="", editable=False
    )
    last_four = models.CharField(max_length=4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()
    PROJECT = "project"

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(revoked_at=None, value__isnull=False)
                | models.Q(revoked_at__isnull=False, value__isnull=True),
                name="api_key_has_a_value_until_revoked",
            )
        ]

    def __str__(self) -> str:
        return f"{self.label} (…{self.last_four})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            for name in GIVEN_FOR:
                setattr(self, name, getattr(self.project, name))
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
        """Forget the key's value. Returns False when it already was revoked."""
        active = ApiKey.objects.filter(pk=self.pk, revoked_at=None)
        return active.update(revoked_at=timezone.now(), value=None) == 1

    revoke.alters_data = True  # type: ignore[attr-defined]
