"""An operation: one request to Ampersand, and questions asked of many."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Upper
from django.db.models.lookups import GreaterThan
from django.urls import reverse
from django.utils import timezone

from console.access.roles import Person, Role, environments_for
from console.access.scoping import OfEnvironment
from console.environments import Environment
from console.models import EnvironmentControl, Group, Integration, Project
from console.runtime.prefix import begins_with
from console.validators import LARGEST_ID, whole_number
from operations.models.rollup import RollupMark
from operations.models.row_outcomes import ROW_OUTCOMES
from operations.models.written import Written

# A log that was not read for so long is told of. An operation that goes on as usual has
# its log read more often than that.
LOG_IS_LATE = timedelta(hours=2)


def log_kept() -> timedelta:
    """Return how long Ampersand keeps the entries of a log."""
    return timedelta(days=settings.LOG_DAYS_AT_AMPERSAND)


def is_frozen() -> Q:
    """Return the condition that the environment of an operation is frozen.

    It joins nothing to the operations: PostgreSQL looks again at the conditions of an
    UPDATE that had to wait, but not at those of a subquery that a join becomes.
    """
    frozen = EnvironmentControl.objects.frozen().values("environment")
    projects = Project.objects.filter(environment__in=frozen)
    return Q(Exists(projects.filter(pk=OuterRef("project_id"))))


# Shorter beginnings of an id would mean anything.
SHORTEST_ID = 4


def _numbered(text: str) -> Q:
    """Return the condition that an operation has this number; none has another text."""
    pk = whole_number(text.removeprefix("#"), most=LARGEST_ID)
    return Q(pk__in=[] if pk is None else [pk])


def _has_failed_rows() -> Q:
    """Return the condition that rows of an operation are known to have failed."""
    return Q(rows_failed__gt=Written(models.Value(0)))


class OperationQuerySet(OfEnvironment["Operation"]):
    """Questions asked of operations."""

    def for_role(self, user: Person, least: Role) -> "OperationQuerySet":
        """Return those in environments where `user` has at least the role.

        By the operation's own copy: asked of the project, the database would walk
        through the operations of all others to find the newest of these.
        """
        words = environments_for(user, least)
        if len(words) == len(Environment):
            return self
        return self.filter(environment__in=words)

    def each_of(self, **values: Sequence[Any]) -> "list[OperationQuerySet]":
        """Return these for each of some values of a column, by themselves.

        An index has the operations of one value newest first, of several it has not.
        """
        rest = [self]
        for column, several in values.items():
            rest = [part.filter(**{column: one}) for part in rest for one in several]
        return rest

    def newest_first(self) -> "OperationQuerySet":
        """Order for lists; total, so that paging by key misses nothing."""
        return self.order_by("-pk")

    def earlier_than(self, pk: int) -> "OperationQuerySet":
        """Return what comes after this one in the order of their times, newest first.

        After one that is not there: what has a lower number.
        """
        moments = self.model.objects.filter(pk=pk).values_list("created_at", flat=True)
        moment = moments.first()
        if moment is None:
            return self.filter(pk__lt=pk)
        until = self.filter(created_at__lte=moment)
        return until.exclude(created_at=moment, pk__gte=pk)

    def needing_attention(self) -> "OperationQuerySet":
        """Return those whose outcome nobody knows, nor looked into: a person has to."""
        return self.filter(self._needs_person())

    def unknown_since(self, moment: datetime) -> "OperationQuerySet":
        """Return those needing attention that were sent before `moment`."""
        return self.needing_attention().filter(sent_at__lt=moment)

    def _needs_person(self) -> Q:
        # Written into the query: SQLite takes a partial index for nothing else.
        unknown = Written(models.Value("unknown"))
        return Q(state=unknown, resolved_at=None)

    def in_flight(self) -> "OperationQuerySet":
        """Return those that will still change by themselves."""
        return self.filter(state__in=self.model.IN_FLIGHT)

    def log_at_risk(self, now: datetime) -> "OperationQuerySet":
        """Return those whose log Ampersand will delete before it is wholly stored here.

        Unless it is read until then: what goes as usual is not among them.
        """
        return self.filter(
            log_since__gt=now - log_kept(), log_since__lte=now - LOG_IS_LATE
        )

    def log_lost(self, now: datetime) -> "OperationQuerySet":
        """Return those whose log was not, or not wholly, stored here in time.

        As far as anybody knows: Ampersand may have kept it for longer.
        """
        return self.filter(log_since__lte=now - log_kept())

    def ended_badly(self) -> "OperationQuerySet":
        """Return those of which something is known not to have been written."""
        return self.filter(state__in=self.model.ENDED_BADLY)

    def with_failures(self) -> "OperationQuerySet":
        """Return those of which rows are known to have failed.

        The 0 is written into the query: SQLite takes a partial index for nothing else.
        """
        return self.filter(_has_failed_rows())

    def failed(self) -> "OperationQuerySet":
        """Return those that failed, or rows of them: whose errors are counted."""
        return self.filter(_has_failed_rows() | Q(state__in=self.model.ENDED_BADLY))

    def spelt(self, **words: str) -> "OperationQuerySet":
        """Return those whose columns are these words, in upper or lower case.

        Compared as the indexes have them, on every database.
        """
        names = {f"upper_{column}": Upper(column) for column in words}
        wanted = {f"upper_{name}": Upper(models.Value(words[name])) for name in words}
        return self.alias(**names).filter(**wanted)

    def of_customer(self, typed: str) -> "OperationQuerySet":
        """Return those for a customer: its groupRef, or the name that pages show.

        A name counts in the integrations where it stands: it finds nothing of places
        that this is not about.
        """
        named = Group.objects.filter(name__iexact=typed)
        is_meant = Q()
        for integration, group_ref in named.values_list("integration", "group_ref"):
            reference = Upper(models.Value(group_ref))
            is_meant |= Q(integration=integration, upper_group_ref=reference)
        # One way alone has an index in the order of the list, several have not.
        if not is_meant or self.model.objects.spelt(group_ref=typed).exists():
            is_meant |= Q(upper_group_ref=Upper(models.Value(typed)))
        return self.alias(upper_group_ref=Upper("group_ref")).filter(is_meant)

    def with_rows(self, outcome: str) -> "OperationQuerySet":
        """Return those with rows of an outcome, a word of `ROW_OUTCOMES`."""
        rows = self.alias(rows_of_outcome=Written(ROW_OUTCOMES[outcome]))
        return rows.filter(rows_of_outcome__gt=Written(models.Value(0)))

    def begun(self) -> "OperationQuerySet":
        """Return all but the parts of a write whose turn has not come."""
        return self.exclude(state=self.model.State.HELD)

    def due(self, *states: str, now: datetime) -> "OperationQuerySet":
        """Return those in one of `states` that the worker should turn to by `now`."""
        return self.filter(state__in=states, due_at__lte=now).order_by("due_at")

    def not_frozen(self) -> "OperationQuerySet":
        """Return those that may leave: nothing of a frozen environment does."""
        return self.filter(~is_frozen())

    def for_list(self) -> "OperationQuerySet":
        """Return what a line of the list shows; reading anything else raises."""
        return (
            self.select_related("project")
            .defer("answer", "result")
            .fetch_mode(models.FETCH_RAISE)
        )

    def mentioning(self, text: str) -> "OperationQuerySet":
        """Return those that `text` may mean: an id's beginning, or words within."""
        found = (
            Q(remote_id__istartswith=text)
            | Q(record_id__istartswith=text)
            | Q(object_name__icontains=text)
            | Q(group_ref__icontains=text)
            | Q(reason__icontains=text)
            | Q(purpose__icontains=text)
        )
        return self.filter(found | _numbered(text))

    def called(self, text: str) -> "list[OperationQuerySet]":
        """Return those with this as their id, customer or object, or as its beginning.

        Each way by itself, so that each has an index; the beginning of an id counts
        from SHORTEST_ID characters on.
        """
        ways = [self.filter(_numbered(text)), self.spelt(group_ref=text)]
        ways.append(self.spelt(object_name=text))
        if len(text) >= SHORTEST_ID:
            ways += [
                self.filter(begins_with(name, text))
                for name in ("remote_id", "record_id")
            ]
        return ways


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

    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="operations"
    )
    # A copy, so that an index has it: that of a project with operations never changes.
    environment = models.CharField(max_length=20, choices=Environment)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.REQUEST)
    # No index of its own: `operation_by_integration` begins with it.
    integration = models.ForeignKey(
        Integration,
        null=True,
        on_delete=models.PROTECT,
        related_name="operations",
        db_index=False,
    )
    action = models.CharField(max_length=10, choices=Action)
    source = models.CharField(max_length=10, choices=Source, blank=True)
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
    may_have_left = models.BooleanField(default=False)
    refusals = models.PositiveIntegerField(default=0)
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
    has_news = models.BooleanField(default=False)
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
            # Home and the list: what is in this state, newest first?
            models.Index(fields=["state", "-id"], name="operation_by_state"),
            models.Index(fields=["project", "-id"], name="operation_by_project"),
            models.Index(
                fields=["environment", "-id"], name="operation_by_environment"
            ),
            models.Index(
                fields=["integration", "-id"], name="operation_by_integration"
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
                name="operation_by_group",
            ),
            models.Index(
                Upper("object_name"),
                F("id").desc(),
                "object_name",
                name="operation_by_object",
            ),
            models.Index(
                Upper("started_by_name"),
                F("id").desc(),
                "started_by_name",
                name="operation_by_user",
            ),
            # Every page: of which does nobody know the outcome?
            models.Index(
                fields=["-id"],
                condition=Q(state="unknown", resolved_at=None),
                name="operation_needs_person",
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
            models.Index(fields=["source", "-id"], name="operation_by_source"),
            models.Index(fields=["action", "-id"], name="operation_by_action"),
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
        known = (self.rows_succeeded or 0) + (self.rows_failed or 0)
        return max(0, self.rows_sent - known)

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
        """Whether it is a run of which nothing more leaves until a person says so."""
        is_going = self.state == self.State.IN_PROGRESS
        return self.is_run and is_going and bool(self.reason)

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
