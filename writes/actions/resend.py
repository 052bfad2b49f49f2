"""Sending once more what nobody knows the outcome of.

Never the same request again: a new write with the very same bytes, which is confirmed
at once. The first operation stays unknown, for that is the truth, and is decided.
"""

import hashlib
from typing import Any

from django.core.files.base import ContentFile

from console.actor import Actor
from files.mending.recipes import Recipe
from files.reading.inspection import Reading
from operations.models import Operation
from writes import requests, storage
from writes.actions import begin_job, derive
from writes.actions.confirm import AlreadyDecided, confirm
from writes.actions.need_approval import ApprovalNeeded
from writes.models import Batch, FileJob, Write
from writes.recipe import recipe_as_json

Source = Write.Source


class NeedsReview(Exception):
    """It was not sent: `draft` has to be looked at first; the text tells why."""

    def __init__(self, draft: Write, why: str) -> None:
        super().__init__(why)
        self.draft = draft


def could_duplicate(batch: Batch) -> bool:
    """Whether a second sending may add records that are there already.

    Not where it names its record, nor where every row of a file carries a key of its
    own. Of what lies at an address nobody knows that.
    """
    write = batch.write
    return write.source != Source.CSV and not write.record_id


def send_again(
    batch: Batch, actor: Actor, *, reason: str, repeat_reason: str
) -> Operation:
    """Send what `batch` carries in a new write; return the new operation.

    The reasons are those of `confirm`. Of two at once only one sends. Raises
    `NeedsReview`, and as `confirm` does, with nothing sent.
    """
    if not batch.operation.needs_person:
        raise AlreadyDecided(batch.operation)
    draft = derive.child(
        batch.write,
        actor,
        Write.Relation.AGAIN,
        resends=batch.operation,
        **_content(batch),
    )
    try:
        _need_same(draft, batch)
        return confirm(draft, actor, reason=reason, repeat_reason=repeat_reason)
    except NeedsReview:
        raise
    except ApprovalNeeded as error:
        raise NeedsReview(draft, f"Nothing was sent. {error}") from None
    except BaseException:
        derive.discard(draft, actor=actor)
        raise


def _content(batch: Batch) -> dict[str, Any]:
    """Return what the new write carries. Raises `FileNotFoundError`."""
    write = batch.write
    write.need_content()
    if write.source == Source.RECORD:
        values: dict[str, Any] = {"record": write.record, "record_id": write.record_id}
        return values | {"row_count": 1}
    if write.source == Source.URL:
        return {"url": write.url, "remote_file": write.remote_file}
    if batch.is_shared and write.batches.count() == 1:
        original = storage.linked(write.as_sent.name, "original")
    else:
        batch.need_same_text()
        original = storage.stored(ContentFile(batch.csv()), "original")
    return {
        "original": original,
        "file_name": write.file_name,
        # It is as it was sent: nothing is guessed and nothing is changed.
        "reading": Reading().as_json(),
        "recipe_json": recipe_as_json(Recipe()),
        "delivery": write.delivery,
        "is_ready": False,
    }


def _need_same(draft: Write, batch: Batch) -> None:
    """Raise `NeedsReview` unless the draft is exactly what was sent before."""
    if draft.source == Source.CSV:
        _check(draft, batch)
    now = requests.prepare_exact(draft)
    same_place = (now.method, now.url) == (batch.method, batch.url)
    if same_place and hashlib.sha256(now.content()).hexdigest() == batch.sha256:
        return
    raise NeedsReview(
        draft,
        "Nothing was sent: the connection was changed since, so the request would "
        "differ. Review it, then send it here.",
    )


def _check(draft: Write, batch: Batch) -> None:
    if batch.is_shared:
        size = draft.path_of("original").stat().st_size
        begin_job.begin(draft, FileJob.Kind.CHECK, size=size)
        raise NeedsReview(
            draft,
            "Nothing was sent yet: the file is being checked again. Send it here "
            "afterwards.",
        )
    begin_job.begin(draft, FileJob.Kind.CHECK, size=0)
    draft.refresh_from_db()
    if not draft.is_ready or draft.delivery != Write.Delivery.TEXT:
        raise NeedsReview(
            draft,
            "Nothing was sent: the fields of the object were changed since. Review "
            "the rows, then send it here.",
        )
