"""Questions asked of operations."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Upper

from console.access.roles import Person, Role, environments_for
from console.access.scoping import OfEnvironment
from console.environments import Environment
from console.models import EnvironmentControl, Group, Project
from console.runtime.prefix import begins_with
from console.validators import LARGEST_ID, whole_number
from operations.models.row_outcomes import ROW_OUTCOMES
from operations.models.written import Written

if TYPE_CHECKING:
    from operations.models.operation import Operation  # noqa: F401 - a name below

# A log that was not read for so long is told of. An operation that goes on as usual has
# its log read more often than that.
LOG_IS_LATE = timedelta(hours=2)
# Shorter beginnings of an id would mean anything.
SHORTEST_ID = 4
# So many numbers are looked up one by one.
FEW = 500


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


def on_hold(of: str = "") -> Q:
    """Return the condition of `Operation.rests`; `of` leads to operations, as "a__"."""
    held = Q((f"{of}state", "held"), (f"{of}may_have_left", True))
    run = Q((f"{of}state", "in_progress"), (f"{of}kind", "run"))
    return held | run & ~Q((f"{of}reason", ""))


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

    def among_few(self, condition: Q) -> "OperationQuerySet":
        """Return the same, looked up by number if few operations meet `condition`.

        It is one of these conditions already, and an index has it, but not in the order
        of the list: SQLite would rather walk through all others in that order.
        """
        met = self.model.objects.filter(condition)
        numbers = list(met.values_list("pk", flat=True)[: FEW + 1])
        return self if len(numbers) > FEW else self.filter(pk__in=numbers)

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
        """Return those in `states` to be turned to by `now`, the longest due first."""
        due = self.filter(state__in=states, due_at__lte=now)
        return due.order_by("due_at", "pk")

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
            begun = [begins_with(name, text) for name in ("remote_id", "record_id")]
            ways += [self.filter(each).among_few(each) for each in begun]
        return ways
