"""The trail of who did what."""

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Q
from django.utils import timezone

from console.access.roles import Person, Role, environments_for, is_admin_everywhere
from console.actor import SYSTEM, Actor, in_one_line
from console.audit_seal import seal_of, sign

if TYPE_CHECKING:
    from console.models import Project


class HasPage(Protocol):
    """A row with a page of its own; its `project`, if it has one, says where it is."""

    def get_absolute_url(self) -> str: ...


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
        return self.filter(
            Q(environment__in=words) | Q(environment="", actor_id=user.pk)
        )

    def first_broken(self) -> "AuditEvent | None":
        """Walk the chain from its beginning and return the first row that breaks it.

        A row breaks it when its content was changed, when the row before it was removed
        or replaced, and when none of our keys sealed it. Rows cut off at the end leave
        no trace here: `console.health.audit_head` looks for those.
        """
        previous = ""
        for event in self.order_by("pk").iterator():
            if (event.previous_hash, event.hash) != (previous, seal_of(event)):
                return event
            previous = event.hash
        return None


class AuditEvent(models.Model):
    """Who did what, when, on what and from where. Rows are only ever added.

    The actor's name is copied in, so that it outlives the user. Each row is sealed with
    a key outside the database, together with the seal of the row before it:
    `manage.py audit_verify` finds a change or a gap.
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
    key_id = models.CharField(max_length=16)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64, unique=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["action", "-id"], name="audit_by_action")]

    # Held while a row is added on PostgreSQL, so that the chain has one order.
    LOCK: ClassVar[int] = 7_205_759

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
            at=timezone.now(),
            actor=actor.user,
            actor_name=actor.name,
            action=action,
            subject=in_one_line(subject)[:300],
            subject_url=about.get_absolute_url() if about else "",
            project_name=project.name if project else "",
            environment=environment or (project.environment if project else ""),
            address=actor.address,
            correlation_id=actor.correlation_id,
            detail=(detail or {}) | actor.detail,
        )
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [cls.LOCK])
            last = cls.objects.newest_first().values_list("hash", flat=True).first()
            sign(event, last or "")
            event.save(force_insert=True)
        return event
