"""Generation B, April to December 2024: one POST, records or the CSV of a bulk job.

Source: Ampersand's OpenAPI document of the Write API of that time ("writeRecords",
"generateUploadUrl"). Synchronous writes create or update one record; bulk ones upsert
or delete the rows of a CSV. Every other pairing of type and mode is refused here.
"""

from collections.abc import Sequence
from typing import Any

from ampersand.answers import Answer, problem_of
from ampersand.associations import Association, need_none
from ampersand.batch_answers import BatchResult
from ampersand.building import checked, csv_or_url, headless_url, not_blank, without_id
from ampersand.capabilities import Capabilities
from ampersand.errors import RequestInvalid
from ampersand.schemas import (
    Action,
    Envelope,
    IdSpelling,
    Request,
    Target,
    UpdateStyle,
    WriteResult,
)
from ampersand.write_answers import need_same_record, read_written

# "recordsURL": "Max size limit of CSV data is 150 MiB."
LARGEST_UPLOAD = 150 * 1024 * 1024

_JOBS: frozenset[Action] = frozenset({"upsert", "delete"})
CAPABILITIES = Capabilities(
    actions=frozenset({"create", "update"}),
    file_actions=_JOBS,
    job_actions=_JOBS,
    takes_url=True,
    largest_upload=LARGEST_UPLOAD,
    has_id_spellings=True,
)


def create_record(
    base_url: str,
    target: Target,
    record: dict[str, Any],
    *,
    associations: Sequence[Association],
) -> Request:
    """Build the creation of one record.

    Raises: RequestInvalid for a blank part, an empty record or a value that JSON
    cannot carry.
    """
    need_none(associations)
    if not record:
        raise RequestInvalid("The record has no fields.")
    return _single(base_url, target, "create", record)


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

    The id goes in the record, spelled as `id_spelling`: Ampersand's documents say `Id`
    until June 2024 and `id` afterwards. `update_style` is of no matter.

    Raises: RequestInvalid as `create_record` does, and if `record` holds another id.
    """
    need_none(associations)
    not_blank(record_id, "record id")
    if id_spelling not in ("id", "Id"):
        raise RequestInvalid(f"An id is not spelled “{id_spelling}”.")
    fields = without_id(record, record_id)
    if not fields:
        raise RequestInvalid("The record has no fields to update.")
    return _single(base_url, target, "update", {id_spelling: record_id, **fields})


def delete_record(base_url: str, target: Target, *, record_id: str) -> Request:
    """Raise RequestInvalid: only the rows of a file can be deleted."""
    raise RequestInvalid(
        "This generation of Ampersand's API deletes only the rows of a file."
    )


def upsert_records(
    base_url: str,
    target: Target,
    *,
    primary_key: str,
    csv: str | None,
    url: str | None,
) -> Request:
    """Build a bulk upsert of exactly one of `csv`, at most 10 MiB, and `url`.

    `primary_key` is the name of a column as the header spells it; `url` may be the
    reference of an uploaded file. Raises: RequestInvalid as in generation A.
    """
    return _bulk(base_url, target, "upsert", primary_key, csv_or_url(csv, url))


def delete_records(
    base_url: str,
    target: Target,
    *,
    primary_key: str,
    csv: str | None,
    url: str | None,
) -> Request:
    """Build a bulk deletion, as `upsert_records`.

    The CSV has that one column. If it is not Salesforce's Id, all values together have
    fewer than 4,000 characters; whoever makes the file sees to that.
    """
    return _bulk(base_url, target, "delete", primary_key, csv_or_url(csv, url))


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

    A bulk write is accepted, and followed by its operation; a synchronous one has none.

    Raises: Refused if nothing was written; OutcomeUnknown if the answer proves
    neither that nor a write, or is about another record than the one sent.
    """
    is_bulk = request.action in _JOBS
    result = read_written(answer, problem_of(answer), is_bulk=is_bulk)
    record = (request.body or {}).get("record", {})
    need_same_record(result, record.get("id") or record.get("Id"), answer)
    return result


def _single(
    base_url: str, target: Target, action: Action, record: dict[str, Any]
) -> Request:
    return _request(base_url, target, action, {"mode": "synchronous", "record": record})


def _bulk(
    base_url: str, target: Target, action: Action, key: str, rows: dict[str, str]
) -> Request:
    not_blank(key, "primary key")
    return _request(
        base_url, target, action, {"mode": "bulk", **rows, "primaryKey": key}
    )


def _request(
    base_url: str, target: Target, action: Action, how: dict[str, Any]
) -> Request:
    body = {"groupRef": target.group_ref, "type": action, **how}
    url = headless_url(base_url, target)
    return checked(action=action, method="POST", url=url, body=body)
