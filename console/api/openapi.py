"""The OpenAPI document of the API, from what its addresses declare."""

import re
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern

from console import VERSION
from console.api.endpoint import Endpoint
from console.api.parameters import described
from console.api.problems import PROBLEM
from console.api.problems import SCHEMA as PROBLEM_SCHEMA

_NAMED = re.compile(r"<int:(\w+)>")
_PROBLEMS = {
    "400": "A parameter is wrong or unknown",
    "401": "No token that counts",
    "403": "The token lacks a scope, or its user a role",
    "404": "Not there, or not for this user",
    "429": "Too many requests; Retry-After says for how many seconds",
    "503": "The database or the disk; ask again after Retry-After",
}


def document(base: str, patterns: list[URLPattern]) -> dict[str, Any]:
    """Return the description of the addresses below `base`, for example "/api/v1/"."""
    served = list(_endpoints(patterns))
    tables = {told.table.name: told.table for _, told in served}
    schemas = {name: table.schema() for name, table in sorted(tables.items())}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Write Console",
            "version": VERSION,
            "description": "History and audit, for reading. See docs/api.md.",
        },
        "security": [{"token": []}],
        "paths": {
            base + _NAMED.sub(r"{\1}", str(pattern.pattern)): {
                "get": _operation(pattern, told)
            }
            for pattern, told in served
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {**schemas, "Problem": PROBLEM_SCHEMA},
            "responses": {
                status: {
                    "description": text,
                    "content": {PROBLEM: {"schema": _ref("schemas", "Problem")}},
                }
                for status, text in _PROBLEMS.items()
            },
        },
    }


def _endpoints(patterns: list[URLPattern]) -> Iterator[tuple[URLPattern, Endpoint]]:
    for pattern in patterns:
        if told := getattr(pattern.callback, "endpoint", None):
            yield pattern, told


def _operation(pattern: URLPattern, told: Endpoint) -> dict[str, Any]:
    named = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer", "minimum": 0},
        }
        for name in _NAMED.findall(str(pattern.pattern))
    ]
    refused = {status: _ref("responses", status) for status in _PROBLEMS}
    if not named:
        del refused["404"]
    return {
        "operationId": str(pattern.name),
        "summary": told.summary,
        "description": f"Needs the scope `{told.scope}`.",
        "parameters": [*named, *described(told.query)],
        "responses": {
            "200": {
                "description": told.table.about,
                "content": {"application/json": {"schema": _answer(told)}},
            },
            **refused,
        },
    }


def _answer(told: Endpoint) -> dict[str, Any]:
    row = _ref("schemas", told.table.name)
    if told.is_list:
        return {
            "type": "object",
            "required": ["data", "next"],
            "properties": {
                "data": {"type": "array", "items": row},
                "next": {
                    "type": ["string", "null"],
                    "description": "The address of the next page, null at the end.",
                },
            },
        }
    if not told.more:
        return row
    own = {
        "type": "object",
        "required": list(told.more),
        "properties": told.more,
    }
    return {"allOf": [row, own]}


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}
