"""Ids in an answer that could not be read: guesses for a person to look at; pure.

The answer may be cut off anywhere, be a proxy's page, or be made to deceive. So nothing
here is believed: what is found is shown, and checked before it is used.
"""

import re

from files.values import record_ids

MOST = 5
LONGEST = 20_000

_UUID = r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
# The name before an id, where there is one: "operationId": "…".
_NAMED_UUID = re.compile(
    rf'(?:"(\w{{1,40}})"\s{{0,5}}:\s{{0,5}}")?(?<![\w-])({_UUID})(?![\w-])', re.ASCII
)
_OPERATION_ID = re.compile(r'"operationId"\s{0,5}:\s{0,5}"([\w.-]{1,200})"', re.ASCII)
_RECORD_ID = re.compile(
    r'"(?:recordId|id)"\s{0,5}:\s{0,5}"([0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?)"', re.I
)
_BARE_RECORD_ID = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{18}(?![0-9A-Za-z])")
# Ids of other things stand beside it.
_OTHERS = frozenset(
    {"requestId", "projectId", "integrationId", "installationId", "configId"}
)


def operation_ids(text: str) -> list[str]:
    """Return what may be the id of an operation: what is called so comes first."""
    text = text[:LONGEST]
    called = _OPERATION_ID.findall(text)
    uuids = [id_ for name, id_ in _NAMED_UUID.findall(text) if name not in _OTHERS]
    return list(dict.fromkeys([*called, *uuids]))[:MOST]


def salesforce_ids(text: str) -> list[str]:
    """Return what may be the id of a record, with the suffix that guards its case.

    Where nothing calls it an id, only 18 characters whose suffix fits count as one.
    """
    text = text[:LONGEST]
    found = [*_RECORD_ID.findall(text), *_BARE_RECORD_ID.findall(text)]
    ids = (record_ids.normal(each) for each in found)
    return list(dict.fromkeys(id_ for id_ in ids if id_))[:MOST]
