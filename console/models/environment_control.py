"""What holds for all projects of one environment: a freeze, and whether reasons count.

Rows are made when they are first needed: an environment without one is not frozen and
asks for no reason.
"""

from django.db import models
from django.db.models import Q
from django.urls import reverse

from console.access.scoping import OfEnvironment
from console.environments import Environment


class EnvironmentControlQuerySet(OfEnvironment["EnvironmentControl"]):
    """Questions asked of the controls of environments."""

    def frozen(self) -> "EnvironmentControlQuerySet":
        """Return those whose environment sends nothing, the longest frozen first."""
        return self.filter(frozen_at__isnull=False).order_by("frozen_at")

    def of(self, environment: str) -> "EnvironmentControl":
        """Return the control of `environment`: a new, unsaved one if there is none."""
        found = self.filter(pk=environment).first()
        return found or self.model(environment=environment)


class EnvironmentControl(models.Model):
    """The switches of one environment: one row per word.

    While it is frozen nothing of its projects is sent: claiming an operation asks this
    row in the same UPDATE (`writes.worker.send`).
    """

    environment = models.CharField(max_length=20, choices=Environment, primary_key=True)
    frozen_at = models.DateTimeField(null=True)
    frozen_by_name = models.CharField(max_length=150, blank=True)
    freeze_reason = models.CharField(max_length=200, blank=True)
    # When the last freeze ended: what waited then has its whole time again.
    unfrozen_at = models.DateTimeField(null=True)
    # Whether every write needs a reason or ticket.
    needs_reason = models.BooleanField(default=False)

    objects = EnvironmentControlQuerySet.as_manager()
    PROJECT = ""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(environment__in=["sandbox", "test", "production"]),
                name="environment_control_known",
            ),
            models.CheckConstraint(
                condition=Q(frozen_at=None)
                | ~Q(frozen_by_name="") & ~Q(freeze_reason=""),
                name="environment_freeze_says_who_and_why",
            ),
        ]

    def __str__(self) -> str:
        return self.get_environment_display()

    def get_absolute_url(self) -> str:
        return reverse("connections:environments")

    @property
    def is_frozen(self) -> bool:
        """Whether nothing is sent there now."""
        return self.frozen_at is not None

    @property
    def frozen_why(self) -> str:
        """Who froze it and for what reason, in words."""
        return f"{self.frozen_by_name}: {self.freeze_reason}"

    @property
    def is_production(self) -> bool:
        """Whether it is about customers' live data."""
        return self.environment == Environment.PRODUCTION

    def change(self, only_if: Q, **values: object) -> bool:
        """Set `values` if the row is as `only_if` says; of two people one does it."""
        EnvironmentControl.objects.get_or_create(pk=self.pk)
        rows = EnvironmentControl.objects.filter(only_if, pk=self.pk)
        changed = rows.update(**values) == 1
        self.refresh_from_db()
        return changed

    change.alters_data = True  # type: ignore[attr-defined]
