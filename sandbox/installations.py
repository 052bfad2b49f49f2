"""The installations of an integration: who installed it, and what may be written.

Shaped like "listInstallations" of Ampersand's API, with the secrets that a connection
may hold: nobody who asks may keep them.
"""

from typing import Any

from sandbox.catalog import (
    CREATED,
    DELETABLE,
    GROUPS,
    Integration,
    Project,
    installation_id,
    known_uuid,
)
from sandbox.field_settings import of_object
from sandbox.store import Store

NAMES = {
    "demo-group-id": "Demo customer",
    "sample-org-id": "Sample customer",
    "stale-org-id": "Stale customer",
}
# Their connection works no more, and nothing can be written through it.
UNHEALTHY = frozenset({"stale-org-id"})
TOKEN = "00D-sandbox-access-token"  # nosec B105 # noqa: S105 - opens nothing


def of_integration(
    store: Store, project: Project, integration: Integration, group_ref: str
) -> list[dict[str, Any]]:
    """Every installation, or the one of `group_ref` where that is given."""
    return [
        _installation(store, project, integration, group)
        for group in (*GROUPS, *UNHEALTHY)
        if group_ref in ("", group)
    ]


def _installation(
    store: Store, project: Project, integration: Integration, group: str
) -> dict[str, Any]:
    last = store.row(
        "SELECT status FROM operations WHERE integration = ? AND org = ?"
        " ORDER BY created DESC, rowid DESC",
        *(integration.id, group),
    )
    told = {"lastOperationStatus": last["status"]} if last else {}
    is_healthy = group not in UNHEALTHY
    return {
        "id": installation_id(integration, group),
        "projectId": project.id,
        "integrationId": integration.id,
        "healthStatus": "healthy" if is_healthy else "unhealthy",
        "createdBy": "sandbox",
        "createTime": CREATED,
        "group": _group(project, group),
        "connection": {
            "id": known_uuid("connection", integration.id, group),
            "projectId": project.id,
            "provider": integration.content["provider"],
            "authScheme": "oauth2/authorizationCode",
            "status": "working" if is_healthy else "bad_credentials",
            "createTime": CREATED,
            "group": _group(project, group),
            "consumer": {
                "consumerName": "Somebody",
                "consumerRef": "somebody",
                "createTime": CREATED,
                "projectId": project.id,
            },
            "oauth2AuthorizationCode": {"accessToken": {"token": TOKEN}},
        },
        "config": {
            "id": known_uuid("config", integration.id, group),
            "revisionId": known_uuid("revision", integration.id),
            "createdBy": "sandbox",
            "createTime": CREATED,
            "content": {
                "provider": integration.content["provider"],
                "write": {
                    "objects": {
                        name: {
                            "objectName": name,
                            "deletionSettings": {
                                "enabled": name in DELETABLE.get(group, ())
                            },
                            "selectedFieldSettings": of_object(group, name),
                        }
                        for name in integration.objects
                    }
                },
            },
        },
        **told,
    }


def _group(project: Project, group: str) -> dict[str, str]:
    return {
        "groupRef": group,
        "groupName": NAMES[group],
        "projectId": project.id,
        "createTime": CREATED,
    }
