"""Reduce Ampersand's OpenAPI documents to the facts that the tests check.

`python scripts/reduce_contract.py FOLDER` writes tests/contract/*.json from the
documents in FOLDER: paths, names, types, required members, enumerations, limits and
status codes of what the console uses. None of their sentences. With `--check` it
writes nothing, and ends with 1 where a file is not what it would write.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "tests" / "contract"

_PROJECT = "/projects/{projectIdOrName}"
_INTEGRATION = f"{_PROJECT}/integrations/{{integrationId}}"
_INSTALLATION = f"{_INTEGRATION}/installations/{{installationId}}"
# What the console uses of each document: method and path.
USED = {
    "write-2024.yaml": (
        ("post", f"{_INTEGRATION}/objects/{{objectName}}"),
        ("get", "/generate-upload-url"),
    ),
    "write-current.json": (("post", f"{_INTEGRATION}/objects/{{objectName}}"),),
    "platform-current.json": (
        ("get", f"{_INTEGRATION}/installations"),
        ("get", f"{_INTEGRATION}/objects/{{objectName}}/metadata"),
        ("get", f"{_INSTALLATION}/operations"),
        ("get", f"{_PROJECT}/operations/{{operationId}}"),
        ("get", f"{_PROJECT}/operations/{{operationId}}/logs"),
        ("get", "/providers/{provider}"),
    ),
}
# What the document of 2024 refers to in a file beside it: today's has it in place.
_PROBLEM_BESIDE = "../problem/problem.yaml#/components/schemas/ApiProblem"
_PROBLEM_INSIDE = "#/components/schemas/ApiProblem"
# Members that say what is allowed; everything else is words.
FACTS = frozenset(
    (
        *("$ref", "additionalProperties", "allOf", "anyOf", "content", "default"),
        *("enum", "exclusiveMaximum", "exclusiveMinimum", "format", "in", "items"),
        *("maxItems", "maxLength", "maximum", "minItems", "minLength", "minimum"),
        *("name", "nullable", "oneOf", "operationId", "parameters", "pattern"),
        *("properties", "requestBody", "required", "responses", "schema", "type"),
        "uniqueItems",
    )
)
# Below these every member is a name and not a word of OpenAPI.
NAMES = frozenset({"properties", "content", "responses"})


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    stale = []
    for name, used in USED.items():
        document = read(options.folder, name)
        text = json.dumps(reduced(document, used), indent=1, sort_keys=True) + "\n"
        path = TARGET / Path(name).with_suffix(".json")
        if options.check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(path.name)
        else:
            TARGET.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for name in stale:
        sys.stdout.write(f"tests/contract/{name} is not what the document says.\n")
    return 1 if stale else 0


def read(folder: Path, name: str) -> dict[str, Any]:
    """Return a document that refers to nothing outside."""
    text = (folder / name).read_text(encoding="utf-8")
    if name.endswith(".json"):
        document: dict[str, Any] = json.loads(text)
        return document
    # Statuses are numbers in YAML, and names in JSON.
    text = json.dumps(yaml.safe_load(text)).replace(_PROBLEM_BESIDE, _PROBLEM_INSIDE)
    document = json.loads(text)
    document["components"]["schemas"]["ApiProblem"] = _problem_of_today(folder)
    return document


def _problem_of_today(folder: Path) -> dict[str, Any]:
    ((method, path),) = USED["write-current.json"]
    operation = read(folder, "write-current.json")["paths"][path][method]
    content = operation["responses"]["default"]["content"]
    schema: dict[str, Any] = content["application/problem+json"]["schema"]
    return schema


def reduced(
    document: dict[str, Any], used: tuple[tuple[str, str], ...]
) -> dict[str, Any]:
    """Return the part of `document` that is used, without its words."""
    paths: dict[str, Any] = {}
    for method, path in used:
        paths.setdefault(path, {})[method] = _facts(document["paths"][path][method])
    schemas: dict[str, Any] = {}
    wanted = _refs(paths)
    while wanted:
        name = wanted.pop()
        if name not in schemas:
            schemas[name] = _facts(document["components"]["schemas"][name])
            wanted |= _refs(schemas[name])
    return {
        "openapi": document["openapi"],
        "info": {"title": "Facts", "version": document["info"]["version"]},
        "servers": [{"url": server["url"]} for server in document["servers"]],
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _facts(value: Any, *, are_names: bool = False) -> Any:
    if isinstance(value, list):
        return [_facts(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {name: each for name, each in value.items() if are_names or name in FACTS}
    facts = {
        name: _facts(each, are_names=name in NAMES and not are_names)
        for name, each in kept.items()
    }
    # OpenAPI asks for a sentence with every answer.
    return {**facts, "description": ""} if _is_answer(value) else facts


def _is_answer(value: dict[str, Any]) -> bool:
    return isinstance(value.get("description"), str) and "content" in value


def _refs(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(_refs, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    found = set().union(*map(_refs, value.values())) if value else set()
    if isinstance(value.get("$ref"), str):
        found.add(value["$ref"].removeprefix("#/components/schemas/"))
    return found


if __name__ == "__main__":
    sys.exit(main())
