"""Filters of the list that somebody gave a name to, for themselves or for others."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from console.access.roles import Person, Role, environments_for
from console.environments import Environment


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    """Questions asked of saved views."""

    def visible_to(self, user: Person) -> "SavedViewQuerySet":
        """Return the user's own, and those shared where they have a role; by name."""
        words = environments_for(user, Role.VIEWER)
        mine = Q(environment="", owner_id=user.pk)
        return self.filter(mine | Q(environment__in=words)).order_by("name", "pk")


class SavedView(models.Model):
    """Filters of the list of operations with a name.

    It keeps the question, never the answer: everybody who opens it finds what they may
    see themselves.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views"
    )
    name = models.CharField(max_length=60)
    # As an address has them behind "?", without a page.
    query = models.CharField(max_length=2000)
    # Who else sees it: everybody with a role in this environment; nobody for "".
    environment = models.CharField(max_length=20, choices=Environment, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"], name="saved_view_name_once"
            )
        ]
        indexes = [
            models.Index(fields=["environment", "name"], name="saved_view_shared")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_shared(self) -> bool:
        """Whether others see it, too."""
        return bool(self.environment)
