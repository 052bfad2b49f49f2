"""Who wants notices by e-mail, and of which writes."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from console.models.project import Project


class MailWish(models.Model):
    """A person wants e-mail about writes: of a project, or those they confirm."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mail_wishes"
    )
    # None for the writes that the person confirms, of whatever project.
    project = models.ForeignKey(
        Project, null=True, on_delete=models.CASCADE, related_name="mail_wishes"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "project"], name="mail_wish_once_per_project"
            ),
            models.UniqueConstraint(
                fields=["person"], condition=Q(project=None), name="mail_wish_own_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} about {self.project or 'what they confirm'}"
