"""An operation's state in words: what happened to the data, why, and what to do."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from console.models import EnvironmentControl
from operations.display.waiting import Waiting
from operations.models import Operation

Action = Operation.Action
State = Operation.State


@dataclass(frozen=True)
class Sentence:
    """Three short texts; `why` and `todo` are empty where there is nothing to say.

    `why` may quote the server: it is untrusted text.
    """

    what: str
    why: str = ""
    todo: str = ""


def sentence(
    operation: Operation,
    freeze: EnvironmentControl | None = None,
    waiting: Waiting | None = None,
) -> Sentence:
    """Return the state of `operation` in words.

    `freeze` is what keeps it waiting, `waiting` what else is known of that.
    """
    if freeze is not None:
        return _frozen(operation, freeze)
    if operation.state == State.WAITING:
        why = _waiting(operation, waiting or Waiting())
        return Sentence(not_written(operation), why, operation.remedy)
    what, todo = _WORDS[State(operation.state)](operation)
    if operation.values_deleted_at and operation.state != State.CANCELLED:
        # What it says to do may need what is gone.
        return Sentence(what, _forgotten(operation))
    # Of a run the reason says the same again.
    is_said = operation.is_run and operation.state == State.UNKNOWN
    why = "" if is_said else operation.reason
    return Sentence(what, why, operation.remedy or todo)


def _forgotten(operation: Operation) -> str:
    """Say since when nobody can tell any more why it did not end well."""
    if operation.state not in Operation.ENDED_BADLY or not operation.values_deleted_at:
        return ""
    return (
        f"The reason was deleted on {operation.values_deleted_at:%-d %b %Y} by "
        "retention, since it quotes values. Errors has the kind of it."
    )


def rows(count: int) -> str:
    """Return "1 row", "1,204 rows"."""
    return f"{count:,} row" if count == 1 else f"{count:,} rows"


def times(count: int) -> str:
    """Return "once", "3 times"."""
    return "once" if count == 1 else f"{count:,} times"


def tries(operation: Operation) -> str:
    """Say what came of the tries to send what was not written: "" before the first.

    The beginning of a sentence goes before it: "Nothing was written: it was …".
    """
    refused = operation.refusals
    in_vain = operation.attempts - refused
    said = []
    if refused:
        each = "it" if refused == 1 else "it each time"
        status = _of_refusal(operation.remote_status)
        said.append(f"sent {times(refused)}, and Ampersand rejected {each}{status}")
    if in_vain > 0:
        said.append(f"tried {times(in_vain)} without leaving this console")
    return "; it was ".join(said)


def _of_refusal(status: str) -> str:
    if status == "429":
        return " (429, rate limited)"
    return f" ({status})" if status else ""


def not_written(operation: Operation) -> str:
    """Say what was written of what is not sent now, as a whole sentence."""
    if operation.may_have_left:
        return "It may have been sent before this database was restored."
    if told := tries(operation):
        return f"Nothing was written: it was {told}."
    return "Nothing has been sent yet."


def _held(operation: Operation) -> tuple[str, str]:
    if operation.reason:
        return not_written(operation), ""
    what = "It is sent after the part before it, unless that fails."
    todo = "Open the write to send or cancel what is left."
    return f"{not_written(operation)} {what}", todo


def _waiting(operation: Operation, waiting: Waiting) -> str:
    """Say why it has not left, until when that is so, and what is before it."""
    said = []
    if operation.reason:
        said.append(f"{operation.reason.rstrip('.')}.")
    said.append(_until(operation, waiting))
    if waiting.under_way:
        said.append(f"{_writes(waiting.under_way)} being sent right now.")
    if waiting.before:
        said.append(f"{_writes(waiting.before)} ahead of it.")
    return " ".join(filter(None, said))


def _until(operation: Operation, waiting: Waiting) -> str:
    if waiting.until is not None:
        until = max(waiting.until, operation.due_at or waiting.until)
        return f"It waits until {_clock(until)}, because {waiting.why}."
    if operation.reason:
        return f"It is tried again at {_clock(operation.due_at)}."
    if not waiting.before:
        return "It is next: it is sent as soon as a worker is free."
    return ""


def _clock(moment: datetime | None) -> str:
    return timezone.localtime(moment).strftime("%H:%M:%S") if moment else "once"


def _writes(count: int) -> str:
    return "1 write is" if count == 1 else f"{count:,} writes are"


def _frozen(operation: Operation, freeze: EnvironmentControl) -> Sentence:
    since = timezone.localtime(freeze.frozen_at).strftime("%-d %b %Y %H:%M")
    what = f"{not_written(operation)} {freeze} has been frozen since {since} by"
    return Sentence(
        f"{what} {freeze.frozen_by_name}. It is sent when the freeze ends.",
        freeze.freeze_reason,
    )


def _sending(operation: Operation) -> tuple[str, str]:
    return "It is being sent now. You may close this page.", ""


def again_risk(operation: Operation) -> str:
    """Say what a second sending would do if the first one was written."""
    if operation.action == Action.CREATE:
        return "If the record already exists, sending it again creates a duplicate."
    if operation.action == Action.DELETE:
        it = "a record" if operation.is_bulk else "the record"
        return f"If {it} is already deleted, deleting it again fails."
    if operation.action == Action.UPDATE:
        return (
            "Sending it again sets the same values again, and overwrites what others "
            "changed in these fields meanwhile."
        )
    same = "Sending it again updates the same records with the same values."
    if operation.rows_sent is not None:
        # The console counts the rows of files that it has checked: all have a key.
        return f"{same} What others changed meanwhile would be overwritten."
    return f"{same} A row without a key would be inserted twice."


def _unknown(operation: Operation) -> tuple[str, str]:
    if operation.is_run:
        return "Some of its requests may or may not have been written.", (
            "Open each of them, look in the customer's system, and resolve it."
        )
    what = (
        "It was sent, but no readable answer came back. It may or may not be written."
    )
    if operation.resolution:
        return f"{what} {operation.resolution}", ""
    if operation.action == Action.CREATE:
        what_first = "Look in the customer's system before you send it again."
    else:
        what_first = "Find the outcome before you send it again."
    return what, f"{what_first} {again_risk(operation)}"


def _not_written(operation: Operation) -> tuple[str, str]:
    return "Nothing was written: the request did not arrive.", (
        "Send it again if it still has to be written."
    )


# What to do about refusals whose own text says little, by HTTP status.
_REMEDIES = {
    "401": "Have an admin check the API key in Connections, then send it again.",
    "403": "Have an admin check what the API key may do, then send it again.",
    "404": "Have an admin compare project, integration and object in Connections with "
    "Ampersand's dashboard.",
    "413": "Split it into smaller parts, or write it from a URL.",
    "429": "Rate limited by Ampersand (429). Wait a minute, then send it again.",
}


def _rejected(operation: Operation) -> tuple[str, str]:
    todo = _REMEDIES.get(operation.remote_status, _correct(operation))
    return "Nothing was written: it was rejected.", todo


def _correct(operation: Operation) -> str:
    """Say where that can be corrected which the reason names."""
    if operation.action == Action.FOLLOW:
        return "Correct it in the system that sent it."
    if operation.action == Action.DELETE and not operation.is_bulk:
        return "Check in the customer's system whether the record still exists."
    if operation.action in (Action.CREATE, Action.UPDATE):
        return "Copy the record, correct what the reason names, and send the copy."
    if operation.rows_sent is None:
        return "Correct the file at the URL, then send it again."
    return "Correct what the reason names in your file, then upload it again."


def _cancelled(operation: Operation) -> tuple[str, str]:
    if operation.may_have_left:
        return f"It was cancelled here. {not_written(operation)}", (
            "Look in Ampersand and in the customer's system before you send it again."
        )
    if tries(operation):
        return f"{not_written(operation)} Then it was cancelled.", ""
    return "Nothing was written: it was cancelled before it was sent.", ""


def _in_progress(operation: Operation) -> tuple[str, str]:
    if operation.is_run and operation.reason:
        return "It stopped: not all of its requests were sent.", (
            "Read the reason below, then send the rest or cancel it."
        )
    if operation.is_run:
        return "Its requests are in progress. You may close this page.", ""
    if operation.due_at is None:
        return "It was still in progress when we stopped checking after 7 days.", (
            "Choose Refresh from Ampersand to check once more."
        )
    if operation.action == Action.FOLLOW:
        return "Started elsewhere, and in progress. We keep checking for you.", ""
    return (
        "Ampersand accepted it and is working on it. We keep checking; you may close "
        "this page.",
        "",
    )


def _succeeded(operation: Operation) -> tuple[str, str]:
    if operation.is_run:
        return _all_rows(operation), ""
    if operation.action == Action.CREATE:
        return "The record was created.", ""
    if operation.action == Action.UPDATE:
        return "The record was updated.", ""
    if operation.action == Action.DELETE and not operation.is_bulk:
        return "The record was deleted.", ""
    count, done = operation.rows_succeeded, _done(operation)
    if count is None:
        return f"Ampersand reports success, but not how many rows were {done}.", ""
    if count == 1:
        return f"1 row was {done}.", ""
    return f"All {count:,} rows were {done}.", ""


def _done(operation: Operation) -> str:
    return "deleted" if operation.action == Action.DELETE else "written"


def _all_rows(operation: Operation) -> str:
    done = {Action.CREATE: "created", Action.DELETE: "deleted"}.get(
        Action(operation.action), "updated"
    )
    if operation.action in (Action.BY_ID, Action.BY_KEY):
        done = "created or updated"
    count = operation.rows_succeeded or 0
    return f"1 record was {done}." if count == 1 else f"All {count:,} were {done}."


def _partly_failed(operation: Operation) -> tuple[str, str]:
    failed, written = operation.rows_failed, operation.rows_succeeded
    done = "deleted" if operation.action == Action.DELETE else "succeeded"
    parts = [f"{rows(written)} {done}" if written is not None else f"Some {done}"]
    parts.append(f"{failed:,} failed" if failed is not None else "some failed")
    todo = (
        "Fix the failed rows and send only those again. If the cause was fixed in the "
        "customer's system, retry them as they are."
    )
    if operation.rows_unknown:
        parts.append(f"{operation.rows_unknown:,} unknown")
        todo = f"Look the unknown rows up before you send them again. {todo}"
    if operation.rows_not_sent:
        parts.append(f"{operation.rows_not_sent:,} not sent")
    return f"{', '.join(parts)}. Nothing is rolled back.", todo


def _failed(operation: Operation) -> tuple[str, str]:
    if operation.rows_succeeded == 0 and operation.rows_failed:
        failed = f"{rows(operation.rows_failed)} failed"
        return f"No row was {_done(operation)}: {failed}.", (
            "Fix the rows, then send them again."
        )
    if operation.rows_succeeded == 0 or "processed" in operation.result.casefold():
        return "The job ended, and Ampersand reports that no row was processed.", (
            "Check the header line and the line endings, then send it again."
        )
    return "Ampersand reports that it failed, and reports no row as written.", (
        "Read the log below before you send it again: what a large job wrote before it "
        "failed stays written."
    )


def _completed(operation: Operation) -> tuple[str, str]:
    todo = "Look at the log, and check in the customer's system before relying on it."
    if operation.rows_not_sent:
        # A run of which nothing was taken has no other end.
        return "Nothing was written: its requests were cancelled.", ""
    if operation.rows_succeeded is None:
        return "It ended. Ampersand did not report the result of its rows.", todo
    unknown = operation.rows_unknown or 0
    return (
        f"{rows(operation.rows_succeeded)} succeeded, {unknown:,} unknown.",
        todo,
    )


_WORDS = {
    State.HELD: _held,
    State.SENDING: _sending,
    State.UNKNOWN: _unknown,
    State.REJECTED: _rejected,
    State.CANCELLED: _cancelled,
    State.IN_PROGRESS: _in_progress,
    State.SUCCEEDED: _succeeded,
    State.PARTLY_FAILED: _partly_failed,
    State.FAILED: _failed,
    State.COMPLETED: _completed,
    State.NOT_WRITTEN: _not_written,
}
