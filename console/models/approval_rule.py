"""Which writes need another person's approval before they are queued."""

from django.db import models
from django.db.models import Q

from console.access.roles import Role
from console.access.scoping import OfEnvironment
from console.environments import Environment


class ApprovalRuleQuerySet(OfEnvironment["ApprovalRule"]):
    """Questions asked of rules."""

    def of(self, environment: str) -> "ApprovalRuleQuerySet":
        """Return the rules of `environment`, in the order of pages."""
        return self.filter(environment=environment).order_by("pk")


class ApprovalRule(models.Model):
    """Writes of this kind to an environment wait until another person approves them.

    Every condition that is set has to hold; a rule without any is about all writes.
    `more_than` is a number of rows, 0 for any; what nobody counted counts as more.
    """

    class Action(models.TextChoices):
        ANY = "", "Anything"
        CREATE = "create", "Creates"
        UPDATE = "update", "Updates"
        UPSERT = "upsert", "Upserts"
        DELETE = "delete", "Deletes"

    class ApprovedBy(models.TextChoices):
        OPERATOR = "operator", "Another operator or admin"
        ADMIN = "admin", "Another admin"

    environment = models.CharField(max_length=20, choices=Environment)
    action = models.CharField(max_length=10, choices=Action, blank=True)
    # "" for any; case does not matter, as in Salesforce.
    object_name = models.CharField("Object", max_length=200, blank=True)
    more_than = models.PositiveIntegerField("More than this many rows", default=0)
    approved_by = models.CharField(
        max_length=10, choices=ApprovedBy, default=ApprovedBy.OPERATOR
    )

    objects = ApprovalRuleQuerySet.as_manager()
    PROJECT = ""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(environment__in=["sandbox", "test", "production"]),
                name="approval_rule_environment_known",
            ),
            models.CheckConstraint(
                condition=Q(action__in=["", "create", "update", "upsert", "delete"]),
                name="approval_rule_action_known",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__in=["operator", "admin"]),
                name="approval_rule_role_known",
            ),
            models.UniqueConstraint(
                fields=["environment", "action", "object_name", "more_than"],
                name="approval_rule_once",
                violation_error_message="There is already such a rule.",
            ),
        ]

    def __str__(self) -> str:
        what = self.get_action_display() if self.action else "All writes"
        if self.object_name:
            what += f" of {self.object_name}"
        if self.more_than:
            what += f", more than {self.more_than:,} row{'s' * (self.more_than != 1)}"
        return what

    @property
    def least_role(self) -> Role:
        """The least role of who may approve what the rule is about."""
        return Role[self.approved_by.upper()]

    def is_about(
        self, *, actions: frozenset[str], object_name: str, rows: int | None
    ) -> bool:
        """Tell whether a write with these properties needs approval.

        `actions` are all that it may do, `rows` is None where nobody counted them.
        """
        return (
            (not self.action or self.action in actions)
            and self.object_name.casefold() in ("", object_name.casefold())
            and (rows is None or rows > self.more_than)
        )
