"""What a field list that cannot be read says."""

from collections.abc import Sequence


class InvalidFields(ValueError):
    """A field list cannot be read; `problems` are sentences, with their line if any."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


def storable(text: str, where: str) -> str:
    """Return the text. Raises `InvalidFields` when a database could not store it."""
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise InvalidFields([f"{where} holds a character that cannot be stored."])
    return text


def first_repeated(names: Sequence[str]) -> int | None:
    """Return the place of the first name that was there before, in any case."""
    seen: set[str] = set()
    for place, name in enumerate(names):
        if name.lower() in seen:
            return place
        seen.add(name.lower())
    return None
