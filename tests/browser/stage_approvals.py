"""The demo as production, where upserts need another person, and Bert, who is one.

Run as `python -m tests.browser.stage_approvals` with the environment of a console that
was started. With `expire` what waits for approval has waited too long.
"""

import sys
from datetime import timedelta

import django

django.setup()

from django.db.models import F  # noqa: E402

from console.access.roles import Role  # noqa: E402
from console.models import ApiKey, ApprovalRule, FirstPassword, Project  # noqa: E402
from tests.browser.conftest import PASSWORD  # noqa: E402
from tests.conftest import make_user  # noqa: E402
from writes.models import Approval  # noqa: E402


def main() -> None:
    """Make the demo production, with a rule and a second operator."""
    Project.objects.filter(name="Demo").update(environment="production")
    ApiKey.objects.filter(project__name="Demo").update(environment="production")
    ApprovalRule.objects.create(environment="production", action="upsert")
    ApprovalRule.objects.create(
        environment="production", object_name="contact", approved_by="admin"
    )
    bert = make_user("bert", Role.OPERATOR)
    bert.set_password(PASSWORD)
    bert.save()
    # He chose it.
    FirstPassword.objects.filter(user=bert).delete()


def expire() -> None:
    """Let a day and more go by."""
    days = timedelta(days=2)
    Approval.objects.waiting().update(
        requested_at=F("requested_at") - days, expires_at=F("expires_at") - days
    )


if __name__ == "__main__":
    expire() if "expire" in sys.argv else main()
