"""The record that an update can go on with after a create."""

import re

from operations.models import Operation

State = Operation.State
# "… duplicates value on record with id: 003SB0000000001YAA".
NAMED = re.compile(r"DUPLICATE_VALUE.*?record with id: ?([0-9A-Za-z]{15,18})\b", re.S)


def known_record(operation: Operation) -> str:
    """Return the id of the record that a create made, or met in its place; or ""."""
    if operation.action != Operation.Action.CREATE or operation.is_run:
        return ""
    if operation.state == State.SUCCEEDED:
        return operation.record_id
    if operation.state != State.REJECTED:
        return ""
    named = NAMED.search(operation.reason)
    return named[1] if named else ""
