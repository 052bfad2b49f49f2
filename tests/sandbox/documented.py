"""What Ampersand's Write Actions page asks for, and what each answer holds."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """One request of the page; `answer` names fields that its answer has."""

    method: str
    path: str
    body: dict[str, Any] | None
    answer: tuple[str, ...]


SINGLE = (
    "/v1/projects/66438162-5299-4669-a41d-85c5a3b1a83e"
    "/integrations/113e9685-9a51-42cc-8662-9d9725b17f14/objects"
)
BULK = "/v1/projects/2234wf/integrations/23rsdf32/objects"
OPERATION = "/v1/projects/2234wf/operations/5e4f06ca-445f-43ea-943e-78465ee1bb7a"

CREATE = Call(
    "POST",
    f"{SINGLE}/contact",
    {
        "groupRef": "demo-group-id",
        "record": {"FirstName": "Example", "LastName": "Person"},
    },
    ("result",),
)
UPSERT = Call(
    "PUT",
    f"{BULK}/tactics__c:async",
    {
        "groupRef": "sample-org-id",
        "recordsURL": "https://files.example/data.csv",
        "primaryKey": "custom_id__c",
    },
    ("operationId",),
)
GET_OPERATION = Call("GET", OPERATION, None, ("status", "result"))
LIST_LOGS = Call("GET", f"{OPERATION}/logs", None, ("severity", "message", "timestamp"))
CALLS = (CREATE, UPSERT, GET_OPERATION, LIST_LOGS)
