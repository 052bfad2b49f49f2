"""The approval of a write by another person than the one who asked for it."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import F, Q
from django.urls import reverse

from console.access.roles import Role, environments_for
from console.access.scoping import OfEnvironment
from console.actor import SYSTEM, Actor
from console.models import AuditEvent, Project
from console.runtime import db_clock
from operations.models.written import Written
from writes.models.write import Write

# What was looked at longer ago says little about the customer's data of now.
EXPIRES_AFTER: Final = timedelta(hours=24)
LONGEST_WHY: Final = 300
LONGEST_NOTE: Final = 500


class ApprovalQuerySet(OfEnvironment["Approval"]):
    """Questions asked of approvals, and how many of them end at once."""

    def waiting(self) -> "ApprovalQuerySet":
        """Return those that nobody decided about."""
        # Written into the query: SQLite takes a partial index for nothing else.
        return self.filter(state=Written(models.Value("waiting")))

    def open(self, now: datetime) -> "ApprovalQuerySet":
        """Return those that may still be approved at `now`."""
        return self.waiting().filter(
            expires_at__gt=now,
            write__state=Write.State.DRAFT,
            write__edition=F("edition"),
        )

    def for_approver(self, user: User, now: datetime) -> "ApprovalQuerySet":
        """Return the open ones that `user` may decide about, the oldest first."""
        admin = environments_for(user, Role.ADMIN)
        operator = environments_for(user, Role.OPERATOR)
        path = "write__integration__project__environment__in"
        has_role = Q(**{path: admin}) | Q(**{path: operator}, least_role="operator")
        # By their numbers, which are few: SQLite would begin with all writes.
        numbers = list(self.waiting().values_list("pk", flat=True))
        others = self.open(now).filter(has_role, pk__in=numbers)
        others = others.exclude(requested_by=user)
        others = others.exclude(write__started_by=user)
        return others.exclude(write__authors__person=user).order_by("expires_at", "pk")

    def end(
        self, state: str, why: str = "", *, actor: Actor = SYSTEM, note: str = ""
    ) -> int:
        """End those that wait, each with an audit event; return how many that were.

        Of two who end the same only one does. Where a person decides, it is `actor`.
        """
        values: dict[str, Any] = {"state": state, "why": why[:LONGEST_WHY]}
        if state in Approval.DECIDED:
            values |= {"decided_by": actor.user, "decided_by_name": actor.name}
            values["note"] = note
        ended = 0
        for approval in self.waiting().select_related("write__integration__project"):
            mine = Approval.objects.waiting().filter(pk=approval.pk)
            with transaction.atomic():
                if mine.update(ended_at=db_clock.now(), **values):
                    approval.audit(state, actor, why=why, note=note)
                    ended += 1
        return ended

    end.alters_data = True  # type: ignore[attr-defined]


class Approval(models.Model):
    """Somebody wants a write sent, and another person decides: once, for good.

    Bound to what was shown: `digest` is that of all its requests, with where they go
    and how (`writes.actions.need_approval`), `edition` that of the draft. What the
    requester said beside it is kept, since approving confirms the write with it.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waits for approval"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Refused"
        EXPIRED = "expired", "Expired"
        WITHDRAWN = "withdrawn", "Withdrawn"
        VOID = "void", "Void"

    # What a person made of it.
    DECIDED: ClassVar = (State.APPROVED, State.REFUSED)

    write = models.ForeignKey(Write, on_delete=models.CASCADE, related_name="approvals")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    edition = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    # The rules that wanted it, in words, and the role that they asked for.
    rules = models.JSONField(default=list)
    least_role = models.CharField(max_length=10)

    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="approvals_requested",
    )
    requested_by_name = models.CharField(max_length=150)
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # What `writes.actions.confirm.confirm` takes.
    reason = models.CharField(max_length=200, blank=True)
    repeat_reason = models.CharField(max_length=200, blank=True)
    repeats = models.ForeignKey(
        Write, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    stop_after = models.PositiveIntegerField(null=True)

    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="approvals_decided",
    )
    decided_by_name = models.CharField(max_length=150, blank=True)
    note = models.CharField(max_length=LONGEST_NOTE, blank=True)
    ended_at = models.DateTimeField(null=True)
    # Why it is void; "" where a person decided.
    why = models.CharField(max_length=LONGEST_WHY, blank=True)

    objects = ApprovalQuerySet.as_manager()
    PROJECT = "write__integration__project"

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        *("waiting", "approved", "refused"),
                        *("expired", "withdrawn", "void"),
                    ]
                ),
                name="approval_state_known",
            ),
            # By id while both people exist, by name for good.
            models.CheckConstraint(
                condition=Q(decided_by=None)
                | Q(requested_by=None)
                | ~Q(decided_by=F("requested_by")),
                name="approval_by_another_person",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "refused"])
                | ~Q(decided_by_name="") & ~Q(decided_by_name=F("requested_by_name")),
                name="approval_names_another_person",
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | ~Q(note=""),
                name="approval_refused_with_note",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", ended_at=None)
                | ~Q(state="waiting") & Q(ended_at__isnull=False),
                name="approval_ends_once",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("requested_at")),
                name="approval_expires_later",
            ),
            models.CheckConstraint(
                condition=Q(least_role__in=["operator", "admin"]),
                name="approval_role_known",
            ),
            models.UniqueConstraint(
                fields=["write"],
                condition=Q(state__in=["waiting", "approved"]),
                name="approval_one_a_write",
            ),
        ]
        indexes = [
            # Home and the clock: what waits, and until when?
            models.Index(
                fields=["expires_at"],
                condition=Q(state="waiting"),
                name="approval_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"Approval {self.pk} of write {self.write_id}"

    def get_absolute_url(self) -> str:
        return reverse("writes:approval", args=[self.pk])

    @property
    def project(self) -> Project:
        """The project that the write goes to."""
        return self.write.project

    @property
    def is_waiting(self) -> bool:
        """Whether nobody decided about it yet."""
        return self.state == self.State.WAITING

    def said(self) -> dict[str, Any]:
        """Return what the requester said, by the names that `confirm` takes."""
        return {
            "reason": self.reason,
            "repeat_reason": self.repeat_reason,
            "repeats": self.repeats_id,
            "stop_after": self.stop_after,
        }

    def audit(self, what: str, actor: Actor, **detail: Any) -> None:
        """Record what became of it; call it in the transaction that did it."""
        AuditEvent.record(
            action=f"approval.{what}",
            subject=f"Write {self.write_id}: {self.write.get_action_display()} "
            f"{self.write.count_label} for {self.write.group_label}"[:200],
            about=self.write,
            actor=actor,
            detail={
                "write": self.write_id,
                "approval": self.pk,
                "requested_by": self.requested_by_name,
                "digest": self.digest,
                **{name: value for name, value in detail.items() if value},
            },
        )


class Author(models.Model):
    """A person who changed a draft, beside the one who made it: may not approve it."""

    write = models.ForeignKey(Write, on_delete=models.CASCADE, related_name="authors")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["write", "person"], name="author_once")
        ]

    def __str__(self) -> str:
        return f"{self.person} changed write {self.write_id}"
