"""What is done to several operations that a person selected: each is judged again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

from django.db import transaction

from console.access.roles import Person, Role, role_in
from console.actor import Actor
from console.environments import Environment
from console.models import AuditEvent
from operations.actions.follow import ask_now
from operations.display.sentence import not_written
from operations.models import Operation


@dataclass(frozen=True)
class Judged:
    """One of the selected operations: `why` it is left as it is, "" if it is not.

    `told` says what it means that something was done to it.
    """

    operation: Operation
    why: str = ""
    told: str = ""


@dataclass(frozen=True)
class Deed:
    """What can be done to many: `hindrance` says why not to this one, or "".

    `do` does it, and tells whether it still could; `told` says then what that means.
    `event` is what the audit trail calls it, `asks` and `done` what pages do.
    """

    name: str
    event: str
    asks: str
    done: str
    hindrance: Callable[[Operation], str]
    do: Callable[[Operation, Actor], bool]
    told: Callable[[Operation], str]


def cancel(operation: Operation, actor: Actor) -> bool:
    """Stop an operation from being sent; tell whether that was still possible."""
    with transaction.atomic():
        cancelled = operation.cancel(by=actor.name)
        if cancelled:
            AuditEvent.record(
                action="operation.cancelled",
                subject=f"Operation {operation.pk}",
                actor=actor,
                about=operation,
            )
    return cancelled


def _why_not_cancelled(operation: Operation) -> str:
    if operation.can_be_cancelled:
        return ""
    return f"It is no longer waiting: {operation.state_label.lower()}."


def _why_not_asked(operation: Operation) -> str:
    if operation.can_be_asked:
        return ""
    if operation.state in Operation.UNSENT:
        return "It was not sent yet."
    return "Ampersand has no more news of it."


CANCEL = Deed(
    name="cancel",
    event="operations.cancelled",
    asks="Cancel",
    done="Cancelled",
    hindrance=_why_not_cancelled,
    do=cancel,
    told=not_written,
)
REFRESH = Deed(
    name="refresh",
    event="operations.refreshed",
    asks="Refresh",
    done="Refreshing from Ampersand",
    hindrance=_why_not_asked,
    do=lambda operation, actor: ask_now(operation),
    told=lambda operation: "",
)
DEEDS = {deed.name: deed for deed in (CANCEL, REFRESH)}


def judge(deed: Deed, operations: Iterable[Operation], actor: Actor) -> list[Judged]:
    """Tell of each operation whether the deed could be done to it now."""
    return [Judged(each, _hindrance(deed, each, actor)) for each in operations]


def do_to_all(
    deed: Deed, operations: Iterable[Operation], actor: Actor
) -> list[Judged]:
    """Do it to each that it can be done to, and tell what became of each.

    One event of the audit trail for each environment says so.
    """
    told = []
    for operation in operations:
        why = _hindrance(deed, operation, actor)
        if not why and not deed.do(operation, actor):
            why = deed.hindrance(operation) or "It changed just now: look again."
        told.append(Judged(operation, why, "" if why else deed.told(operation)))
    _audit(deed, told, actor)
    return told


def _hindrance(deed: Deed, operation: Operation, actor: Actor) -> str:
    environment = operation.project.environment
    # Who selects is signed in.
    if role_in(cast(Person, actor.user), environment) < Role.OPERATOR:
        return f"You may only view what is in {Environment(environment).label}."
    return deed.hindrance(operation)


def _audit(deed: Deed, told: list[Judged], actor: Actor) -> None:
    for environment in {each.operation.project.environment for each in told}:
        here = [e for e in told if e.operation.project.environment == environment]
        done = [each.operation.pk for each in here if not each.why]
        AuditEvent.record(
            action=deed.event,
            subject=f"{len(done)} of {len(here)} selected operations",
            actor=actor,
            environment=environment,
            detail={
                "done": done,
                "not_done": {str(e.operation.pk): e.why for e in here if e.why},
            },
        )
