"""The grammar of Salesforce's row errors: `CODE:message:Field1,Field2 --`.

It is what failed results hold in `sf__Error` (Bulk API 2.0 guide), as it is seen in the
fixtures of amp-labs/connectors (test/salesforce/bulk): the guide gives no grammar.
Messages hold colons and line breaks themselves, so they are read from both ends.
"""

import re
from typing import NamedTuple

CODE = re.compile(r"[A-Z][A-Z0-9_]{2,60}|[A-Z][A-Za-z]{2,40}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)?")

# What Salesforce says of a key itself. Each begins a message, or follows a label.
_ABOUT_A_VALUE = tuple(
    re.compile(form, re.DOTALL)
    for form in (
        r"Duplicate external id specified: (.*)",
        r"Duplicate id specified: (.*)",
        r".*?: id value of incorrect type: (.*)",
        r".*?: invalid email address: (.*)",
        r".*?: bad value for restricted picklist field: (.*)",
        r".*?: value outside of valid range on numeric field: (.*)",
        r".*?: data value too large: (.*) \(max length=[0-9]+\)",
        r"Failed to deserialize field at col [0-9]+\. Due to, '(.*)' is not a valid "
        r"value for the type xsd:[A-Za-z]+",
    )
)
_ABOUT_THE_KEY = re.compile(r"Duplicate (external )?id specified: ")


class Parts(NamedTuple):
    """An error text taken apart; `code` and `fields` are empty where it names none."""

    code: str
    message: str
    fields: tuple[str, ...] = ()


def take_apart(text: str) -> Parts:
    """Take an error text apart. Any text is taken; without a code it is a message.

    What stands after the last colon is fields only if every part looks like the API
    name of one. Job-level errors read `Code : message`.
    """
    code, colon, rest = text.partition(":")
    code = code.strip()
    if not colon or not CODE.fullmatch(code):
        return Parts("", text.strip())
    rest = rest.strip()
    if not rest.endswith("--"):
        return Parts(code, rest)
    body = rest[:-2].rstrip()
    message, _, names = body.rpartition(":")
    fields = tuple(name.strip() for name in names.split(",")) if names.strip() else ()
    if ":" not in body or not all(_NAME.fullmatch(name) for name in fields):
        return Parts(code, body)
    return Parts(code, message.strip(), fields)


def without_value(message: str, gap: str) -> str:
    """Return a message with `gap` for the value that it is about, in known forms."""
    for form in _ABOUT_A_VALUE:
        if found := form.fullmatch(message):
            return f"{message[: found.start(1)]}{gap}{message[found.end(1) :]}"
    return message


def key_in(text: str, column: str) -> str | None:
    """Return the key that an error text names as the value of the column, or None.

    Only in the forms that Salesforce is known to use: other values in a text, as those
    of other fields or the ids of other records, are no keys of the file.
    """
    _, message, fields = take_apart(text)
    for form in _ABOUT_A_VALUE:
        if not (found := form.fullmatch(message)):
            continue
        about_key = _ABOUT_THE_KEY.match(message)
        if not fields and about_key:
            is_key = about_key[1] is not None or column.casefold() == "id"
        else:
            is_key = [name.casefold() for name in fields] == [column.casefold()]
        return found[1] if is_key else None
    return None
