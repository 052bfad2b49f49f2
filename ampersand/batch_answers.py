"""What became of each record of a batch, as far as its answer proves it.

An answer counts successes and failures, and may have a result for each record. Never is
a record told apart by position where position cannot be trusted; n records were sent:

1. The counts do not add up to n: all are unknown.
2. n results, and as many of them successes as counted: by position. An update is
   matched by its id besides, so that a result of another record says nothing. One that
   failed without a word of the SaaS about it, for such a reason as in 4, is unknown.
3. n counted as succeeded: all succeeded, without ids.
4. None counted as succeeded: all failed, by the reasons of the batch. Unless those tell
   of a failure that may have come after the SaaS was written to: then all are unknown.
5. Anything else, also where in 3 or 4 a result says the opposite: all are unknown.

Source: the schema of Ampersand's OpenAPI document of August 2026, and its public
connector library: of a malformed request the first record's result is missing, and what
the SaaS answered without a body has counts and no results.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ampersand.answers import Answer, id_of, request_id_of, texts_in
from ampersand.building import is_same_id
from ampersand.created_order import is_in_order
from ampersand.doubt import is_doubtful, tells_of_doubt
from ampersand.schemas import WriteResult, dict_or_empty, list_or_empty

UNVERIFIED = (
    "Written. Its id is not verified: the results do not fit the records in the order "
    "sent."
)
AGAINST = "The results of single records contradict the counts."

type RowState = Literal["succeeded", "failed", "unknown"]
type Trust = Literal["position", "unverified", "ids", "counts", "sums", "none"]


@dataclass(frozen=True, kw_only=True)
class RowResult:
    """One record of a batch: its fate, its id where it was told, and why it failed."""

    state: RowState
    record_id: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class BatchResult:
    """What became of a batch. `rows` are in the order sent.

    `trust` says by what they are told: each by its position or its id, by its position
    without ids where those may be of other records ("unverified"), all alike by the
    counts, by sums that tell how many and not which, or not at all. `told` is what
    Ampersand counted: (succeeded, failed), None where it did not. `reasons` are the
    texts about the batch as a whole. `raw` is the beginning of the body.
    """

    operation_id: str
    rows: tuple[RowResult, ...]
    trust: Trust
    told: tuple[int, int] | None
    reasons: tuple[str, ...]
    status_code: int
    request_id: str | None
    raw: str

    def count(self, state: RowState) -> int:
        """Return how many records fared so."""
        return sum(row.state == state for row in self.rows)


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A batch that is written later: its operation tells what became of it."""

    operation_id: str
    status_code: int


def is_batch(answer: Answer) -> bool:
    """Whether an answer counts records, as that to a batch does.

    Any 4xx that counts some as written does: nothing refuses those as well.
    """
    fields = answer.fields
    succeeded = fields.get("successCount")
    if not (_is_count(succeeded) and _is_count(fields.get("failureCount"))):
        return False
    is_partial = 400 <= answer.status < 500 and succeeded != 0
    return answer.succeeded or answer.status == 422 or is_partial


def read_batch(
    answer: Answer,
    ids: Sequence[str],
    created: Sequence[dict[str, Any]] | None = None,
) -> BatchResult:
    """Tell what became of the records; `ids` are those sent, "" for each to create.

    `created` are the records themselves where the SaaS may answer them in another
    order: their ids are told only as far as the results fit them. Ask `is_batch` first.
    """
    fields = answer.fields
    told = fields["successCount"], fields["failureCount"]
    rows, trust = _told(answer, told, ids)
    if trust == "position" and created is not None:
        results = list(map(dict_or_empty, fields["results"]))
        if not is_in_order(created, results):
            rows, trust = list(map(_without_id, rows)), "unverified"
    return BatchResult(
        operation_id=id_of(fields.get("operationId")) or "",
        rows=tuple(rows),
        trust=trust,
        told=told,
        reasons=texts_in(fields.get("errors")),
        status_code=answer.status,
        request_id=request_id_of(answer),
        raw=answer.text,
    )


def of_one(result: WriteResult, sent: str) -> BatchResult:
    """Return the result of a request with one record, whose id was `sent`."""
    row = _row({"success": True, "recordId": result.record_id}, sent, (), "")
    return BatchResult(
        operation_id=result.operation_id or "",
        rows=(row,),
        trust="none" if row.state == "unknown" else "position",
        told=(1, 0),
        reasons=result.errors,
        status_code=result.status_code,
        request_id=result.request_id,
        raw=result.raw,
    )


def _told(
    answer: Answer, told: tuple[int, int], ids: Sequence[str]
) -> tuple[list[RowResult], Trust]:
    sent = len(ids)
    unknown = [RowResult(state="unknown")] * sent
    succeeded, failed = told
    if succeeded + failed != sent:
        return unknown, "none"
    results = [
        dict_or_empty(each) for each in list_or_empty(answer.fields.get("results"))
    ]
    successes = sum(each.get("success") is True for each in results)
    if len(results) == sent and successes == succeeded:
        return _by_position(answer, results, ids), "position"
    failures = sum(each.get("success") is False for each in results)
    if (succeeded == sent and failures) or (succeeded == 0 and successes):
        return [RowResult(state="unknown", reason=AGAINST)] * sent, "none"
    if succeeded == sent:
        return [RowResult(state="succeeded")] * sent, "counts"
    if succeeded == 0 and not tells_of_doubt(answer):
        reason = " · ".join(texts_in(answer.fields.get("errors")))
        return [RowResult(state="failed", reason=reason)] * sent, "counts"
    return unknown, "none"


def _without_id(row: RowResult) -> RowResult:
    if row.state != "succeeded":
        return row
    return replace(row, record_id="", reason=UNVERIFIED)


def _by_position(
    answer: Answer, results: Sequence[dict[str, Any]], ids: Sequence[str]
) -> list[RowResult]:
    general = texts_in(answer.fields.get("errors"))
    return [
        _row(result, sent, general, answer.provider)
        for result, sent in zip(results, ids, strict=True)
    ]


def _row(
    result: dict[str, Any], sent: str, general: tuple[str, ...], provider: str
) -> RowResult:
    told = id_of(result.get("recordId")) or ""
    if sent and told and not is_same_id(told, sent):
        return RowResult(state="unknown", reason="The result is of another record.")
    if result.get("success") is True:
        return RowResult(state="succeeded", record_id=told or sent)
    own = _errors(result)
    texts = list(filter(None, map(_text, own))) or general
    is_judged = any(map(_code, own))
    doubt = not is_judged and any(is_doubtful(t, provider=provider) for t in texts)
    return RowResult(
        state="unknown" if doubt else "failed",
        record_id=sent,
        reason=_reason(texts, is_general=texts is general),
    )


def _reason(texts: Sequence[str], *, is_general: bool) -> str:
    """Return why one failed: its own errors, or what alone is said of the batch."""
    said = " · ".join(texts)
    return f"One of: {said}" if is_general and len(texts) > 1 else said


def _errors(result: dict[str, Any]) -> list[Any]:
    """Return the errors of one result: in it, or in what the SaaS answered."""
    data = dict_or_empty(result.get("data"))
    return list_or_empty(result.get("errors")) or list_or_empty(data.get("errors"))


def _text(error: object) -> str:
    said = next(iter(texts_in([error])), "") if error else ""
    code = _code(error)
    return f"{code}: {said}" if code and said else said


def _code(error: object) -> str:
    """Return the code that Salesforce (`statusCode`) or HubSpot (`category`) gives."""
    fields = dict_or_empty(error)
    code = fields.get("statusCode") or fields.get("category")
    return code if isinstance(code, str) else ""


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
