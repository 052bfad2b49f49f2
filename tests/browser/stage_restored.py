"""Writes that wait in two environments when a back-up is restored.

Run as `python -m tests.browser.stage_restored` with the environment of a console that
was started. Prints the address of one of them, as JSON.
"""

import json
import sys

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402

from console import freeze  # noqa: E402
from console.actor import Actor  # noqa: E402
from console.models import (  # noqa: E402
    ApiKey,
    EnvironmentControl,
    Integration,
    Project,
)
from tests.browser.stage import CONTACT, csv  # noqa: E402
from tests.conftest import actor  # noqa: E402
from tests.writes.making import make_draft  # noqa: E402
from writes.actions.confirm import confirm  # noqa: E402


def main() -> dict[str, str]:
    """Have writes wait while their environments are frozen, then restore."""
    user = User.objects.get(username="operator")
    demo = Integration.objects.get(project__name="Demo", remote_id="salesforce")
    Project.objects.filter(name="Demo today").update(environment="production")
    ApiKey.objects.filter(project__name="Demo today").update(environment="production")
    live = Integration.objects.get(project__name="Demo today")
    for environment in ("sandbox", "production"):
        control = EnvironmentControl.objects.of(environment)
        freeze.freeze(control, Actor(name="ada"), reason="The server is moved")
    key = {"primary_key": "external_id__c", "object_name": "opportunity"}
    create = confirm(make_draft(demo, user, record=CONTACT), actor(user))
    confirm(make_draft(demo, user, csv=csv(40), **key), actor(user))
    for number in range(3):
        record = {"LastName": f"Berg {number}"}
        confirm(make_draft(live, user, record=record), actor(user))
    which = "console-2026-11-29.dump"
    call_command("restored", by="Ada", of=which, stdout=sys.stderr)
    return {"held": create.get_absolute_url()}


if __name__ == "__main__":
    json.dump(main(), sys.stdout)
