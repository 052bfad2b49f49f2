"""Generation A, January to April 2024: one verb per kind of write.

Source: the page "Write Actions" of Ampersand's docs at that time. It shows the requests
and the answer of a bulk upsert. The shape of the other answers, `{"result": {...}}`, is
taken from Ampersand's first OpenAPI document (June 2024), and the way to update a
record was never published: see `update_record`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from ampersand.answers import Answer, problem_of
from ampersand.associations import Association, need_none
from ampersand.batch_answers import BatchResult
from ampersand.building import (
    checked,
    csv_or_url,
    headless_url,
    not_blank,
    segment,
    without_id,
)
from ampersand.capabilities import Capabilities
from ampersand.errors import RequestInvalid
from ampersand.schemas import (
    Action,
    Envelope,
    IdSpelling,
    Problem,
    Request,
    Target,
    UpdateStyle,
    WriteResult,
)
from ampersand.write_answers import need_same_record, read_written

CAPABILITIES = Capabilities(
    actions=frozenset({"create", "update"}),
    file_actions=frozenset({"upsert"}),
    job_actions=frozenset({"upsert"}),
    takes_url=True,
    has_update_styles=True,
)

UPDATE_REFUSED_REMEDY = (
    "If the record exists, the project's update style may be wrong: Ampersand never "
    "published how this generation updates records."
)


def create_record(
    base_url: str,
    target: Target,
    record: dict[str, Any],
    *,
    associations: Sequence[Association],
) -> Request:
    """Build `POST …/objects/{object}`, which creates one record.

    `record` maps the SaaS's field names to values. A deep copy of it is kept.

    Raises: RequestInvalid for a blank part, an empty record or a value that JSON
    cannot carry.
    """
    need_none(associations)
    url = headless_url(base_url, target)
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
    associations: Sequence[Association],
    id_spelling: IdSpelling = "id",
) -> Request:
    """Build the update of the record that the SaaS knows as `record_id`.

    How generation A updates is not in any document that survives. `update_style`:

    - "patch": `PATCH …/objects/{object}` with the id in the record as `Id`. Likely,
      as POST and PUT were taken and Ampersand's other updates are PATCH.
    - "post_type_update": `POST` with `"type": "update"`, as a few weeks later.
    - "patch_id_in_path": `PATCH …/objects/{object}/{id}`.

    They are never tried in turn: one of them could create a record. `id_spelling` is
    of no matter.

    Raises: RequestInvalid as `create_record` does, and if `record` holds another id
    than `record_id`, in whatever case it spells the field.
    """
    need_none(associations)
    url = headless_url(base_url, target)
    not_blank(record_id, "record id")
    fields = without_id(record, record_id)
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
    address = headless_url(base_url, target)
    not_blank(primary_key, "primary key")
    rows = csv_or_url(csv, url)
    body = {"groupRef": target.group_ref, **rows, "primaryKey": primary_key}
    return checked(action="upsert", method="PUT", url=f"{address}:async", body=body)


def delete_record(base_url: str, target: Target, *, record_id: str) -> Request:
    """Raise RequestInvalid: nothing can be deleted by this generation."""
    raise RequestInvalid("This generation of Ampersand's API deletes no records.")


def delete_records(
    base_url: str,
    target: Target,
    *,
    primary_key: str,
    csv: str | None,
    url: str | None,
) -> Request:
    """Raise RequestInvalid: nothing can be deleted by this generation."""
    raise RequestInvalid("This generation of Ampersand's API deletes no records.")


def envelope(
    base_url: str,
    target: Target,
    action: Action,
    *,
    most: int,
    all_or_none: bool,
    deadline_hours: int | None,
) -> Envelope:
    """Raise RequestInvalid: this generation takes files as a whole."""
    raise RequestInvalid("This generation of Ampersand's API takes no batches.")


def read_batch(request: Request, answer: Answer, ids: Sequence[str]) -> BatchResult:
    """Raise RequestInvalid: this generation takes files as a whole."""
    raise RequestInvalid("This generation of Ampersand's API takes no batches.")


def read_write(request: Request, answer: Answer) -> WriteResult:
    """Tell from the answer to a write what became of it.

    The rules and their reasons are in `ampersand.errors`.

    Raises: Refused if nothing was written; OutcomeUnknown if the answer proves
    neither that nor a write, or is about another record than the one sent.
    """
    problem = _with_hint(problem_of(answer), request)
    result = read_written(answer, problem, is_bulk=request.action == "upsert")
    if request.action == "update":
        need_same_record(result, _id_in(request), answer)
    return result


def _id_in(request: Request) -> str:
    """Return the id of the record that an update names: in its body, or its path."""
    record = (request.body or {})["record"]
    return record.get("Id") or unquote(request.url.rpartition("/")[2])


def _with_hint(problem: Problem, request: Request) -> Problem:
    if request.action != "update" or problem.status not in (404, 405):
        return problem
    return replace(problem, remedy=problem.remedy or UPDATE_REFUSED_REMEDY)
