"""What a field list that cannot be read says."""

from collections.abc import Sequence

from files.field import Field

# Salesforce allows some 900 fields on an object, and 1,000 values in most picklists.
MOST_FIELDS = 5_000
MOST_VALUES = 20_000
# Of all names, labels and values together.
MOST_CHARACTERS = 4_000_000


class InvalidFields(ValueError):
    """A field list cannot be read; `problems` are sentences, with their line if any."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


def storable(text: str, where: str) -> str:
    """Return the text. Raises `InvalidFields` when a database could not store it."""
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise InvalidFields([f"{where} contains a character that cannot be stored."])
    return text


def first_repeated(names: Sequence[str]) -> int | None:
    """Return the place of the first name that was there before, in any case."""
    seen: set[str] = set()
    for place, name in enumerate(names):
        if name.lower() in seen:
            return place
        seen.add(name.lower())
    return None


def need_no_more(count: int) -> None:
    """Raise `InvalidFields` where there are more fields than an object has."""
    if count > MOST_FIELDS:
        raise InvalidFields([_too_many("fields", MOST_FIELDS)])


def need_size(fields: Sequence[Field]) -> None:
    """Raise `InvalidFields` where values or texts are more than is kept of a list."""
    values = sum(len(field.values) + len(field.references) for field in fields)
    if values > MOST_VALUES:
        raise InvalidFields([_too_many("values of picklists", MOST_VALUES)])
    if sum(map(_characters, fields)) > MOST_CHARACTERS:
        raise InvalidFields([_too_many("characters", MOST_CHARACTERS)])


def _characters(field: Field) -> int:
    texts = (field.name, field.label, field.relationship)
    return sum(map(len, (*texts, *field.values, *field.references)))


def _too_many(what: str, most: int) -> str:
    return (
        f"This has more than {most:,} {what}, which is more than is kept for an "
        "object. The fields were not changed. Remove fields that you do not write."
    )
