"""What belongs to an environment is there only for people with a role in it.

Everything that is written belongs to a project, and so to an environment. Where a
person has no role, it is in no list and no count, and its address answers 404. `find`
is how a view gets a row: it cannot be called without saying which role that needs.
"""

from typing import Self

from django.db import models
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from console.access.roles import Person, Role, environments_for, need_role
from console.environments import Environment


class OfEnvironment[Row: models.Model](models.QuerySet[Row]):
    """Questions asked of rows that belong to an environment.

    The model's `PROJECT` is the look-up that leads to the project, "" where the row
    has its environment itself.
    """

    @property
    def project_path(self) -> str:
        """The look-up from a row to its project."""
        path: str = self.model.PROJECT  # type: ignore[attr-defined]
        return path

    def for_role(self, user: Person, least: Role) -> Self:
        """Return those in environments where `user` has at least the role."""
        words = environments_for(user, least)
        if len(words) == len(Environment):
            return self
        path = f"{self.project_path}__environment__in".removeprefix("__")
        return self.filter(**{path: words})

    def visible_to(self, user: Person) -> Self:
        """Return those that `user` may look at."""
        return self.for_role(user, Role.VIEWER)


def find[Row: models.Model](
    request: HttpRequest, rows: OfEnvironment[Row], pk: int, role: Role
) -> Row:
    """Return the row with its project, for people who have `role` in its environment.

    Raises `Http404` where it is not there for them, and `PermissionDenied` where their
    role is too low for what they want.
    """
    visible = rows.visible_to(request.user)
    if rows.project_path:
        visible = visible.select_related(rows.project_path)
    row = get_object_or_404(visible, pk=pk)
    need_role(request, role, row.project.environment)  # type: ignore[attr-defined]
    return row
