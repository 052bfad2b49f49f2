"""Operations and their logs, which every generation asks for and reads alike."""

from ampersand.answers import Answer, problem_of, success_of_read
from ampersand.building import operation_url
from ampersand.errors import OutcomeUnknown
from ampersand.schemas import LogEntry, Operation, Request, in_order


def get_operation(base_url: str, *, project: str, operation_id: str) -> Request:
    """Build `GET …/operations/{id}`. Raises: RequestInvalid for a blank part."""
    url = operation_url(base_url, project, operation_id)
    return Request(action="read", method="GET", url=url, answer_has_id=True)


def list_operation_logs(base_url: str, *, project: str, operation_id: str) -> Request:
    """Build `GET …/operations/{id}/logs`. Raises: RequestInvalid for a blank part."""
    url = operation_url(base_url, project, operation_id)
    return Request(action="read", method="GET", url=f"{url}/logs")


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
