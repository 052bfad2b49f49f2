"""Questions asked of operations, for their model's `objects`."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, OuterRef, Q

from console.access.roles import Person, Role, environments_for
from console.access.scoping import OfEnvironment
from console.environments import Environment
from console.models import EnvironmentControl, Project

if TYPE_CHECKING:
    from operations.models import Operation  # noqa: F401 - QuerySet["Operation"]


def is_frozen() -> Q:
    """Return the condition that the environment of an operation is frozen.

    It joins nothing to the operations: PostgreSQL looks again at the conditions of an
    UPDATE that had to wait, but not at those of a subquery that a join becomes.
    """
    frozen = EnvironmentControl.objects.frozen().values("environment")
    projects = Project.objects.filter(environment__in=frozen)
    return Q(Exists(projects.filter(pk=OuterRef("project_id"))))


class OperationQuerySet(OfEnvironment["Operation"]):
    """Questions asked of operations."""

    PROJECT = "project"

    def for_role(self, user: Person, least: Role) -> "OperationQuerySet":
        """Return those in environments where `user` has at least the role.

        Asked row by row: with a join SQLite would sort all operations of the projects
        before it takes the newest.
        """
        words = environments_for(user, least)
        if len(words) == len(Environment):
            return self
        projects = Project.objects.filter(environment__in=words)
        return self.filter(Exists(projects.filter(pk=OuterRef("project_id"))))

    def newest_first(self) -> "OperationQuerySet":
        """Order for lists; total, so that paging by key misses nothing."""
        return self.order_by("-pk")

    def needing_attention(self) -> "OperationQuerySet":
        """Return those whose outcome nobody knows, nor looked into: a person has to."""
        return self.filter(self._needs_person())

    def needing_nobody(self) -> "OperationQuerySet":
        """Return all but those that need attention."""
        return self.exclude(self._needs_person())

    def unknown_since(self, moment: datetime) -> "OperationQuerySet":
        """Return those needing attention that were sent before `moment`."""
        return self.needing_attention().filter(sent_at__lt=moment)

    def _needs_person(self) -> Q:
        return Q(state=self.model.State.UNKNOWN, resolved_at=None)

    def in_flight(self) -> "OperationQuerySet":
        """Return those that will still change by themselves."""
        return self.filter(state__in=self.model.IN_FLIGHT)

    def ended_badly(self) -> "OperationQuerySet":
        """Return those of which something is known not to have been written."""
        return self.filter(state__in=self.model.ENDED_BADLY)

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
            self.select_related("project", "integration")
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
        number = text.removeprefix("#")
        if number.isascii() and number.isdecimal() and len(number) < 19:
            found |= Q(pk=int(number))
        return self.filter(found)
