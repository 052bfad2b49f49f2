"""What the rows of a file are for, where that changes what is wrong with them.

An upsert makes one bulk job of a file. Of a create, update or delete each row becomes a
record of its own in a request; by id or by a key some are created and others updated.
"""

from typing import Literal, NamedTuple

Purpose = Literal["upsert", "create", "update", "delete", "by_id", "by_key"]

# Which of them make records that were not there.
NEW: frozenset[Purpose] = frozenset({"upsert", "create", "by_id", "by_key"})


class Words(NamedTuple):
    """What follows from a fault, and what to do: the ends of sentences."""

    # A row has no key; it lacks what a new record needs; the file has no column of it.
    keyless: str
    lacks: str
    no_column: str
    # The object has no such field; a key is there twice; the header is there again.
    no_field: str
    repeated: str
    header_again: str


_RECORDS = Words(
    keyless="It identifies the record. Fill it in, or exclude the row.",
    lacks="the customer's system would refuse to create a record from it. Fill it "
    "in, unless it is an update.",
    no_column="only updates would work, new records would be refused. Add it, unless "
    "all rows are updates.",
    no_field="so every request would fail",
    repeated="It is not defined which one wins; keep one.",
    header_again="It is not a record. Exclude the row.",
)

WORDS: dict[Purpose, Words] = {
    "upsert": _RECORDS._replace(
        keyless="Without a key Salesforce may create a new record each time. Fill it "
        "in, or exclude the row.",
        lacks="Salesforce would refuse to create a record from it. Fill it in, "
        "unless it is an update.",
        no_field="so the whole job would fail",
        header_again="Salesforce would create a record from it. Exclude the row.",
    ),
    "create": _RECORDS._replace(
        lacks="the customer's system would refuse to create a record from it. Fill it "
        "in, or exclude the row.",
        no_column="every row would be refused. Add it.",
    ),
    "update": _RECORDS,
    "delete": _RECORDS._replace(repeated="A record can be deleted once; keep one."),
    "by_id": _RECORDS,
    "by_key": _RECORDS,
}
