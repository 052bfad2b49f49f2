"""Asking Ampersand for what a project has there, while somebody waits for the page."""

from collections.abc import Callable

from ampersand import AmpersandError, Client, Refused
from console.connections.probe import PATIENCE
from console.fields import UnreadableSecret
from console.models import NoActiveKey, Project


class NotAnswered(Exception):
    """There is no answer; the text says why and what to do."""


def ask[T](project: Project, question: Callable[[Client], T]) -> T:
    """Return what `question` gets of the project's client. Raises `NotAnswered`.

    Call it in no transaction: Ampersand may take its time.
    """
    try:
        return question(project.client(timeout=PATIENCE))
    except Refused as error:
        raise NotAnswered(_refused(error)) from None
    except AmpersandError as error:
        text = f"Ampersand could not be reached: {error} Try again in a minute."
        raise NotAnswered(text) from None
    except NoActiveKey as error:
        raise NotAnswered(f"{error} Ask an admin to add one.") from None
    except UnreadableSecret as error:
        raise NotAnswered(f"{error} Ask an admin to add the key again.") from None


def _refused(error: Refused) -> str:
    said = f"Ampersand answered {error.problem.status}: {error.problem.detail}"
    if error.problem.status in (401, 403):
        return f"{said} Ask an admin to check the project's API key."
    return f"{said} {error.problem.remedy}".strip()
