"""An operation: one request to Ampersand."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.db.models.lookups import GreaterThan
from django.urls import reverse
from django.utils import timezone

from console.environments import Environment
from console.models import Integration, Project
from operations.models.operation_queries import OperationQuerySet, log_kept
from operations.models.rollup import RollupMark
from operations.models.row_outcomes import ROW_OUTCOMES


class Operation(models.Model):
    """One request to Ampersand and all that became of it.

    It is stored before anything leaves, so that nothing can be lost, and carries the
    one state that operators see. An operation that somebody else started can be
    followed too; it then begins as in progress and has no request of ours.
    """

    class State(models.TextChoices):
        # A later part of a write: its turn comes when the part before it ended well.
        HELD = "held", "Queued"
        WAITING = "waiting", "Waiting to be sent"
        SENDING = "sending", "Sending"
        UNKNOWN = "unknown", "Outcome unknown"
        REJECTED = "rejected", "Rejected"
        CANCELLED = "cancelled", "Cancelled"
        IN_PROGRESS = "in_progress", "In progress"
        SUCCEEDED = "succeeded", "Succeeded"
        PARTLY_FAILED = "partly_failed", "Partly failed"
        FAILED = "failed", "Failed"
        # Ampersand said that it ended, and nothing about how its rows fared.
        COMPLETED = "completed", "Ended, row results unknown"
        # Its outcome was unknown, and a person found that it did not arrive.
        NOT_WRITTEN = "not_written", "Not written"

    IN_FLIGHT: ClassVar = (State.WAITING, State.SENDING, State.IN_PROGRESS)
    UNSENT: ClassVar = (State.HELD, State.WAITING)
    ENDED: ClassVar = (
        State.SUCCEEDED,
        State.PARTLY_FAILED,
        State.FAILED,
        State.COMPLETED,
    )
    NOT_SENT: ClassVar = (*UNSENT, State.CANCELLED)
    # Ended, and not all of it was written: somebody has to look at the rows.
    ENDED_BADLY: ClassVar = (State.FAILED, State.PARTLY_FAILED, State.REJECTED)
    # Known to have changed nothing: it was refused, never left, or was looked for.
    WITHOUT_EFFECT: ClassVar = (State.REJECTED, State.CANCELLED, State.NOT_WRITTEN)
    # Ampersand is asked about these while `due_at` is set; what it rejected has a log.
    WATCHED: ClassVar = (State.IN_PROGRESS, *ENDED, State.REJECTED)

    class Action(models.TextChoices):
        CREATE = "create", "Create"
        UPDATE = "update", "Update"
        UPSERT = "upsert", "Upsert"
        DELETE = "delete", "Delete"
        BY_ID = "by_id", "Create or update"
        BY_KEY = "by_key", "Create or update"
        # Somebody else's operation, of which we only know the id.
        FOLLOW = "follow", "Followed"

    class Kind(models.TextChoices):
        REQUEST = "request", "One request"
        # Many requests of one write, each with an operation of Ampersand's own.
        RUN = "run", "Many requests"

    class Source(models.TextChoices):
        """Where what it carries came from."""

        RECORD = "record", "Record"
        CSV = "csv", "CSV file"
        URL = "url", "URL"
        # Of other programs: one that a person named, or taken over from a customer.
        FOLLOWED = "followed", "Followed"
        IMPORTED = "imported", "Imported"

    # No index of its own: `operation_by_project` begins with it.
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="operations", db_index=False
    )
    # A copy, so that an index has it: that of a project with operations never changes.
    environment = models.CharField(
        max_length=20, choices=Environment, default="", db_default=""
    )
    kind = models.CharField(
        max_length=10, choices=Kind, default=Kind.REQUEST, db_default=Kind.REQUEST
    )
    # No index of its own: `operation_by_integration` begins with it.
    integration = models.ForeignKey(
        Integration,
        null=True,
        on_delete=models.PROTECT,
        related_name="operations",
        db_index=False,
    )
    action = models.CharField(max_length=10, choices=Action)
    source = models.CharField(
        max_length=10, choices=Source, blank=True, default="", db_default=""
    )
    # Which write it sends something of, as its page is numbered; None of others'.
    write_number = models.PositiveBigIntegerField("write", null=True)
    object_name = models.CharField("object", max_length=200, blank=True)
    group_ref = models.CharField("group", max_length=200, blank=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="operations",
    )
    started_by_name = models.CharField(max_length=150)
    # The reason or ticket that was given for it, "" where none was.
    purpose = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=20, choices=State, default=State.WAITING)

    # As Ampersand has it.
    remote_id = models.CharField(max_length=200, blank=True)
    remote_status = models.CharField(max_length=100, blank=True)
    result = models.TextField(blank=True)
    record_id = models.CharField(max_length=100, blank=True)
    # Which part of a file it carries, as "part 2 of 15"; "" where there is one only.
    part = models.CharField(max_length=30, blank=True)
    answer = models.JSONField(default=dict, blank=True)

    # Rows: None where nobody told us.
    rows_sent = models.PositiveIntegerField(null=True)
    rows_succeeded = models.PositiveIntegerField(null=True)
    rows_failed = models.PositiveIntegerField(null=True)

    # Why it is in a state that is not success, in words; what the server said.
    reason = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    request_id = models.CharField(max_length=200, blank=True)

    created_at = models.DateTimeField(default=timezone.now)
    # Since when it could have been sent: a held part waits from when it is let go.
    waiting_since = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # When a person decided about an unknown outcome; and what, where it stays unknown.
    resolved_at = models.DateTimeField(null=True)
    resolution = models.TextField(blank=True)
    # When the worker turns to it next; None when it never will by itself.
    due_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    # How many of them Ampersand refused for now, with nothing written; and when last.
    # It waited in a restored back-up: nobody knows what left after that was made.
    may_have_left = models.BooleanField(default=False, db_default=False)
    refusals = models.PositiveIntegerField(default=0, db_default=0)
    refused_at = models.DateTimeField(null=True)
    # Watching: how often we asked, when last with an answer, and what went wrong since.
    asked_count = models.PositiveIntegerField(default=0)
    asked_at = models.DateTimeField(null=True)
    watch_problem = models.TextField(blank=True)
    # SHA-256 of the log as it came last, so that the same again is known at a glance.
    log_digest = models.CharField(max_length=64, blank=True)
    # Since when Ampersand may have entries of its log that are not stored here: when
    # it was last read, or when it was sent. None where it is stored to its end.
    log_since = models.DateTimeField(null=True)
    # When retention took its log away, and what else told of values: answer, result,
    # reason.
    log_deleted_at = models.DateTimeField(null=True)
    values_deleted_at = models.DateTimeField(null=True)
    # Whether something was decided of it that nobody looked at for notices yet.
    has_news = models.BooleanField(default=False, db_default=False)
    # Counts the changes, so that a page can ask "anything new since version n?".
    version = models.PositiveIntegerField(default=1)

    objects = OperationQuerySet.as_manager()
    PROJECT = "project"

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "remote_id"],
                condition=~Q(remote_id=""),
                name="operation_once_per_project",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "held",
                        "waiting",
                        "sending",
                        "unknown",
                        "rejected",
                        "cancelled",
                        "in_progress",
                        "succeeded",
                        "partly_failed",
                        "failed",
                        "completed",
                        "not_written",
                    ]
                ),
                name="operation_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="in_progress") | ~Q(remote_id="") | Q(kind="run"),
                name="operation_in_progress_has_remote_id",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["sending", "unknown"])
                | Q(sent_at__isnull=False),
                name="operation_sent_has_time",
            ),
            # Without one nobody would see it.
            models.CheckConstraint(
                condition=Q(environment__in=["sandbox", "test", "production"]),
                name="operation_environment_known",
            ),
            # What is sending or waiting is always turned to again by the worker.
            models.CheckConstraint(
                condition=~Q(state__in=["waiting", "sending"])
                | Q(due_at__isnull=False),
                name="operation_unsent_is_due",
            ),
        ]
        indexes = [
            # The clock: what is due now?
            models.Index(
                fields=["due_at"],
                condition=Q(due_at__isnull=False),
                name="operation_due",
            ),
            # Home and the list: what is in this state, newest first? (Columns behind
            # the number are of other filters: with both on no row is read for them.)
            models.Index(
                fields=["state", "-id", "rows_sent"], name="operation_by_state"
            ),
            models.Index(
                fields=["project", "-id", "state", "action"],
                name="operation_by_project",
            ),
            models.Index(
                fields=["environment", "-id"], name="operation_by_environment"
            ),
            models.Index(
                fields=["integration", "-id", "state", "action"],
                name="operation_by_integration",
            ),
            # Home: what failed since yesterday? The list: what was in this period?
            models.Index(
                fields=["state", "created_at"], name="operation_by_state_time"
            ),
            models.Index(fields=["created_at"], name="operation_by_time"),
            # The clock: of what may people have to be told?
            models.Index(
                fields=["id"],
                condition=Q(has_news=True),
                name="operation_with_news",
            ),
            # The search box: whose id or record is this, or what begins so? (No
            # conditions: SQLite matches none with a bound value.)
            models.Index(
                fields=["record_id"],
                opclasses=["varchar_pattern_ops"],
                name="operation_by_record",
            ),
            # The list: of this customer, object, user … newest first, however spelt.
            # (The column itself comes last: PostgreSQL reads no row for it then.)
            models.Index(
                Upper("group_ref"),
                F("id").desc(),
                "group_ref",
                *("state", "action", "rows_failed", "environment"),
                name="operation_by_group",
            ),
            models.Index(
                Upper("object_name"),
                F("id").desc(),
                "object_name",
                *("state", "action"),
                name="operation_by_object",
            ),
            models.Index(
                Upper("started_by_name"),
                F("id").desc(),
                "started_by_name",
                "state",
                name="operation_by_user",
            ),
            # Every page: of which does nobody know the outcome?
            models.Index(
                fields=["-id"],
                condition=Q(state="unknown", resolved_at=None),
                name="operation_needs_person",
            ),
            # The same for SQLite, which would take the index of states, with all that
            # somebody decided; on PostgreSQL, since when nobody knows.
            models.Index(
                fields=["state", "-id", "environment", "sent_at"],
                condition=Q(state="unknown", resolved_at=None),
                name="operation_undecided",
            ),
            # The plots lead to these: of which did rows fail, or are unknown?
            models.Index(
                fields=["-id"],
                condition=Q(GreaterThan(ROW_OUTCOMES["rows_failed"], 0)),
                name="operation_rows_failed",
            ),
            models.Index(
                fields=["-id"],
                condition=Q(GreaterThan(ROW_OUTCOMES["rows_unknown"], 0)),
                name="operation_rows_unknown",
            ),
            # Those who see one environment: what is in this state, newest first?
            models.Index(
                fields=["environment", "state", "-id"],
                name="operation_by_place_state",
            ),
            models.Index(
                fields=["source", "-id", "state", "rows_failed"],
                name="operation_by_source",
            ),
            models.Index(fields=["action", "-id", "state"], name="operation_by_action"),
            models.Index(
                fields=["write_number", "-id"],
                condition=Q(write_number__isnull=False),
                name="operation_by_write",
            ),
            models.Index(
                fields=["id"], condition=Q(rows_failed__gt=0), name="operation_failures"
            ),
            models.Index(fields=["rows_sent", "-id"], name="operation_by_size"),
            models.Index(
                fields=["remote_id"],
                opclasses=["varchar_pattern_ops"],
                name="operation_by_remote_id",
            ),
            models.Index(
                fields=["request_id"],
                opclasses=["varchar_pattern_ops"],
                name="operation_by_request_id",
            ),
            # Of which is the log not stored here yet?
            models.Index(
                fields=["log_since"],
                condition=Q(log_since__isnull=False),
                name="operation_log_since",
            ),
            # Retention: whose log goes next?
            models.Index(
                fields=["created_at"],
                condition=Q(log_deleted_at=None),
                name="operation_log_goes",
            ),
            # What was sent last for this customer?
            models.Index(
                fields=["group_ref", "integration", "-id"],
                name="operation_by_customer",
            ),
        ]

    def __str__(self) -> str:
        return f"Operation {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        is_new = self._state.adding
        if is_new:
            self.environment = self.project.environment
        with transaction.atomic():
            if is_new and self.remote_id and not self.is_run and not self.log_since:
                self.log_since = self.created_at
            super().save(*args, **kwargs)
            RollupMark.add(self.pk)
            if is_new:
                why = self.reason or self.purpose
                self._keep_transition("", by=self.started_by_name, why=why)

    def get_absolute_url(self) -> str:
        return reverse("operations:detail", args=[self.pk])

    @property
    def is_in_flight(self) -> bool:
        """Whether it will still change by itself."""
        return self.state in self.IN_FLIGHT

    @property
    def accepted_at(self) -> datetime:
        """Since when Ampersand works on it, as far as we know."""
        return self.answered_at or self.created_at

    @property
    def took(self) -> timedelta | None:
        """How long it took from when it was first sent to its end; None until then."""
        if self.ended_at is None or self.sent_at is None:
            return None
        return max(self.ended_at - self.sent_at, timedelta())

    @property
    def log_until(self) -> datetime | None:
        """When Ampersand begins to delete what is not stored of its log.

        None where all is stored, or where there is none.
        """
        return self.log_since and self.log_since + log_kept()

    @property
    def is_watched(self) -> bool:
        """Whether Ampersand is still asked about it: until 3 minutes past its end.

        What was rejected can have no news: only its log is fetched.
        """
        is_asked = self.state in self.WATCHED and self.due_at is not None
        return is_asked and self.state != self.State.REJECTED

    @property
    def needs_person(self) -> bool:
        """Whether nobody has yet decided about its unknown outcome."""
        return self.state == self.State.UNKNOWN and self.resolved_at is None

    @property
    def can_be_asked(self) -> bool:
        """Whether asking Ampersand now could bring news."""
        return self.is_watched or (
            self.state == self.State.IN_PROGRESS and not self.is_run
        )

    @property
    def can_be_cancelled(self) -> bool:
        """Whether nothing of it was written, and nothing is on its way."""
        return self.state in self.UNSENT

    @property
    def rows_unknown(self) -> int | None:
        """How many of the rows sent are neither known as written nor as failed.

        None where we do not know how many there are, and while none has left.
        """
        if self.rows_sent is None or self.state in self.NOT_SENT:
            return None
        return self._rows_untold - self.rows_not_sent

    @property
    def rows_not_sent(self) -> int:
        """How many of its rows have not left: all, or what was cancelled of a run."""
        if self.state in self.NOT_SENT:
            return self.rows_sent or 0
        if self.is_run and self.state in self.ENDED and not self.may_have_left:
            # Of every request that left its rows are counted by then.
            return self._rows_untold
        return 0

    @property
    def _rows_untold(self) -> int:
        known = (self.rows_succeeded or 0) + (self.rows_failed or 0)
        return max(0, (self.rows_sent or 0) - known)

    @property
    def is_bulk(self) -> bool:
        """Whether Ampersand works on it in the background and keeps logs of it."""
        if self.action == self.Action.DELETE:
            # One that names no record deletes the rows of a file.
            return not (self.is_run or self.record_id)
        return self.action in (self.Action.UPSERT, self.Action.FOLLOW)

    @property
    def is_run(self) -> bool:
        """Whether it is many requests, which tell of their rows themselves."""
        return self.kind == self.Kind.RUN

    @property
    def rests(self) -> bool:
        """Whether nothing more of it leaves until a person says so.

        That is a run which is paused, and what is held since a back-up was restored.
        """
        if self.state == self.State.HELD:
            return self.may_have_left
        is_going = self.state == self.State.IN_PROGRESS
        return self.is_run and is_going and bool(self.reason)

    @property
    def state_label(self) -> str:
        """Its state as pages call it: nothing of what rests is in progress."""
        return "On hold" if self.rests else self.get_state_display()

    def change(
        self,
        *,
        only_from: tuple[str, ...],
        only_if: Q | None = None,
        by: str = "",
        **values: Any,
    ) -> bool:
        """Set `values` if the state is still one of `only_from`; tell whether it was.

        The one way in which a state changes: a conditional UPDATE, so that of two
        processes only one succeeds, with its `OperationTransition` in the same
        transaction. `only_if` is one more condition of that UPDATE. `by` names the
        person who did it, if one did. The object itself is refreshed. Raises
        `IntegrityError` for a transition that LEDGER does not know.
        """
        fit = {name: self._fit(name, value) for name, value in values.items()}
        if "state" in fit:
            fit["has_news"] = True
        if fit.get("remote_id") and not (self.is_run or self.remote_id):
            # From now on Ampersand has a log of it.
            fit.setdefault("log_since", self.sent_at or timezone.now())
        with transaction.atomic():
            rows = Operation.objects.filter(
                only_if or Q(), pk=self.pk, state__in=only_from
            )
            before = rows.select_for_update().values_list("state", flat=True).first()
            changed = rows.update(version=F("version") + 1, **fit) == 1
            self.refresh_from_db()
            if changed:
                RollupMark.add(self.pk)
            if changed and before != self.state:
                why = fit.get("reason", "")
                self._keep_transition(str(before), by=by, why=why)
        return changed

    change.alters_data = True  # type: ignore[attr-defined]

    def _keep_transition(self, before: str, *, by: str, why: str) -> None:
        self.transitions.create(
            number=self.version,
            from_state=before,
            to_state=self.state,
            actor_name=by,
            reason=why,
        )

    @classmethod
    def _fit(cls, name: str, value: Any) -> Any:
        """Cut text from outside to what its column holds."""
        longest = getattr(cls._meta.get_field(name), "max_length", None)
        return value[:longest] if longest and isinstance(value, str) else value

    def cancel(self, *, by: str) -> bool:
        """Stop it from being sent; tell whether that was still possible."""
        return self.change(
            only_from=self.UNSENT,
            by=by,
            state=self.State.CANCELLED,
            reason=f"Cancelled by {by}.",
            remedy="",
            ended_at=timezone.now(),
            due_at=None,
        )

    cancel.alters_data = True  # type: ignore[attr-defined]

    def resolve(self, resolution: str) -> bool:
        """Keep what a person decided about an unknown outcome, which stays unknown.

        Of two at once only one decides; tells whether it was this one.
        """
        undecided = Operation.objects.needing_attention().filter(pk=self.pk)
        decided = undecided.update(
            resolved_at=timezone.now(),
            resolution=resolution,
            has_news=True,
            version=F("version") + 1,
        )
        self.refresh_from_db()
        return decided == 1

    resolve.alters_data = True  # type: ignore[attr-defined]

    def reconcile(self, *, by: str, state: str, **values: Any) -> bool:
        """Keep what a person found out about an unknown outcome, as its new state.

        Tells whether it was unknown until now: a late answer may have come first.
        """
        return self.change(
            only_from=(self.State.UNKNOWN,),
            by=by,
            state=state,
            resolved_at=timezone.now(),
            **values,
        )

    reconcile.alters_data = True  # type: ignore[attr-defined]
