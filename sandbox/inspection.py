"""The sandbox's own pages, which the real service has not: for people and tests."""

import json
from urllib.parse import parse_qs

from sandbox import arrivals, faults, schema, search
from sandbox.catalog import (
    FAILED_OPERATION,
    GROUPS,
    PROJECTS,
    READ_KEY,
    WRITE_KEY,
)
from sandbox.describe import describe
from sandbox.store import Store
from sandbox.web import Problem, Request, Response, answer, not_allowed, plain

SAMPLE = """\
custom_id__c,start_date__c,objective_type__c,daily_budget_amount__c
0,2023-11-20T11:36:22-08:00,WEBSITE_CONVERSION,50
1,2023-11-20T11:36:22-08:00,LEAD_GENERATION,10
2,2023-11-20T11:36:22-08:00,LEAD_GENERATION,10
"""
"""The CSV of Ampersand's Write Actions page."""


def home() -> Response:
    """What this is and which ids there are."""
    lines = [
        "A local Ampersand with a small Salesforce behind it. Nothing leaves here.",
        "",
        f"X-Api-Key: {WRITE_KEY}   ({READ_KEY} may only read)",
        f"groupRef: {' or '.join(GROUPS)}",
        "",
    ]
    for project in PROJECTS:
        lines.append(f"project {project.id} ({project.name})")
        for integration in project.integrations:
            lines.append(f"  integration {integration.id} ({integration.name})")
            lines.append(f"    {', '.join(integration.objects)}")
    lines += [
        "",
        f"operation {FAILED_OPERATION} of project 2234wf failed, with logs",
        "",
        "GET /sandbox/records/{object}[?groupRef=&count=1]   what was written",
        "GET /sandbox/describe/{object}   its fields, as Salesforce describes them",
        "GET /sandbox/requests     every write request received, and its end",
        "GET /sandbox/searches     every search received",
        "GET /sandbox/faults       misbehaviour to ask for",
        "GET /sandbox/sample.csv   a file for recordsURL",
        "POST /sandbox/plan        give a write to come a fault",
        "POST /sandbox/end         end an operation that never ends",
        "POST /sandbox/reset       forget everything",
    ]
    return plain("\n".join(lines) + "\n")


def page(store: Store, request: Request, parts: list[str]) -> Response:
    """A page below /sandbox/."""
    if request.method != "GET":
        raise not_allowed("GET")
    match parts:
        case ["records", name]:
            return _records(store, name, parse_qs(request.query))
        case ["describe", name] if sobject := schema.find(name):
            return answer(describe(sobject))
        case ["requests"]:
            return arrivals.shown(store)
        case ["searches"]:
            return search.shown(store)
        case ["faults"]:
            return answer(faults.FAULTS)
        case ["sample.csv"]:
            return Response(200, SAMPLE.encode(), "text/csv; charset=utf-8")
    raise Problem(404, "The sandbox has no such page.")


def _records(store: Store, name: str, query: dict[str, list[str]]) -> Response:
    where, values = "object = ?", [name.lower()]
    if groups := query.get("groupRef"):
        where, values = f"{where} AND org = ?", [*values, groups[-1]]
    if "count" in query:
        row = store.row(f"SELECT COUNT(*) AS n FROM records WHERE {where}", *values)  # nosec B608 # noqa: S608 - our own condition
        return answer({"count": row["n"] if row else 0})
    rows = store.rows(
        f"SELECT data FROM records WHERE {where} ORDER BY number",  # nosec B608 # noqa: S608 - our own condition
        *values,
    )
    return answer([json.loads(row["data"]) for row in rows])
