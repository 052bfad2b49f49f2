"""Which field each column of a file seems to be meant for."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from files.field import Field
from files.mending.recipes import column_names


def suggest(header: Sequence[str], fields: Sequence[Field]) -> dict[str, str]:
    """Return the names of fields that columns with other names could be sent as.

    The columns are named as `column_names` does. Names are compared without case, then
    with labels, then by letters and digits only and without Salesforce's "__c". Only
    what is unambiguous is suggested: no field is suggested twice or beside a column
    that has its name already, and none that Salesforce refuses to write.
    """
    writable = [field for field in fields if not field.is_read_only]
    names = {field.name for field in fields}
    taken = names.intersection(header)
    settled = {name for name in header if name in names or _is_related(name, fields)}
    suggestions: dict[str, str] = {}
    for keys_of_column, keys_of_field in _WAYS:
        columns = [n for n in header if n not in settled]
        wanted = Counter(keys_of_column(name) for name in columns)
        offered = _by_key(writable, keys_of_field)
        for name, address in zip(header, column_names(header), strict=True):
            key = keys_of_column(name)
            found = offered.get(key)
            if name in settled or not key or found is None:
                continue
            settled.add(name)
            one = next(iter(found)) if len(found) == 1 else ""
            if one and one not in taken and wanted[key] == 1:
                suggestions[address] = one
            # A field that two columns could be is for a person to decide.
            taken |= found
    return suggestions


def _by_key(
    fields: Iterable[Field], keys: Callable[[Field], Iterable[str]]
) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for field in fields:
        for key in keys(field):
            found.setdefault(key, set()).add(field.name)
    return found


def _is_related(name: str, fields: Sequence[Field]) -> bool:
    """Whether it is a relationship column, as "Account.Email" or "Lead:Who.Email"."""
    path, dot, _ = name.partition(".")
    relationship = path.rpartition(":")[2].casefold()
    names = {field.relationship.casefold() for field in fields if field.relationship}
    return bool(dot) and relationship in names


def _folded(text: str) -> str:
    return text.strip().casefold()


def _letters(text: str) -> str:
    folded = _folded(text).removesuffix("__c")
    return "".join(char for char in folded if char.isalnum())


_Way = tuple[Callable[[str], str], Callable[[Field], Iterable[str]]]
_WAYS: tuple[_Way, ...] = (
    (_folded, lambda field: [_folded(field.name)]),
    (_folded, lambda field: [_folded(field.label)]),
    (_letters, lambda field: [_letters(field.name), _letters(field.label)]),
)
