"""The demo as production, where upserts need another person, and Bert, who is one.

Run as `python -m tests.browser.stage_approvals` with the environment of a console that
was started. With `expire` what waits for approval has waited too long.

`approvals` is called by tests/browser/stage.py: one of each kind, to be looked at.
"""

import sys
from datetime import timedelta
from typing import Any

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.db.models import F  # noqa: E402

from console.access.roles import Role  # noqa: E402
from console.models import (  # noqa: E402
    ApiKey,
    ApprovalRule,
    FirstPassword,
    Integration,
    Project,
)
from tests.browser.conftest import PASSWORD  # noqa: E402
from tests.conftest import actor, make_user  # noqa: E402
from tests.writes.making import check_draft, make_draft  # noqa: E402
from writes.actions import approve  # noqa: E402
from writes.models import Approval, Write  # noqa: E402
from writes.recipe import recipe_as_json, without_rows  # noqa: E402

LONG = "Berufsunfähigkeitsversicherungsgesellschaft Süd-West, Geschäftsbereich 17"
URL = "https://files.example.com/opportunities.csv?part=1"


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


def approvals(demo: Integration, live: Integration, user: User) -> dict[str, str]:
    """Return the addresses of what another person decides about, in each state.

    `user` decides about what Olga asked, and asked about two writes.
    """
    olga = User.objects.get(username="olga")
    for words in ("production", "sandbox"):
        ApprovalRule.objects.create(environment=words)
    made = {
        "waiting": _asked(_file(live, olga), olga, reason="CASE-1207: price list"),
        "record": _asked(make_draft(live, olga, record={"LastName": LONG}), olga),
        "url": _asked(make_draft(live, olga, url=URL, primary_key="Id"), olga),
        "own": _asked(_file(live, user), user, reason="CASE-1304"),
        "approved": _asked(make_draft(demo, olga, record={"LastName": "Ok"}), olga),
        "refused": _asked(_file(live, user), user, reason="CASE-1305"),
        "expired": _asked(make_draft(live, olga, record={"LastName": "Old"}), olga),
        "void": _asked(make_draft(live, olga, record={"LastName": "New"}), olga),
    }
    approve.approve(made["approved"], actor(user), note="Checked with the customer")
    why = f"This is the list of the wrong quarter: ask {LONG} for the one of May."
    approve.refuse(made["refused"], actor(olga), note=why)
    made["expired"].write.approvals.end("expired")
    made["void"].write.approvals.end("void", "The draft was changed.")
    # What waits goes on waiting; nothing else that is staged needs approval.
    ApprovalRule.objects.all().delete()
    _rules_of_rare_writes()
    addresses = {name: each.get_absolute_url() for name, each in made.items()}
    for name in ("own", "refused"):
        addresses[f"draft {name}"] = made[name].write.get_absolute_url()
    return {f"approval {name}": address for name, address in addresses.items()}


def _asked(write: Write, who: User, reason: str = "") -> Approval:
    return approve.ask(write, actor(who), reason=reason)


def _file(live: Integration, who: User) -> Write:
    """Return the draft of a file with warnings, and rows that are excluded."""
    lines = [f'opp-{n:04},"{LONG} {n}",Prospecting,{n}.50\n' for n in range(2, 402)]
    lines.append("OPP-0002,Twice,Prospecting,1.50\n")
    csv = "external_id__c,Name,StageName,Amount\n" + "".join(lines)
    values: dict[str, Any] = {"primary_key": "external_id__c"}
    values["object_name"] = "opportunity"
    draft = make_draft(live, who, csv=csv.encode(), **values)
    recipe = recipe_as_json(without_rows(draft.recipe, [3, 5]))
    draft.revise(is_ready=False, recipe_json=recipe)
    check_draft(draft)
    return draft


def _rules_of_rare_writes() -> None:
    rules: list[dict[str, Any]] = [
        {"action": "delete", "more_than": 1000},
        {"object_name": "invoice__c", "approved_by": "admin"},
        {"action": "upsert", "object_name": LONG[:40], "more_than": 2_500_000},
    ]
    for rule in rules:
        ApprovalRule.objects.create(environment="production", **rule)


def expire() -> None:
    """Let a day and more go by."""
    days = timedelta(days=2)
    Approval.objects.waiting().update(
        requested_at=F("requested_at") - days, expires_at=F("expires_at") - days
    )


if __name__ == "__main__":
    expire() if "expire" in sys.argv else main()
