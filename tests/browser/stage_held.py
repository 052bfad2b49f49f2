"""Writes that the console holds: two that cannot have left, and one that may have.

Run as `python -m tests.browser.stage_held` with the environment of a console that was
started, in a frozen environment, so that nothing leaves meanwhile.
"""

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.utils import timezone  # noqa: E402

from console import freeze  # noqa: E402
from console.models import EnvironmentControl, Project, Pulse  # noqa: E402
from operations.models import Operation  # noqa: E402
from tests.conftest import actor  # noqa: E402
from tests.writes.making import confirm, make_draft  # noqa: E402
from writes.worker.hold import hold_for_a_person  # noqa: E402

DOUBT = "The database was last in use on 1 Nov 2026, so it may be a back-up."


def main() -> None:
    """Freeze, confirm three creates, and hold them."""
    olga = User.objects.get(username="operator")
    project = Project.objects.get(name="Demo")
    control = EnvironmentControl.objects.of(project.environment)
    freeze.freeze(control, actor(olga), reason="Restored")
    integration = project.integrations.get()
    made = [
        confirm(make_draft(integration, olga, record={"LastName": f"Held {n}"}), olga)
        for n in range(3)
    ]
    Pulse.objects.update(doubted_at=timezone.now(), doubt=DOUBT)
    for number, operation in enumerate(made):
        why = "The API key of Demo was revoked." if number else DOUBT
        hold_for_a_person(operation, why)
    Operation.objects.filter(pk=made[0].pk).update(may_have_left=True)


if __name__ == "__main__":
    main()
