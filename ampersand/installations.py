"""Who installed an integration: asked for and read without any secret.

Source: "listInstallations" of Ampersand's OpenAPI document of August 2026. An
installation's connection may hold API keys and OAuth tokens of the customer. Nothing
of it is kept but its provider and status, and no error carries the answer's text.
"""

from dataclasses import dataclass, field
from typing import Any

from ampersand.answers import Answer, success_of_read
from ampersand.building import integration_url
from ampersand.errors import OutcomeUnknown
from ampersand.schemas import Request, dict_or_empty, text_of


@dataclass(frozen=True, kw_only=True)
class FieldSetting:
    """What an installation does with a field of its own accord.

    `create` is "always" or "never", `update` besides "ifEmpty": whether Ampersand
    writes the field then. `default` is the value where none is given, "" for none.
    """

    create: str = "always"
    update: str = "always"
    default: str = ""


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A customer's installation of an integration.

    `health` is "healthy", "unhealthy" or another word, and so is `connection_status`:
    "working", "bad_credentials". `provider` is Ampersand's word for the SaaS, as
    "hubspot", "" where it was not told. `last_operation` is the status of the last one,
    "" where there was none. `objects` are those that may be written, by name, each with
    whether its records may be deleted; `settings` are those of their fields, by name,
    without those that change nothing.
    """

    id: str
    group_ref: str
    group_name: str
    health: str
    connection_status: str
    last_operation: str
    provider: str = ""
    objects: dict[str, bool] = field(default_factory=dict)
    settings: dict[str, dict[str, FieldSetting]] = field(default_factory=dict)


def list_installations(base_url: str, *, project: str, integration: str) -> Request:
    """Build the question for all. Raises: RequestInvalid for a blank part."""
    url = integration_url(base_url, project, integration)
    return Request(action="read", method="GET", url=f"{url}/installations")


def read_installations(answer: Answer) -> tuple[Installation, ...]:
    """Read the list, without those that name no group.

    Raises: Refused for any status but 2xx; OutcomeUnknown for an unreadable answer.
    """
    body = success_of_read(answer, is_secret=True)
    if not isinstance(body, list):
        raise OutcomeUnknown("The answer is not a list of installations")
    found = (_installation(dict_or_empty(each)) for each in body)
    return tuple(each for each in found if each.group_ref)


def _installation(raw: dict[str, Any]) -> Installation:
    connection = dict_or_empty(raw.get("connection"))
    group = dict_or_empty(raw.get("group")) or dict_or_empty(connection.get("group"))
    content = dict_or_empty(dict_or_empty(raw.get("config")).get("content"))
    objects = dict_or_empty(dict_or_empty(content.get("write")).get("objects"))
    return Installation(
        id=text_of(raw.get("id")) or "",
        group_ref=text_of(group.get("groupRef")) or "",
        group_name=text_of(group.get("groupName")) or "",
        health=text_of(raw.get("healthStatus")) or "",
        connection_status=text_of(connection.get("status")) or "",
        last_operation=text_of(raw.get("lastOperationStatus")) or "",
        provider=text_of(connection.get("provider") or content.get("provider")) or "",
        objects={name: _is_deletable(each) for name, each in objects.items()},
        settings={
            name: found for name, each in objects.items() if (found := _settings(each))
        },
    )


def _settings(raw: object) -> dict[str, FieldSetting]:
    fields = dict_or_empty(dict_or_empty(raw).get("selectedFieldSettings"))
    found = {name: _setting(dict_or_empty(each)) for name, each in fields.items()}
    return {name: each for name, each in found.items() if each != FieldSetting()}


def _setting(raw: dict[str, Any]) -> FieldSetting:
    default = dict_or_empty(raw.get("default"))
    names = ("stringValue", "integerValue", "booleanValue")
    values = (text_of(default.get(name)) for name in names)
    return FieldSetting(
        create=text_of(raw.get("writeOnCreate")) or "always",
        update=text_of(raw.get("writeOnUpdate")) or "always",
        default=next(filter(None, values), ""),
    )


def _is_deletable(raw: object) -> bool:
    settings = dict_or_empty(dict_or_empty(raw).get("deletionSettings"))
    return settings.get("enabled") is True
