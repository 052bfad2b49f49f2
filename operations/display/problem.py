"""Why Ampersand could not be asked about an operation, in words."""

from ampersand import (
    AmpersandError,
    NotSent,
    OutcomeUnknown,
    Refused,
)
from console.fields import UnreadableSecret
from console.models import NoActiveKey

Problem = AmpersandError | NoActiveKey | UnreadableSecret


def problem_in_words(problem: Problem) -> str:
    """Say why we could not ask, and what to do."""
    match problem:
        case Refused(problem=said) if said.status == 404:
            return (
                "Ampersand does not know this operation, or no longer keeps it. Check "
                "its id and the project."
            )
        case Refused(problem=said) if said.status in (401, 403):
            return (
                f"Ampersand refused the project's API key ({said.detail}) Ask an admin "
                "to check it."
            )
        case Refused(problem=said):
            return f"Ampersand answered with an error: {said.detail}"
        case NotSent() | OutcomeUnknown():
            return f"Refreshing from Ampersand failed: {problem.detail}"
        case AmpersandError():
            return problem.detail
        case NoActiveKey():
            return f"{problem} Ask an admin to add one."
    return f"{problem} Ask an admin to add the key again."
