"""Text from outside, made fit for every database."""

from typing import Any


def storable(value: Any) -> Any:
    """Return `value` without what a database refuses, however deep it is nested.

    PostgreSQL takes no NUL in text or JSON, and no database takes half of a surrogate
    pair; a hostile answer may hold either. Both become the replacement character.
    """
    if isinstance(value, str):
        clean = value.replace("\0", "\ufffd")
        return clean.encode("utf-8", "replace").decode() if not _whole(clean) else clean
    if isinstance(value, dict):
        return {storable(name): storable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [storable(inner) for inner in value]
    return value


def _whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
