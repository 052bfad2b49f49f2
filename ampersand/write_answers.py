"""What the answer to a write says, in every generation.

The rules and their reasons are in `ampersand.errors`.
"""

from ampersand.answers import Answer, id_of, problem_of, request_id_of, texts_in
from ampersand.building import is_same_id
from ampersand.doubt import tells_of_doubt
from ampersand.errors import OutcomeUnknown, Refused
from ampersand.schemas import Problem, WriteResult, dict_or_empty

# Server errors that nevertheless prove that nothing was written.
NEVER_STARTED = frozenset({501, 505})

DOUBTFUL = (
    "The answer is a refusal, but it tells of a failure that may have come after the "
    "data was written"
)


def read_written(
    answer: Answer, problem: Problem, *, is_bulk: bool = False
) -> WriteResult:
    """Return what was written, or with `is_bulk` accepted; `problem` is its problem.

    Raises: Refused if nothing was written; OutcomeUnknown if the answer proves
    neither that nor a write.
    """
    need_whole(answer)
    written = says_written(answer, by_id="operationId" if is_bulk else "recordId")
    # Without its id a bulk write cannot be followed, whatever else the answer says.
    if written and (problem.operation_id or not is_bulk):
        return result_of(answer, is_accepted=is_bulk)
    if not written and _proves_refusal(answer, written):
        if tells_of_doubt(answer):
            raise OutcomeUnknown(DOUBTFUL, problem)
        raise Refused(problem)
    if written or answer.succeeded:
        reason = "The answer does not say what was written"
        raise OutcomeUnknown(reason, problem)
    raise OutcomeUnknown(f"The server failed with status {answer.status}", problem)


def need_whole(answer: Answer) -> None:
    """Raise OutcomeUnknown where what is missing of an answer may tell of a write."""
    if answer.fault and (answer.succeeded or answer.status == 422):
        raise OutcomeUnknown(answer.fault, problem_of(answer))


def need_same_record(result: WriteResult, sent: str | None, answer: Answer) -> None:
    """Raise OutcomeUnknown where an answer is about another record than the one sent.

    `sent` is its id, None for a record without one; the answer may name none either.
    """
    if result.record_id and sent and not is_same_id(result.record_id, sent):
        reason = "The answer is about another record"
        raise OutcomeUnknown(reason, problem_of(answer))


def says_written(answer: Answer, *, by_id: str) -> bool | None:
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


def result_of(answer: Answer, *, is_accepted: bool = False) -> WriteResult:
    """Return what an answer that reports a write, or its acceptance, says of it."""
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
        is_accepted=is_accepted,
    )
