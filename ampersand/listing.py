"""The operations of one customer's installation, page by page.

Source: "listOperations" of Ampersand's OpenAPI document of August 2026: no filter, and
no order is promised.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from ampersand.answers import Answer, problem_of, success_of_read
from ampersand.building import integration_url, segment
from ampersand.errors import OutcomeUnknown
from ampersand.schemas import Operation, Request, dict_or_empty, text_of

PAGE_SIZE = 200


@dataclass(frozen=True)
class OperationPage:
    """Some operations, and the token of the next page, "" after the last."""

    operations: tuple[Operation, ...]
    next_token: str


def list_operations(
    base_url: str, *, project: str, integration: str, installation: str, token: str
) -> Request:
    """Build the question for a page. Raises: RequestInvalid for a blank part."""
    url = integration_url(base_url, project, integration)
    query = {"pageSize": PAGE_SIZE} | ({"pageToken": token} if token else {})
    below = f"installations/{segment(installation, 'installation')}/operations"
    return Request(action="read", method="GET", url=f"{url}/{below}?{urlencode(query)}")


def read_operations(answer: Answer) -> OperationPage:
    """Read a page, without what has no id.

    Raises: Refused for any status but 2xx; OutcomeUnknown for an unreadable answer.
    """
    body = dict_or_empty(success_of_read(answer))
    results = body.get("results")
    if not isinstance(results, list):
        raise OutcomeUnknown("The answer lists no operations", problem_of(answer))
    found = (Operation.from_json(dict_or_empty(each)) for each in results)
    pagination = dict_or_empty(body.get("pagination"))
    token = text_of(pagination.get("nextPageToken")) or ""
    is_last = pagination.get("done") is not False
    return OperationPage(
        tuple(each for each in found if each.id), "" if is_last else token
    )
