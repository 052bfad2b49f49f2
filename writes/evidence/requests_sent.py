"""The requests of a write as they left, and what came back of each.

Where a body carries the text of a file it is not repeated: what stands around the text
is told, and its place in the file as sent, so that the body can be made again.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from files.raw_records import read_header
from files.records_json.cutting import body
from operations.models import Operation
from writes.calls import frame_of, table_of
from writes.models import Batch, Call, Write

AS_SENT, BODIES = "as-sent.csv", "bodies.ndjson"
# Stands in for the text of a file until the body is cut there.
_HERE = "\x00rows\x00"
_COMPACT: dict[str, Any] = {"ensure_ascii": False, "separators": (",", ":")}

NOT_SENT = "it was not sent"
SENT_SINCE = "it was sent after this pack was begun"
LEFT_OUT = "all bodies together are larger than the limit of a pack"
NO_FILE = "its file is not in the pack"
NOT_KEPT = "an address in it was made for this request alone, and is kept nowhere"
DELETED = "the values were deleted when their retention period ended"
NOT_SAME = "made again it is not the one that was kept: the stored file was changed"


@dataclass
class Run:
    """Which bodies of a run are in the pack: those that had left when it was begun.

    `why` says why none is, "" where they are. `not_same` are the requests whose body
    could not be made again as it was.
    """

    sent: frozenset[int]
    why: str = ""
    not_same: set[int] = field(default_factory=set)

    def where(self, call: Call) -> dict[str, Any]:
        """Say where the body of a request is."""
        missing = self.why
        if call.number not in self.sent:
            missing = SENT_SINCE if call.sent_at else NOT_SENT
        elif call.number in self.not_same:
            missing = NOT_SAME
        return {"in": None, "why": missing} if missing else {"in": BODIES}


def runs_of(batches: Sequence[Batch], *, most: int | None) -> dict[int, Run]:
    """Return the runs among `batches`, by their key.

    Their bodies are left out where they take more than `most` bytes together.
    """
    return {batch.pk: _run_of(batch, most) for batch in batches if batch.write.is_run}


def _run_of(batch: Batch, most: int | None) -> Run:
    left = _calls(batch).filter(sent_at__isnull=False)
    sizes = dict(left.values_list("number", "size"))
    why = ""
    if not _is_there(batch.write):
        why = NO_FILE
    elif most is not None and sum(sizes.values()) > most:
        why = LEFT_OUT
    return Run(frozenset(sizes), why)


def _is_there(write: Write) -> bool:
    try:
        write.path_of("as_sent")
    except FileNotFoundError:
        return False
    return True


def requests(
    batches: Sequence[Batch], *, has_file: bool, runs: dict[int, Run]
) -> Iterator[dict[str, Any]]:
    """Yield each request of a write, in order, once `bodies` was read to its end.

    `has_file` says whether the file as sent is in the pack.
    """
    for batch in batches:
        if batch.pk in runs:
            yield from _of_run(batch, runs[batch.pk])
        else:
            yield _of_batch(batch, has_file)


def _of_batch(batch: Batch, has_file: bool) -> dict[str, Any]:
    shown, operation = batch.request_shown(), batch.operation
    return {
        "part": batch.number,
        "request": None,
        "operation": operation.pk,
        "state": operation.state,
        "method": shown.method,
        "url": shown.url,
        "headers": shown.headers_shown(),
        "sent_at": operation.sent_at,
        "answered_at": operation.answered_at,
        "attempts": operation.attempts,
        "first_row": batch.first_row,
        "last_row": batch.last_row,
        "remote_id": operation.remote_id,
        "request_id": operation.request_id,
        "rows_sha256": batch.csv_sha256,
        "body": _body_of(batch, has_file) | {"shown": shown.body},
    }


def _body_of(batch: Batch, has_file: bool) -> dict[str, Any]:
    """Say where the exact body of a request is, or why it is nowhere."""
    told: dict[str, Any] = {"sha256": batch.sha256, "bytes": batch.size, "in": None}
    if batch.operation.sent_at is None or not batch.sha256:
        return told | {"why": NOT_SENT}
    if batch.is_shared:
        return told | {"why": NOT_KEPT}
    if "recordsCSV" not in json.loads(batch.body):
        if not batch.write.has_content:
            return told | {"why": DELETED}
        if _digest(batch.request().content()) != batch.sha256:
            return told | {"why": NOT_SAME}
        return told | {"in": BODIES}
    if not has_file:
        return told | {"why": NO_FILE}
    around = json.loads(batch.body) | {"recordsCSV": _HERE}
    before, after = json.dumps(around, **_COMPACT).split(json.dumps(_HERE))
    return told | {
        "in": AS_SENT,
        "before": before,
        "after": after,
        "header_bytes": len(read_header(batch.write.path_of("as_sent"))),
        "offset": batch.offset,
        "length": batch.length,
    }


def _of_run(batch: Batch, run: Run) -> Iterator[dict[str, Any]]:
    envelopes, shown = batch.envelopes(), batch.request_shown()
    for call in _calls(batch).defer("outcome", "answer").iterator():
        call.batch = batch
        yield {
            "part": batch.number,
            "request": call.number,
            "operation": batch.operation_id,
            "state": call.get_state_display(),
            "method": batch.method,
            "url": envelopes[call.action].url,
            "headers": shown.headers_shown(),
            "sent_at": call.sent_at,
            "answered_at": call.answered_at,
            "attempts": call.attempts,
            "first_row": call.first_row,
            "last_row": call.last_row,
            "remote_id": call.remote_id,
            "http_status": call.http_status,
            "succeeded": call.succeeded,
            "failed": call.failed,
            "known_by": call.get_trust_display(),
            "reason": call.reason,
            "body": {
                "sha256": bytes(call.sha256).hex(),
                "bytes": call.size,
                **run.where(call),
            },
        }


def bodies(batches: Sequence[Batch], runs: dict[int, Run]) -> Iterator[bytes]:
    """Yield the exact bodies that are not made of a file's text, a line each.

    In the order of `requests`.
    """
    for batch in batches:
        run = runs.get(batch.pk)
        if run is None:
            if _body_of(batch, has_file=False)["in"] == BODIES:
                yield batch.request().content() + b"\n"
        elif not run.why:
            yield from _bodies_of_run(batch, run)


def _bodies_of_run(batch: Batch, run: Run) -> Iterator[bytes]:
    """Make them again from the file, whose columns are looked up once for all."""
    path, table = batch.write.path_of("as_sent"), table_of(batch.write)
    frames = {type_: frame_of(each) for type_, each in batch.envelopes().items()}
    for call in _calls(batch).defer("outcome", "answer").iterator():
        if call.number not in run.sent:
            continue
        call.batch = batch
        frame = frames[call.action]
        made = body(path, table, frame, offset=call.offset, length=call.length)
        if _digest(made) == bytes(call.sha256).hex():
            yield made + b"\n"
        else:
            run.not_same.add(call.number)


def responses(batches: Iterable[Batch]) -> Iterator[dict[str, Any]]:
    """Yield what came back: of each operation all that is kept, of requests of a run
    the beginning of each answer that was no full success."""
    for batch in batches:
        yield _answer(batch.operation)
        for call in (
            _calls(batch).filter(answer__isnull=False).defer("outcome").iterator()
        ):
            yield {
                "operation": batch.operation_id,
                "request": call.number,
                "http_status": call.http_status,
                "answered_at": call.answered_at,
                "beginning": call.answer_text(),
            }


def _answer(operation: Operation) -> dict[str, Any]:
    return {
        "operation": operation.pk,
        "request": None,
        "answered_at": operation.answered_at,
        "remote_id": operation.remote_id,
        "remote_status": operation.remote_status,
        "request_id": operation.request_id,
        "result": operation.result,
        "answer": operation.answer,
    }


def _calls(batch: Batch) -> Any:
    return Call.objects.filter(batch=batch).order_by("number")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
