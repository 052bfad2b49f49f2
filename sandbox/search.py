"""Looking records up by the value of one field, as the search of today's API does.

No OpenAPI document of it is published; this follows Ampersand's connector library: the
provider's query has the value between quotes as it came, and one page comes back.
"""

import json
from typing import Any

from sandbox import catalog, schema
from sandbox.catalog import Integration
from sandbox.salesforce import Org
from sandbox.schema import Field, SObject
from sandbox.store import Store
from sandbox.web import Problem, Request, Response, answer, rfc3339

PAGE = 200
_OPERATOR = "eq"


class Unsearchable(Problem):
    """A problem document that comes as plain JSON, as those of searches do."""

    def response(self, request: Request) -> Response:
        told = super().response(request)
        return Response(told.status, told.body, headers=told.headers)


def search(store: Store, request: Request, integration: Integration) -> Response:
    """Answer a search: the records of a customer with a value in a field."""
    body = request.json()
    name, field, value = _asked(body)
    store.run(
        "INSERT INTO searches (object, field, value) VALUES (?, ?, ?)",
        *(name, field, value),
    )
    group = request.parameters.get("groupRef", "")
    catalog.check_group(group)
    sobject = _readable(integration, name)
    known = sobject.field(field)
    if known is None:
        raise Unsearchable(400, f"No such column '{field}' on entity '{sobject.name}'.")
    if "'" in value or "\\" in value:
        raise Unsearchable(400, "MALFORMED_QUERY: unexpected token in the filter.")
    if known.type in ("boolean", "date", "datetime"):
        text = f"filter criterion for field '{known.name}' should not be in quotes"
        raise Unsearchable(400, f"INVALID_FIELD: {text}")
    found = _found(store, request, group, sobject, known, value)
    if request.fault == "search_two":
        found = (found * 2)[:2]
    return answer({"results": [_shown(record) for record in found]})


def _asked(body: dict[str, Any]) -> tuple[str, str, str]:
    filters = body.get("fieldFilters")
    if not isinstance(filters, list) or len(filters) != 1:
        raise Unsearchable(400, "fieldFilters must have one filter.")
    one = filters[0] if isinstance(filters[0], dict) else {}
    texts = (body.get("objectName"), one.get("fieldName"), one.get("value"))
    if one.get("operator") != _OPERATOR or not all(isinstance(t, str) for t in texts):
        raise Unsearchable(400, "A filter has a field, the operator eq, and a value.")
    name, field, value = map(str, texts)
    return name, field, value


def _readable(integration: Integration, name: str) -> SObject:
    read = integration.content.get("read", {}).get("objects", [])
    sobject = schema.find(name)
    if sobject is None or name not in [each["objectName"] for each in read]:
        raise Unsearchable(
            400, f"Object '{name}' is not in the read section of the integration."
        )
    return sobject


def _found(
    store: Store,
    request: Request,
    group: str,
    sobject: SObject,
    field: Field,
    value: str,
) -> list[dict[str, Any]]:
    """The records with the value, in whatever case; those known by it are quick."""
    if "external" in field.flags:
        org = Org(store, group, rfc3339(request.time))
        ids = org.matches(sobject, field, [value]).get(value.casefold(), [])
        rows = [store.row("SELECT data FROM records WHERE id = ?", id_) for id_ in ids]
        return [json.loads(row["data"]) for row in rows if row][:PAGE]
    rows = list(
        store.rows(
            "SELECT data FROM records WHERE org = ? AND object = ? ORDER BY number",
            *(group, sobject.key),
        )
    )
    records = [json.loads(row["data"]) for row in rows if row]
    wanted = value.casefold()
    same = [r for r in records if str(r.get(field.name, "")).casefold() == wanted]
    return same[:PAGE]


def _shown(record: dict[str, Any]) -> dict[str, Any]:
    fields = {name.lower(): value for name, value in record.items()}
    return {"fields": fields, "mappedFields": {}, "raw": record}


def shown(store: Store) -> Response:
    """Every search that arrived, the oldest first."""
    rows = store.rows("SELECT object, field, value FROM searches ORDER BY number")
    return answer([dict(row) for row in rows])
