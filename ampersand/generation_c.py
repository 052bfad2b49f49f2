"""Generation C, Ampersand's API since the end of 2024: one POST, a type for each verb.

Source: Ampersand's OpenAPI document of the Write API ("writeRecords"), as published in
August 2026. It has no upsert and takes no CSV.
"""

import json
from collections.abc import Sequence
from typing import Any

from ampersand import batch_answers, provider_headers
from ampersand.answers import Answer, id_of, problem_of
from ampersand.associations import Association, as_json
from ampersand.batch_answers import Accepted, BatchResult, is_batch
from ampersand.building import checked, not_blank, object_url, without_id
from ampersand.capabilities import Capabilities
from ampersand.doubt import BEFORE_ANY_WRITE
from ampersand.errors import OutcomeUnknown, RequestInvalid
from ampersand.providers import HUBSPOT
from ampersand.schemas import (
    Action,
    Envelope,
    IdSpelling,
    Request,
    Target,
    UpdateStyle,
    WriteResult,
)
from ampersand.write_answers import (
    need_same_record,
    need_whole,
    read_written,
    result_of,
    says_written,
)

ASSOCIATIONS_LATE = (
    "The associations of an update are made after the record is changed, and either of "
    "the two failed"
)
# "Write 1–100 records in one request."
LARGEST_BATCH = 100
# "deadlineHours": how long Ampersand may try what the SaaS does not take for now.
LONGEST_DEADLINE = 48

_ACTIONS: frozenset[Action] = frozenset({"create", "update", "delete"})
CAPABILITIES = Capabilities(
    actions=_ACTIONS,
    file_actions=_ACTIONS | {"by_id", "by_key"},
    largest_batch=LARGEST_BATCH,
    takes_headers=True,
    takes_associations=True,
    searches=True,
    takes_asynchronous=True,
)


def create_record(
    base_url: str,
    target: Target,
    record: dict[str, Any],
    *,
    associations: Sequence[Association],
) -> Request:
    """Build the creation of one record, to be done while we wait.

    Raises: RequestInvalid for a blank part, an empty record or a value that JSON
    cannot carry.
    """
    if not record:
        raise RequestInvalid("The record has no fields.")
    return _request(
        *(base_url, target, "create", record),
        before={"mode": "synchronous"},
        after=as_json(associations),
    )


def update_record(
    base_url: str,
    target: Target,
    record: dict[str, Any],
    *,
    record_id: str,
    update_style: UpdateStyle,
    associations: Sequence[Association],
    id_spelling: IdSpelling = "id",
) -> Request:
    """Build the update of the record that the SaaS knows as `record_id`.

    The id goes in the record as `id`, always a text. `update_style` and `id_spelling`
    are of no matter.

    Raises: RequestInvalid as `create_record` does, and if `record` holds another id.
    """
    not_blank(record_id, "record id")
    fields = without_id(record, record_id)
    if not fields:
        raise RequestInvalid("The record has no fields to update.")
    record = {"id": record_id, **fields}
    return _request(
        *(base_url, target, "update", record),
        before={"mode": "synchronous"},
        after=as_json(associations),
    )


def delete_record(base_url: str, target: Target, *, record_id: str) -> Request:
    """Build the deletion of one record. Raises: RequestInvalid for a blank part.

    It has no mode: "delete is synchronous only".
    """
    not_blank(record_id, "record id")
    return _request(base_url, target, "delete", {"id": record_id})


def upsert_records(
    base_url: str,
    target: Target,
    *,
    primary_key: str,
    csv: str | None,
    url: str | None,
) -> Request:
    """Raise RequestInvalid: this generation has no upsert, and takes no CSV."""
    raise RequestInvalid("This generation of Ampersand's API takes no CSV.")


def delete_records(
    base_url: str,
    target: Target,
    *,
    primary_key: str,
    csv: str | None,
    url: str | None,
) -> Request:
    """Raise RequestInvalid: this generation takes no CSV."""
    raise RequestInvalid("This generation of Ampersand's API takes no CSV.")


def envelope(
    base_url: str,
    target: Target,
    action: Action,
    *,
    most: int,
    all_or_none: bool,
    deadline_hours: int | None,
) -> Envelope:
    """Return what stands around the records of requests with many of them.

    A delete carries one: batches are for create and update alone, and for providers
    that take `most` records, more than one. With `deadline_hours` from 1 to 48 the
    records are accepted now, written later, and tried for so long.

    Raises: RequestInvalid for a blank part, for another action, for other hours, and
    for a delete that is to be asynchronous.
    """
    if action not in _ACTIONS:
        raise RequestInvalid("This generation of Ampersand's API has no upsert.")
    is_single = action == "delete" or most < 2
    head = _head(target, action)
    head |= _mode(action, deadline_hours)
    if all_or_none and not is_single:
        head["batchPolicy"] = {"allOrNone": True}
    said = checked(
        action=action, method="POST", url=object_url(base_url, target), body=head
    )
    opened = said.content().decode().removesuffix("}")
    before, after = (',"record":', "}") if is_single else (',"batch":[', "]}")
    return Envelope(
        action=action,
        url=said.url,
        before=opened + before,
        after=after,
        most=1 if is_single else min(most, LARGEST_BATCH),
        is_single=is_single,
    )


def _mode(action: Action, deadline_hours: int | None) -> dict[str, Any]:
    """Return how a request is to be carried out; a delete says nothing of it."""
    if deadline_hours is None:
        return {} if action == "delete" else {"mode": "synchronous"}
    if action == "delete":
        raise RequestInvalid("A deletion is always synchronous.")
    if not 1 <= deadline_hours <= LONGEST_DEADLINE:
        raise RequestInvalid(f"A deadline has 1 to {LONGEST_DEADLINE} hours.")
    policy = {"deadlineHours": deadline_hours}
    return {"mode": "asynchronous", "retryPolicy": policy}


def read_batch(
    request: Request, answer: Answer, ids: Sequence[str]
) -> BatchResult | Accepted:
    """Tell what became of each record of a request of `envelope`.

    `ids` are those of the records sent, "" for each to create. An answer that names an
    operation and nothing else was accepted. Raises: Refused if nothing was written,
    OutcomeUnknown if the answer proves nothing at all.
    """
    need_whole(answer)
    if request.action != "delete" and _is_accepted(answer):
        return Accepted(
            operation_id=id_of(answer.fields.get("operationId")) or "",
            status_code=answer.status,
        )
    if is_batch(answer):
        return batch_answers.read_batch(answer, ids, _created(request, answer))
    problem = problem_of(answer)
    result = read_written(answer, problem)
    if len(ids) > 1:
        raise OutcomeUnknown("The answer does not count the records", problem)
    return batch_answers.of_one(result, ids[0])


def _created(request: Request, answer: Answer) -> list[dict[str, Any]] | None:
    """Return the records of a provider that may answer them in another order."""
    if request.action != "create" or answer.provider != HUBSPOT:
        return None
    said = json.loads(request.content())
    return [item["record"] for item in said.get("batch", [said])]


def read_write(request: Request, answer: Answer) -> WriteResult:
    """Tell from the answer to the write of one record what became of it.

    A success without a result was accepted: it goes on, and can be followed by its
    operation.

    Raises: Refused if nothing was written; OutcomeUnknown if the answer proves
    neither that nor a write, or is about another record than the one sent.
    """
    need_whole(answer)
    if _may_lack_associations(request, answer):
        raise OutcomeUnknown(ASSOCIATIONS_LATE, problem_of(answer))
    if _is_accepted(answer):
        return result_of(answer, is_accepted=True)
    result = read_written(answer, problem_of(answer))
    need_same_record(result, (request.body or {})["record"].get("id"), answer)
    return result


def _may_lack_associations(request: Request, answer: Answer) -> bool:
    """Whether an update may have been made although its answer is no success."""
    has_some = "associations" in (request.body or {})
    is_error = not answer.succeeded or says_written(answer, by_id="recordId") is False
    is_late = is_error and answer.status not in BEFORE_ANY_WRITE
    return request.action == "update" and has_some and is_late


def _is_accepted(answer: Answer) -> bool:
    fields = answer.fields
    has_id = id_of(fields.get("operationId")) is not None
    says_more = {"result", "errors", "successCount", "failureCount"} & fields.keys()
    return answer.succeeded and has_id and not says_more


def _head(target: Target, action: Action) -> dict[str, Any]:
    """Return what every body begins with. Raises: RequestInvalid for other headers."""
    head: dict[str, Any] = {"groupRef": target.group_ref, "type": action}
    if headers := provider_headers.allowed(target.headers):
        head["headers"] = [{"key": name, "value": value} for name, value in headers]
    return head


def _request(
    base_url: str,
    target: Target,
    action: Action,
    record: dict[str, Any],
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> Request:
    url = object_url(base_url, target)
    head = _head(target, action)
    body = {**head, **(before or {}), "record": record, **(after or {})}
    return checked(action=action, method="POST", url=url, body=body)
