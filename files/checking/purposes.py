"""What the rows of a file are for, where that changes what is wrong with them.

An upsert makes one bulk job of a file. Of a create, update or delete each row becomes a
record of its own in a request; by id or by a key some are created and others updated.
"""

from typing import Literal

Purpose = Literal["upsert", "create", "update", "delete", "by_id", "by_key"]

# Which of them make records that were not there.
NEW: frozenset[Purpose] = frozenset({"upsert", "create", "by_id", "by_key"})

_WHICH = "It tells which record is meant. Fill it in, or leave the row out."
KEYLESS: dict[Purpose, str] = {
    "upsert": "Without a key Salesforce may insert a new record each time. Fill it in, "
    "or leave the row out.",
    "create": _WHICH,
    "update": _WHICH,
    "delete": _WHICH,
    "by_id": _WHICH,
    "by_key": _WHICH,
}

_REFUSED = (
    "the customer's system would refuse to make a new record from it. Fill it in, "
    "unless it is an update."
)
LACKS: dict[Purpose, str] = {
    "upsert": "Salesforce would refuse to make a new record from it. Fill it in, "
    "unless it is an update.",
    "create": "the customer's system would refuse to make a record from it. Fill it "
    "in, or leave the row out.",
    "by_id": _REFUSED,
    "by_key": _REFUSED,
}

_ONLY_UPDATES = (
    "only updates would work, new records would be refused. Add it, unless all "
    "rows are updates."
)
NO_COLUMN: dict[Purpose, str] = {
    "upsert": _ONLY_UPDATES,
    "create": "every row would be refused. Add it.",
    "by_id": _ONLY_UPDATES,
    "by_key": _ONLY_UPDATES,
}

_REQUESTS_FAIL = "so every request would fail"
NO_FIELD: dict[Purpose, str] = {
    "upsert": "so the whole job would fail",
    "create": _REQUESTS_FAIL,
    "update": _REQUESTS_FAIL,
    "delete": _REQUESTS_FAIL,
    "by_id": _REQUESTS_FAIL,
    "by_key": _REQUESTS_FAIL,
}

_WINS = "Which of them would win cannot be foretold; keep one."
REPEATED: dict[Purpose, str] = {
    "upsert": _WINS,
    "create": _WINS,
    "update": _WINS,
    "delete": "A record can be deleted once; keep one.",
    "by_id": _WINS,
    "by_key": _WINS,
}

_NO_ID = "It names no record. Leave the row out."
HEADER_AGAIN: dict[Purpose, str] = {
    "upsert": "Salesforce would make a record of it. Leave the row out.",
    "create": _NO_ID,
    "update": _NO_ID,
    "delete": _NO_ID,
    "by_id": _NO_ID,
    "by_key": _NO_ID,
}
