"""The trail of who did what."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Func, Q, TextField, lookups
from django.db.models.functions import Upper
from django.utils import timezone

from console.access.roles import Person, Role, environments_for, is_admin_everywhere
from console.actor import SYSTEM, Actor, in_one_line
from console.audit_seal import seal_of, sign, unsealed_hash_of
from console.runtime import db_lock

if TYPE_CHECKING:
    from console.models import Project


OF_DRAFTS = (
    *("write.drafted", "write.changed", "write.fixed", "write.discarded"),
    *("approval.asked", "approval.refused", "approval.withdrawn"),
    *("approval.expired", "approval.void"),
    "file.uploaded",
)


# That rows without a seal are by version 0.1.0, which ran while it was replaced.
ADOPTED = "audit.adopted"


class HasPage(Protocol):
    """A row with a page of its own; its `project`, if it has one, says where it is."""

    def get_absolute_url(self) -> str: ...


class NumberInDetail(Func):
    """The number of a `write` or an `operation` in an event's detail, as a text.

    An index on it makes what is sealed findable without a second copy of it.
    """

    arity = 1
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **kwargs: Any) -> Any:
        """Write the name into the expression, so that it is that of the index."""
        template = "CAST(JSON_EXTRACT(%(expressions)s, '$.%(name)s') AS TEXT)"
        return self.as_sql(compiler, connection, template=template, **kwargs)

    def as_postgresql(self, compiler: Any, connection: Any, **kwargs: Any) -> Any:
        """The same."""
        template = "(%(expressions)s ->> '%(name)s')"
        return self.as_sql(compiler, connection, template=template, **kwargs)


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    """Questions asked of the audit trail."""

    def newest_first(self) -> "AuditEventQuerySet":
        """Order for pages; total, so that paging by key misses nothing."""
        return self.order_by("-pk")

    def visible_to(self, user: Person) -> "AuditEventQuerySet":
        """Return the events of the environments that `user` may look at.

        Those of the installation itself, as sign-ins, are for admins of every
        environment; others see their own of them.
        """
        if not user.is_authenticated:
            return self.none()
        if is_admin_everywhere(user):
            return self
        words = environments_for(user, Role.VIEWER)
        is_own = Q(actor_id=user.pk)
        # A draft is there for who made it and for admins, and so is what it says.
        is_open = ~Q(action__in=OF_DRAFTS)
        is_open |= is_own | Q(environment__in=environments_for(user, Role.ADMIN))
        return self.filter(
            Q(is_open, environment__in=words) | Q(is_own, environment="")
        )

    def about(
        self, *, write: int | None = None, operation: int | None = None
    ) -> "AuditEventQuerySet":
        """Return what was done about a write, about an operation, or about either."""
        wanted = Q()
        for name, number in {"write": write, "operation": operation}.items():
            if number is not None:
                wanted |= _is_about(name, number)
        return self.filter(wanted)

    def request_of(self, write: int) -> str:
        """Return the id of the newest request that did something about a write.

        A worker that goes on with it says so by this. "" where none is known.
        """
        found = self.about(write=write).exclude(correlation_id="").newest_first()
        return found.values_list("correlation_id", flat=True).first() or ""

    def links(
        self, previous: str = "", *, most: int | None = None
    ) -> Iterator[tuple[Any, bool]]:
        """Yield what each row says, in order, and whether it is linked and sealed.

        `previous` is the seal of the row before them. The rows are streamed, at most
        so many.
        """
        names = [field.attname for field in self.model._meta.concrete_fields]
        adopted = _adopted()
        rows = self.order_by("pk").values_list(*names, named=True)
        for row in rows[:most].iterator():
            is_adopted = not row.key_id and any(row.id in each for each in adopted)
            expected = unsealed_hash_of(row) if is_adopted else seal_of(row)
            yield row, (row.previous_hash, row.hash) == (previous, expected)
            previous = row.hash

    def first_broken(self) -> "AuditEvent | None":
        """Walk the chain from its beginning and return the first row that breaks it.

        A row breaks it when its content was changed, when the row before it was removed
        or replaced, and when none of our keys sealed it. Rows cut off at the end leave
        no trace here: `console.health.audit_head` looks for those.
        """
        for row, holds in self.links():
            if not holds:
                return self.get(pk=row.id)
        return None


def _adopted() -> list[range]:
    """Return from which to which number rows may have no seal: a sealed one says so.

    Nothing can be put in there later: what is sealed behind it follows on the last.
    """
    told = AuditEvent.objects.filter(action=ADOPTED)
    sealed = (event.detail for event in told if event.hash == seal_of(event))
    return [range(detail["first"], detail["last"] + 1) for detail in sealed]


def _is_about(name: str, number: int) -> Q:
    in_detail = lookups.Exact(NumberInDetail("detail", name=name), str(number))
    # Older events, and those of parts, name it by its page alone.
    return Q(in_detail) | Q(subject_url=f"/{name}s/{number}/")


class AuditEvent(models.Model):
    """Who did what, when, on what and from where. Rows are only ever added.

    The actor's name is copied in, so that it outlives the user. Each row is sealed with
    a key outside the database, together with the seal of the row before it:
    `manage.py audit verify` finds a change or a gap, and the database refuses both
    (`console.audit_guard`).
    """

    at = models.DateTimeField()
    # It decides who may read the row, so it is sealed, and stays when the user goes.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    actor_name = models.CharField(max_length=150)
    action = models.CharField(max_length=50)
    subject = models.CharField(max_length=300)
    subject_url = models.CharField(max_length=200, blank=True)
    project_name = models.CharField(max_length=100, blank=True)
    # Where it happened; blank is the installation itself.
    environment = models.CharField(max_length=20, blank=True)
    address = models.GenericIPAddressField(null=True)
    correlation_id = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict)
    # Which of our keys sealed it.
    key_id = models.CharField(max_length=16, default="", db_default="")
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64, unique=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        # One for each way to narrow the page down, in the page's order.
        indexes = [
            models.Index(fields=["action", "-id"], name="audit_by_action"),
            # (Columns behind the number are of other filters, as with operations.)
            models.Index(
                fields=["environment", "-id", "action"], name="audit_by_environment"
            ),
            models.Index(fields=["address", "-id"], name="audit_by_address"),
            models.Index(fields=["-at", "-id"], name="audit_by_time"),
            # (The column itself comes last: PostgreSQL reads no row for it then.)
            models.Index(
                Upper("actor_name"),
                F("id").desc(),
                "actor_name",
                *("action", "environment"),
                name="audit_by_user",
            ),
            models.Index(
                Upper("project_name"),
                F("id").desc(),
                "project_name",
                "action",
                name="audit_by_project",
            ),
            models.Index(fields=["correlation_id"], name="audit_by_request"),
            models.Index(fields=["subject_url"], name="audit_by_page"),
            models.Index(NumberInDetail("detail", name="write"), name="audit_by_write"),
            models.Index(
                NumberInDetail("detail", name="operation"), name="audit_by_operation"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.subject}"

    @classmethod
    def record(
        cls,
        *,
        action: str,
        subject: str,
        actor: Actor = SYSTEM,
        about: HasPage | None = None,
        environment: str = "",
        detail: dict[str, Any] | None = None,
    ) -> "AuditEvent":
        """Add one event to the chain; without an actor it is the system's own.

        `action` is "noun.verb", as "write.confirmed". `about` is the row whose page the
        event leads to. `detail` holds JSON values and never a secret. Only people with
        a role in `environment` will see it, which is the row's unless it is given.
        """
        project: Project | None = getattr(about, "project", None)
        event = cls(
            actor=actor.user,
            actor_name=actor.name,
            action=action,
            subject=in_one_line(subject)[:300],
            subject_url=about.get_absolute_url() if about else "",
            project_name=project.name if project else "",
            environment=environment or (project.environment if project else ""),
            address=actor.address,
            correlation_id=actor.correlation_id,
            detail=_numbers(about) | (detail or {}) | actor.detail,
        )
        with transaction.atomic():
            # So that the chain has one order.
            db_lock.hold(db_lock.AUDIT)
            # When it has its place in the chain, whoever it waited for.
            event.at = timezone.now()
            last = cls.objects.newest_first().values_list("hash", flat=True).first()
            sign(event, last or "")
            event.save(force_insert=True)
        return event


def _numbers(about: HasPage | None) -> dict[str, int]:
    """Return what finds the events about a write or an operation by its number."""
    if not isinstance(about, models.Model):
        return {}
    name = about._meta.model_name or ""
    return {name: about.pk} if name in ("write", "operation") else {}
