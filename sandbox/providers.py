"""What Ampersand can do with a provider, as "getProvider" tells it."""

from typing import Any

from sandbox.web import Problem

# By name: what people call it, its default module, and how many records a batch takes.
_KNOWN = {
    "salesforce": ("Salesforce", "crm", 100),
    "hubspot": ("HubSpot", "CRM", 100),
    "pipedrive": ("Pipedrive", "", 0),
}


def provider(name: str) -> dict[str, Any]:
    """A provider in Ampersand's shape."""
    if name not in _KNOWN:
        raise Problem(404, "Provider not found.", remedy="Verify the provider's name.")
    label, module, most = _KNOWN[name]
    told = {
        "name": name,
        "displayName": label,
        "authType": "oauth2",
        "baseURL": f"https://{name}.invalid",
        "defaultModule": module,
        "support": _support(0),
    }
    if module:
        told["modules"] = {
            module: {
                "displayName": label,
                "baseURL": told["baseURL"],
                "support": _support(most),
            }
        }
    return told


def _support(most: int) -> dict[str, Any]:
    bulk = {"insert": False, "update": False, "upsert": False, "delete": False}
    support: dict[str, Any] = {
        "bulkWrite": bulk,
        "proxy": True,
        "read": True,
        "subscribe": False,
        "write": True,
        "delete": most > 0,
        "search": {"operators": {"equals": most > 0}},
    }
    if most:
        taken = {"supported": True, "defaultRecordLimit": most}
        support["batchWrite"] = {
            "create": taken,
            "update": taken,
            "upsert": {"supported": False},
            "delete": {"supported": False},
        }
    return support
