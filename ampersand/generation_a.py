"""Generation A, January to April 2024: one verb per kind of write.

Source: the page "Write Actions" of Ampersand's docs at that time. It shows the requests
and the answer of a bulk upsert. The shape of the other answers, `{"result": {...}}`, is
taken from Ampersand's first OpenAPI document (June 2024), and the way to update a
record was never published: see `update_record`.
"""

from dataclasses import replace
from typing import Any

from ampersand.answers import (
    Answer,
    id_of,
    problem_of,
    request_id_of,
    success_of_read,
    texts_in,
)
from ampersand.building import checked, not_blank, object_url, operation_url, segment
from ampersand.doubt import tells_of_doubt
from ampersand.errors import OutcomeUnknown, Refused, RequestInvalid
from ampersand.schemas import (
    LogEntry,
    Operation,
    Problem,
    Request,
    Target,
    UpdateStyle,
    WriteResult,
    dict_or_empty,
    in_order,
)

# "Write Actions" of Ampersand's docs: "A CSV string (max size 10 MiB)".
LARGEST_CSV = 10 * 1024 * 1024

# Server errors that nevertheless prove that nothing was written.
NEVER_STARTED = frozenset({501, 505})

DOUBTFUL = (
    "The answer is a refusal, but it tells of a failure that may have come after the "
    "data was written"
)

UPDATE_REFUSED_REMEDY = (
    "If the record exists, the project's update style may be wrong: Ampersand never "
    "published how this generation updates records."
)


def create_record(base_url: str, target: Target, record: dict[str, Any]) -> Request:
    """Build `POST …/objects/{object}`, which creates one record.

    `record` maps the SaaS's field names to values. A deep copy of it is kept.

    Raises: RequestInvalid for a blank part, an empty record or a value that JSON
    cannot carry.
    """
    url = object_url(base_url, target)
    if not record:
        raise RequestInvalid("The record has no fields.")
    body = {"groupRef": target.group_ref, "record": record}
    return checked(action="create", method="POST", url=url, body=body)


def update_record(
    base_url: str,
    target: Target,
    record: dict[str, Any],
    *,
    record_id: str,
    update_style: UpdateStyle,
) -> Request:
    """Build the update of the record that the SaaS knows as `record_id`.

    How generation A updates is not in any document that survives. `update_style`:

    - "patch": `PATCH …/objects/{object}` with the id in the record as `Id`. Likely,
      as POST and PUT were taken and Ampersand's other updates are PATCH.
    - "post_type_update": `POST` with `"type": "update"`, as a few weeks later.
    - "patch_id_in_path": `PATCH …/objects/{object}/{id}`.

    They are never tried in turn: one of them could create a record.

    Raises: RequestInvalid as `create_record` does, and if `record` holds another id
    than `record_id`, in whatever case it spells the field.
    """
    url = object_url(base_url, target)
    not_blank(record_id, "record id")
    fields = _without_id(record, record_id)
    if not fields:
        raise RequestInvalid("The record has no fields to update.")
    body: dict[str, Any] = {"groupRef": target.group_ref}
    method = "PATCH"
    match update_style:
        case "patch":
            body["record"] = {"Id": record_id, **fields}
        case "post_type_update":
            method = "POST"
            body |= {"type": "update", "record": {"Id": record_id, **fields}}
        case "patch_id_in_path":
            url += f"/{segment(record_id, 'record id')}"
            body["record"] = fields
        case _:
            raise RequestInvalid(f"There is no update style “{update_style}”.")
    return checked(action="update", method=method, url=url, body=body)


def upsert_records(
    base_url: str,
    target: Target,
    *,
    primary_key: str,
    csv: str | None,
    url: str | None,
) -> Request:
    """Build `PUT …/objects/{object}:async`, which upserts the rows of a CSV.

    Exactly one of `csv`, the text itself with at most 10 MiB (10,485,760 bytes) in
    UTF-8, and `url`, where Ampersand's server can GET it. `primary_key` names the
    column that tells whether a record exists already.

    Raises: RequestInvalid for a blank part, for both or neither of `csv` and `url`,
    and for a CSV that is too large.
    """
    address = object_url(base_url, target)
    not_blank(primary_key, "primary key")
    rows = _records(csv, url)
    body = {"groupRef": target.group_ref, **rows, "primaryKey": primary_key}
    return checked(action="upsert", method="PUT", url=f"{address}:async", body=body)


def get_operation(base_url: str, *, project: str, operation_id: str) -> Request:
    """Build `GET …/operations/{id}`. Raises: RequestInvalid for a blank part."""
    url = operation_url(base_url, project, operation_id)
    return Request(action="read", method="GET", url=url, answer_has_id=True)


def list_operation_logs(base_url: str, *, project: str, operation_id: str) -> Request:
    """Build `GET …/operations/{id}/logs`. Raises: RequestInvalid for a blank part."""
    url = operation_url(base_url, project, operation_id)
    return Request(action="read", method="GET", url=f"{url}/logs")


def read_write(request: Request, answer: Answer) -> WriteResult:
    """Tell from the answer to a write what became of it.

    The rules and their reasons are in `ampersand.errors`.

    Raises: Refused if nothing was written; OutcomeUnknown if the answer proves
    neither that nor a write.
    """
    problem = problem_of(answer)
    if answer.fault and (answer.succeeded or answer.status == 422):
        raise OutcomeUnknown(answer.fault, problem)
    bulk = request.action == "upsert"
    written = _says_written(answer, by_id="operationId" if bulk else "recordId")
    # Without its id a bulk write cannot be followed, whatever else the answer says.
    if written and (problem.operation_id or not bulk):
        return _write_result(answer)
    if not written and _proves_refusal(answer, written):
        if tells_of_doubt(answer):
            raise OutcomeUnknown(DOUBTFUL, problem)
        raise Refused(_with_hint(problem, request))
    if written or answer.succeeded:
        reason = "The answer does not say what was written"
        raise OutcomeUnknown(reason, problem)
    raise OutcomeUnknown(f"The server failed with status {answer.status}", problem)


def read_operation(answer: Answer, operation_id: str) -> Operation:
    """Read the operation that was asked for.

    Raises: Refused for any status but 2xx; OutcomeUnknown for an unreadable answer, and
    for one about another operation: it was left over from another question.
    """
    body = success_of_read(answer)
    if not isinstance(body, dict):
        raise OutcomeUnknown("The answer is not an operation", problem_of(answer))
    operation = Operation.from_json(body)
    if operation.id.casefold() != operation_id.casefold():
        raise OutcomeUnknown(
            "The answer is about another operation", problem_of(answer)
        )
    return operation


def read_operation_logs(answer: Answer) -> tuple[LogEntry, ...]:
    """Read log entries, in order of time.

    The list comes bare, as {"results": [...]}, or as null when it is empty.

    Raises: as `read_operation`.
    """
    body = success_of_read(answer)
    entries = body["results"] if isinstance(body, dict) and "results" in body else body
    if not isinstance(entries, list | None):
        raise OutcomeUnknown("The answer is not a list of log entries")
    return in_order(LogEntry.from_json(entry) for entry in entries or [])


def _says_written(answer: Answer, *, by_id: str) -> bool | None:
    """Whether the body reports a write, a failure, or (None) neither.

    A 2xx without a success flag reports a write if it gives the id called `by_id`.
    """
    fields = answer.fields
    result = dict_or_empty(fields.get("result"))
    success = result.get("success")
    if isinstance(success, bool):
        return success
    if answer.status == 422 and fields.get("warnings") and not fields.get("errors"):
        return True
    identified = id_of(fields.get(by_id) or result.get(by_id)) is not None
    return True if answer.succeeded and success is None and identified else None


def _proves_refusal(answer: Answer, written: bool | None) -> bool:
    if answer.succeeded:
        return written is False
    return 300 <= answer.status < 500 or answer.status in NEVER_STARTED


def _with_hint(problem: Problem, request: Request) -> Problem:
    if request.action != "update" or problem.status not in (404, 405):
        return problem
    return replace(problem, remedy=problem.remedy or UPDATE_REFUSED_REMEDY)


def _write_result(answer: Answer) -> WriteResult:
    fields = answer.fields
    result = dict_or_empty(fields.get("result"))
    data = result.get("data")
    return WriteResult(
        record_id=id_of(result.get("recordId") or fields.get("recordId")),
        data=data if isinstance(data, dict) else None,
        operation_id=id_of(fields.get("operationId")),
        errors=texts_in(fields.get("errors")),
        warnings=texts_in(fields.get("warnings")),
        status_code=answer.status,
        request_id=request_id_of(answer),
        raw=answer.text,
    )


def _records(csv: str | None, url: str | None) -> dict[str, str]:
    if (csv is None) == (url is None):
        raise RequestInvalid("Give either a CSV or the URL of one, not both.")
    if url is not None:
        not_blank(url, "URL")
        return {"recordsURL": url}
    if not csv or not csv.strip():
        raise RequestInvalid("The CSV is empty.")
    size = len(csv.encode(errors="replace"))
    if size > LARGEST_CSV:
        raise RequestInvalid(f"The CSV has {size:,} bytes; the limit is 10,485,760.")
    return {"recordsCSV": csv}


def _without_id(record: dict[str, Any], record_id: str) -> dict[str, Any]:
    """Drop the record's own id field, if it agrees with `record_id`."""
    others = [name for name in record if name.lower() == "id"]
    if any(str(record[name]) != record_id for name in others):
        raise RequestInvalid("The record holds another id than the one to update.")
    return {name: value for name, value in record.items() if name not in others}
