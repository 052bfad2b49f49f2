"""Who was given which role where."""

from collections.abc import Mapping

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction

from console.environments import Environment


class Grant(models.Model):
    """What a person may do in one environment; without a row they see nothing of it.

    The words of `role` are those of `console.access.roles.Role`.
    """

    class Role(models.TextChoices):
        VIEWER = "viewer", "Viewer"
        OPERATOR = "operator", "Operator"
        ADMIN = "admin", "Admin"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="grants"
    )
    environment = models.CharField(max_length=20, choices=Environment)
    role = models.CharField(max_length=10, choices=Role)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "environment"], name="grant_once_per_environment"
            ),
            models.CheckConstraint(
                condition=models.Q(environment__in=["sandbox", "test", "production"]),
                name="grant_environment_known",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=["viewer", "operator", "admin"]),
                name="grant_role_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} in {self.environment}"


def roles_of(user: User) -> dict[str, str]:
    """Return the words of the roles that were given to `user`, by environment."""
    return {grant.environment: grant.role for grant in user.grants.all()}


@transaction.atomic
def give(user: User, roles: Mapping[str, str]) -> None:
    """Make these the roles of `user`: words by environment, "" takes the role away.

    They count from the person's next request on.
    """
    held = dict(user.grants.values_list("environment", "role"))
    for environment, role in roles.items():
        if role == held.get(environment, ""):
            continue
        if role:
            user.grants.update_or_create(
                environment=environment, defaults={"role": role}
            )
        else:
            user.grants.filter(environment=environment).delete()
