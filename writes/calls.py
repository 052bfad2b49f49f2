"""How the file of a run becomes requests: the table of its rows, and their frame."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

from ampersand import HUBSPOT, Action, Envelope, Request, RequestInvalid
from files.mending import taken_out
from files.records_json.cutting import Frame, Piece, body, pieces
from files.records_json.lanes import ID_COLUMN, Lanes
from files.records_json.typing import Kind, Table
from files.rows.sent_rows import read_header
from writes.models import Call, Write

# What empties a property of HubSpot, whatever its type.
EMPTY_TEXT = '""'


def envelopes_of(write: Write) -> dict[str, Envelope]:
    """Return what stands around the records of each request, by type.

    Raises `NoActiveKey`, `UnreadableSecret` and `RequestInvalid`.
    """
    client = write.project.client(only_prepares=True)
    return {
        type_: client.prepare_envelope(
            write.target(),
            cast(Action, type_),
            most=write.most_of(type_),
            all_or_none=write.all_or_none,
            deadline_hours=write.deadline_hours,
        )
        for type_ in write.types
    }


def frame_of(envelope: Envelope) -> Frame:
    """Return the envelope as files are cut by it."""
    return Frame(
        envelope.before,
        envelope.after,
        envelope.most,
        envelope.is_single,
        envelope.action,
    )


def cut(
    path: Path, table: Table, envelopes: dict[str, Envelope], lanes: Lanes | None
) -> Iterator[Piece]:
    """Yield the requests of a file as sent, lane by lane. Raises as `pieces`."""
    frames = [frame_of(envelope) for envelope in envelopes.values()]
    sizes = [None] if lanes is None else [lanes.creates, lanes.updates]
    last: Piece | None = None
    for frame, rows in zip(frames, sizes, strict=True):
        for piece in pieces(path, table, frame, after=last, rows=rows):
            yield piece
            last = piece


def origin_of(write: Write) -> Callable[[int], int]:
    """Return what turns a row of the file as sent into the row of the file as read."""
    before = taken_out.origin_of(write.recipe).row
    lanes = write.lanes
    if lanes is None:
        return before
    in_order = lanes.origin()
    return lambda row: before(in_order(row))


def table_of(write: Write, kinds: dict[str, Kind] | None = None) -> Table:
    """Return how the rows of the file as sent become records.

    By the kinds that the check chose, unless others are given. Raises
    `FileNotFoundError`.
    """
    names, _ = read_header(write.path_of("as_sent"))
    return table_for(write, names, write.typing_json if kinds is None else kinds)


def table_for(
    write: Write, names: list[str], kinds: dict[str, Kind], *, key: str = ""
) -> Table:
    """Return the table of a file with these columns.

    `key` is the column of the ids as the header spells it, where that is known better
    than by the write.
    """
    key = (key or write.primary_key).casefold()
    if write.action == Write.Action.BY_KEY:
        key = ID_COLUMN
    id_name = next((name for name in names if name.casefold() == key), "")
    if write.action == Write.Action.CREATE:
        id_name = ""
    is_hubspot = write.integration.provider == HUBSPOT
    cleared = EMPTY_TEXT if is_hubspot else "null"
    return Table(tuple(names), kinds, id_name, cleared)


def body_of(call: Call) -> bytes:
    """Return the exact body of a request of a run, made again from the file.

    Raises `OSError` and ValueError where the file is not what it was.
    """
    batch, write = call.batch, call.batch.write
    return body(
        write.path_of("as_sent"),
        table_of(write),
        frame_of(batch.envelopes()[call.action]),
        offset=call.offset,
        length=call.length,
    )


def ids_in(content: bytes, type_: str) -> list[str]:
    """Return the ids of the records of a body, "" for each to create."""
    said = json.loads(content)
    items = [said] if "record" in said else said["batch"]
    if type_ == Write.Action.CREATE:
        return [""] * len(items)
    return [str(item["record"].get("id", "")) for item in items]


# So many records of the first request are shown before it is sent.
MOST_SHOWN = 3


def first_shown(write: Write) -> Request:
    """Return the first request with its first records, for a person to look at.

    Raises as `envelopes_of`, and `FileNotFoundError`.
    """
    envelopes = {
        type_: replace(envelope, most=min(envelope.most, MOST_SHOWN))
        for type_, envelope in envelopes_of(write).items()
    }
    path, table = write.path_of("as_sent"), table_of(write)
    first = next(cut(path, table, envelopes, write.lanes), None)
    if first is None:
        raise RequestInvalid("The file has no row.")
    envelope = envelopes[first.type]
    frame = frame_of(envelope)
    raw = body(path, table, frame, offset=first.offset, length=first.length)
    key = write.project.active_key()
    return Request(
        action=envelope.action,
        method="POST",
        url=envelope.url,
        body=json.loads(raw),
        masked_key=key.value.masked,
    )
