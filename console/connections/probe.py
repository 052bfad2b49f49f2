"""Does a project's connection work? Asked with one call that only reads."""

from dataclasses import dataclass

from ampersand import AmpersandError, NotSent, OutcomeUnknown, Refused
from console.fields import UnreadableSecret
from console.models import NoActiveKey, Project

# Nobody has an operation of this id: "not found" is the answer that proves all is well.
MADE_UP_ID = "00000000-0000-4000-8000-000000000000"

# Seconds for a single wait. Somebody sits in front of the page, and the client tries
# a read three times.
PATIENCE = 5


@dataclass(frozen=True)
class Verdict:
    """The outcome in words: what was found, why, and what to do next.

    `code` is what was found, for programs.
    `answered` says that Ampersand itself answered, whether or not it was pleased.
    """

    code: str
    title: str
    text: str
    remedy: str = ""
    works: bool = False
    answered: bool = False


def try_connection(project: Project) -> Verdict:
    """Ask `project` for an operation that does not exist; never raises.

    A key that reaches the project gets the 404 that Ampersand documents. Only the
    address for reading is tried: a call to the other one would have to write.
    """
    try:
        client = project.client(timeout=PATIENCE)
        client.get_operation(project=project.remote_id, operation_id=MADE_UP_ID)
    except NoActiveKey:
        text = "Nothing was sent."
        return Verdict("no-key", "There is no API key", text, "Add an API key.")
    except UnreadableSecret as error:
        remedy = "Put the old key back into FIELD_KEYS, or rotate the API key."
        text = f"Nothing was sent. {error}"
        return Verdict("unreadable-key", "The API key cannot be read", text, remedy)
    except Refused as error:
        return _refused(error)
    except NotSent as error:
        return _not_sent(error)
    except OutcomeUnknown as error:
        return _no_answer(error)
    except AmpersandError as error:
        remedy = "Check the settings of this project."
        title = "The request could not be built"
        return Verdict("not-built", title, str(error), remedy)
    return _not_ampersand("It returned an operation that cannot exist.")


def _not_ampersand(text: str) -> Verdict:
    remedy = "Check the API URL; a proxy or a login page may be in between."
    return Verdict("not-ampersand", "The answer is not from Ampersand", text, remedy)


def _refused(error: Refused) -> Verdict:
    status, said = error.problem.status, error.problem.detail
    if error.problem.raw.lstrip().startswith("<") or 300 <= status < 400:
        return _not_ampersand(said)
    match status:
        case 401:
            remedy = "Rotate the key: paste the one that Ampersand's dashboard shows."
            title = "The API key was refused (401)"
            return Verdict("refused-key", title, said, remedy, answered=True)
        case 403:
            remedy = "Give the key the right to read operations, or use another key."
            title = "The API key has no right to this (403)"
            return Verdict("no-right", title, said, remedy, answered=True)
        case 404:
            return _not_found(said)
        case 429:
            remedy = "Wait a minute and test again."
            return Verdict(
                "too-many",
                "Rate limited by Ampersand (429)",
                said,
                remedy,
                answered=True,
            )
    if status >= 500:
        remedy = (
            "Try again in a few minutes; nothing is wrong with your settings so far."
        )
        title = f"Ampersand has a problem ({status})"
        return Verdict("their-problem", title, said, remedy)
    title = f"Ampersand refused the request ({status})"
    return Verdict("refused", title, said, "Check the settings.", answered=True)


def _not_found(said: str) -> Verdict:
    """Tell by Ampersand's own words whose 404 it is."""
    words = said.lower()
    if "operation" in words:
        text = "The key is accepted and the project is known. Nothing was written."
        title = "The connection works"
        return Verdict("works", title, text, works=True, answered=True)
    if "project" in words:
        remedy = "Check the project id, and that the key belongs to this project."
        title = "The project is unknown (404)"
        return Verdict("unknown-project", title, said, remedy, answered=True)
    return _not_ampersand(said)


def _not_sent(error: NotSent) -> Verdict:
    remedy = "Check the API URL, and that this server can reach it."
    return Verdict("not-reached", "Ampersand could not be reached", str(error), remedy)


def _no_answer(error: OutcomeUnknown) -> Verdict:
    if error.problem:
        return _not_ampersand(str(error))
    remedy = "Test again; if that does not help, check the API URL and the network."
    text = f"Nothing was written. {error}"
    return Verdict("no-answer", "No answer came", text, remedy)
