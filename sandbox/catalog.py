"""What exists from the start: projects, integrations, customers, writable objects."""

import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sandbox.web import BadRequest, Problem

CREATED = "2024-03-20T09:00:00.000000Z"
"""When everything in the catalog was made."""

GROUPS = ("demo-group-id", "sample-org-id")
"""The customers (groupRef) who have installed every integration."""

DELETABLE = {"demo-group-id": ("contact", "lead", "touchpoints__c", "contacts")}
"""The objects whose records may be deleted, by the group that allowed it."""

WRITE_KEY = "SANDBOX-KEY"
READ_KEY = "SANDBOX-READONLY"
"""Keys that may do everything, and everything except write."""

FAILED_OPERATION = "5e4f06ca-445f-43ea-943e-78465ee1bb7a"
"""The operation that the Write Actions page asks for."""


@dataclass(frozen=True, slots=True)
class Integration:
    """An integration; `manifest` is the name of its entry in amp.yaml."""

    id: str
    project: str
    name: str
    manifest: str

    @property
    def content(self) -> dict[str, Any]:
        """Its entry in amp.yaml."""
        return _manifest()[self.manifest]

    @property
    def objects(self) -> list[str]:
        """The objects that can be written."""
        return [entry["objectName"] for entry in self.content["write"]["objects"]]

    def as_json(self) -> dict[str, Any]:
        """Ampersand's shape of an integration."""
        return {
            "id": self.id,
            "projectId": self.project,
            "name": self.name,
            "provider": self.content["provider"],
            "createTime": CREATED,
            "latestRevision": {
                "id": known_uuid("revision", self.id),
                "specVersion": "1.0.0",
                "createTime": CREATED,
                "content": self.content,
            },
        }


@dataclass(frozen=True, slots=True)
class Project:
    """A project; the API takes its id or its name. `generation` is what it speaks."""

    id: str
    name: str
    integrations: tuple[Integration, ...]
    generation: str = "A"

    def as_json(self) -> dict[str, Any]:
        """Ampersand's shape of a project."""
        return {
            "id": self.id,
            "name": self.name,
            "appName": self.name,
            "orgId": known_uuid("organisation"),
            "createTime": CREATED,
        }


def _project(
    id_: str, name: str, integration: tuple[str, str, str], generation: str = "A"
) -> Project:
    integration_id, integration_name, manifest = integration
    only = Integration(integration_id, id_, integration_name, manifest)
    return Project(id_, name, (only,), generation)


def known_uuid(*names: str) -> str:
    """The same UUID for the same names, for ids nobody chose."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(("sandbox", *names))))


# The first two are the ids printed on Ampersand's Write Actions page.
PROJECTS = (
    _project(
        "66438162-5299-4669-a41d-85c5a3b1a83e",
        "write-actions-single",
        ("113e9685-9a51-42cc-8662-9d9725b17f14", "write-actions", "write-actions"),
    ),
    _project("2234wf", "write-actions-bulk", ("23rsdf32", "bulk", "write-actions")),
    _project(
        "demo",
        "Demo",
        (known_uuid("demo", "salesforce"), "salesforce", "salesforce"),
    ),
    _project(
        "demo-b",
        "Demo-B",
        (known_uuid("demo-b", "salesforce"), "salesforce", "salesforce"),
        generation="B",
    ),
    _project(
        "demo-c",
        "Demo-C",
        (known_uuid("demo-c", "salesforce"), "salesforce", "today"),
        generation="C",
    ),
    _project(
        "demo-c-hubspot",
        "Demo-C-HubSpot",
        (known_uuid("demo-c-hubspot", "hubspot"), "hubspot", "hubspot"),
        generation="C",
    ),
)


@cache
def _manifest() -> dict[str, dict[str, Any]]:
    text = Path(__file__).with_name("amp.yaml").read_text(encoding="utf-8")
    return {entry["name"]: entry for entry in yaml.safe_load(text)["integrations"]}


def installation_id(integration: Integration, group: str) -> str:
    """The id of a customer's installation."""
    return known_uuid("installation", integration.id, group)


def find_project(name: str) -> Project:
    """The project of that id or name, exactly as spelled."""
    for project in PROJECTS:
        if name in (project.id, project.name):
            return project
    raise Problem(
        404,
        "Project not found for the given project ID or name.",
        remedy="Verify the project ID is correct.",
    )


def find_integration(project: Project, name: str) -> Integration:
    """The integration of that id or name, exactly as spelled."""
    for integration in project.integrations:
        if name in (integration.id, integration.name):
            return integration
    raise Problem(
        404,
        "Integration not found for the given integration ID or name.",
        remedy="Verify the integration ID and project are correct.",
    )


def check_group(group: str) -> None:
    """Refuse a groupRef without an installation, in Ampersand's own words."""
    if group not in GROUPS:
        raise Problem(
            404,
            "error finding installations: record not found",
            remedy="Verify the groupRef, and that the customer installed the"
            " integration.",
        )


def check_deletion(group: str, name: str) -> None:
    """Refuse a deletion that the customer's installation does not allow."""
    if name not in DELETABLE.get(group, ()):
        raise BadRequest(f"deletion is not enabled for object '{name}'")


def check_object(integration: Integration, name: str) -> None:
    """Refuse an object that amp.yaml does not list; it is spelled as listed there."""
    if name not in integration.objects:
        raise Problem(
            404,
            f"Object '{name}' is not in the write section of the integration's"
            " manifest.",
            remedy="Add the object to write.objects in amp.yaml and deploy it.",
        )
