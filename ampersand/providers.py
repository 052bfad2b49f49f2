"""What Ampersand can do with a provider: how many records go in one request.

Source: "getProvider" of Ampersand's OpenAPI document of August 2026. Batches are told
of the provider's module, and of the provider itself where it has none.
"""

from dataclasses import dataclass, field
from typing import Any

from ampersand.answers import Answer, problem_of, success_of_read
from ampersand.building import segment
from ampersand.errors import OutcomeUnknown
from ampersand.schemas import Request, dict_or_empty, text_of

# As Ampersand's public connector library has it (August 2026), for creates and updates:
# no other provider takes batches.
KNOWN_LIMITS = {"salesforce": 100, "salesforceJWT": 100, "hubspot": 100}
HUBSPOT = "hubspot"


@dataclass(frozen=True, kw_only=True)
class BatchLimit:
    """How many records one request carries: of any object, and of those in
    `by_object`. 1 where nothing is told, or batches are not supported.
    """

    most: int = 1
    by_object: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A provider, with its limits of a batch."""

    name: str
    create: BatchLimit
    update: BatchLimit


def get_provider(base_url: str, *, name: str) -> Request:
    """Build the question. Raises: RequestInvalid for a blank name."""
    url = f"{base_url}/providers/{segment(name, 'provider')}"
    return Request(action="read", method="GET", url=url)


def read_provider(answer: Answer) -> Provider:
    """Read the limits. Raises: Refused for any status but 2xx; OutcomeUnknown for an
    answer that names no provider.
    """
    body = dict_or_empty(success_of_read(answer))
    name = text_of(body.get("name"))
    if not name:
        raise OutcomeUnknown("The answer names no provider", problem_of(answer))
    batches = _batches(body)
    return Provider(
        name=name,
        create=_limit(batches.get("create")),
        update=_limit(batches.get("update")),
    )


def _batches(body: dict[str, Any]) -> dict[str, Any]:
    default = text_of(body.get("defaultModule")) or ""
    module = dict_or_empty(body.get("modules")).get(default)
    for told in (module, body):
        support = dict_or_empty(dict_or_empty(told).get("support"))
        if batches := dict_or_empty(support.get("batchWrite")):
            return batches
    return {}


def _limit(raw: object) -> BatchLimit:
    told = dict_or_empty(raw)
    if told.get("supported") is not True:
        return BatchLimit()
    by_object = dict_or_empty(told.get("objectRecordLimits"))
    limits = {name: _number(each) for name, each in by_object.items()}
    return BatchLimit(
        most=_number(told.get("defaultRecordLimit")) or 1,
        by_object={name: most for name, most in limits.items() if most},
    )


def _number(value: object) -> int:
    """Return a limit, 0 for what is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return max(value, 0)
    return 0
