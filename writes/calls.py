"""How the file of a run becomes requests: the table of its rows, and their frame."""

import json
from dataclasses import replace
from typing import cast

from ampersand import Action, Envelope, Request, RequestInvalid
from files.records_json.cutting import Frame, body, pieces
from files.records_json.typing import Kind, Table
from files.rows.sent_rows import read_header
from writes.models import Call, Write


def envelope_of(write: Write) -> Envelope:
    """Return what stands around the records of each request.

    Raises `NoActiveKey`, `UnreadableSecret` and `RequestInvalid`.
    """
    client = write.project.client(only_prepares=True)
    return client.prepare_envelope(
        write.target(),
        cast(Action, write.action),
        most=write.most_in_batch,
        all_or_none=write.all_or_none,
        deadline_hours=write.deadline_hours,
    )


def frame_of(envelope: Envelope) -> Frame:
    """Return the envelope as files are cut by it."""
    return Frame(envelope.before, envelope.after, envelope.most, envelope.is_single)


def table_of(write: Write, kinds: dict[str, Kind] | None = None) -> Table:
    """Return how the rows of the file as sent become records.

    By the kinds that the check chose, unless others are given. Raises
    `FileNotFoundError`.
    """
    names, _ = read_header(write.path_of("as_sent"))
    return table_for(write, names, write.typing_json if kinds is None else kinds)


def table_for(write: Write, names: list[str], kinds: dict[str, Kind]) -> Table:
    """Return the table of a file with these columns."""
    key = write.primary_key.casefold()
    id_name = next((name for name in names if name.casefold() == key), "")
    if write.action == Write.Action.CREATE:
        id_name = ""
    return Table(tuple(names), kinds, id_name)


def body_of(call: Call) -> bytes:
    """Return the exact body of a request of a run, made again from the file.

    Raises `OSError` and ValueError where the file is not what it was.
    """
    batch = call.batch
    return body(
        batch.write.path_of("as_sent"),
        table_of(batch.write),
        frame_of(batch.envelope()),
        offset=call.offset,
        length=call.length,
    )


def ids_in(content: bytes, write: Write) -> list[str]:
    """Return the ids of the records of a body, "" for each to create."""
    said = json.loads(content)
    items = [said] if "record" in said else said["batch"]
    if write.action == Write.Action.CREATE:
        return [""] * len(items)
    return [str(item["record"].get("id", "")) for item in items]


# So many records of the first request are shown before it is sent.
MOST_SHOWN = 3


def first_shown(write: Write) -> Request:
    """Return the first request with its first records, for a person to look at.

    Raises as `envelope_of`, and `FileNotFoundError`.
    """
    envelope = envelope_of(write)
    frame = replace(frame_of(envelope), most=min(envelope.most, MOST_SHOWN))
    path, table = write.path_of("as_sent"), table_of(write)
    first = next(pieces(path, table, frame), None)
    if first is None:
        raise RequestInvalid("The file has no row.")
    raw = body(path, table, frame, offset=first.offset, length=first.length)
    key = write.project.active_key()
    return Request(
        action=envelope.action,
        method="POST",
        url=envelope.url,
        body=json.loads(raw),
        masked_key=key.value.masked,
    )
