"""From a form to a draft: new, or the one that the form made before."""

import uuid
from typing import Any

from django.db import IntegrityError, transaction

from console.actor import Actor
from console.models import Integration
from writes.actions.tell_audit import audit_draft, audit_drafted
from writes.models import Write


class NotYourDraft(Exception):
    """The form with this token is no draft that this user may change: see `write`."""

    def __init__(self, write: Write) -> None:
        super().__init__(f"Write {write.pk} cannot be changed.")
        self.write = write


def save_draft(*, token: uuid.UUID, actor: Actor, **values: Any) -> Write:
    """Return the draft of the form with `token`, new or changed.

    The same form reviewed twice is one draft. Raises `NotYourDraft` if it was sent or
    discarded or is on trial, and for a token of somebody else's form.
    """
    mine = {"started_by": actor.user, "started_by_name": actor.name}
    values["deletes_in_bulk"] = _deletes_in_bulk(**values)
    try:
        with transaction.atomic():
            write = Write.objects.create(token=token, **mine, **values)
            audit_drafted(write, actor)
            return write
    except IntegrityError:
        found = Write.objects.filter(token=token).first()
        if found is None:
            raise
        write = found
    while write.is_draft and write.started_by == actor.user and not write.is_on_trial:
        with transaction.atomic():
            if write.revise(by=actor, **values):
                audit_draft(write, actor, "write.changed", "its form was sent again")
                return write
    raise NotYourDraft(write)


def _deletes_in_bulk(
    *, integration: Integration, source: str, action: str, **rest: Any
) -> bool:
    """Tell whether its rows are deleted by one job, as the project's API has it."""
    jobs = integration.project.capabilities.job_actions
    is_deletion = source == Write.Source.CSV and action == Write.Action.DELETE
    return is_deletion and action in jobs
