"""The table of docs/permissions.md, and the addresses that the console has."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.urls import URLPattern, URLResolver, get_resolver

from console.access.roles import Role

DOCS = Path(__file__).resolve().parents[1] / "docs" / "permissions.md"


@dataclass(frozen=True)
class Row:
    """One line of the table: what an address is of, and the least role it needs."""

    name: str
    of: str
    needs: dict[str, str]
    stranger: str

    @property
    def least(self) -> list[Role]:
        """The roles that it needs by the methods that it knows."""
        known = (need.upper() for need in self.needs.values())
        return [Role[need] for need in known if need in Role.__members__]


def rows() -> dict[str, Row]:
    """Return the rows of the table by the name of their address."""
    found = re.findall(r"^\| `([\w:*]+)` \|(.*)\|$", DOCS.read_text(), re.MULTILINE)
    made = [_row(name, *map(str.strip, cells.split("|"))) for name, cells in found]
    by_name = {row.name: row for row in made}
    assert len(by_name) == len(made), "docs/permissions.md has two rows for an address."
    return by_name


def _row(name: str, of: str, get: str, post: str, stranger: str) -> Row:
    return Row(name, of, {"GET": get, "POST": post}, stranger)


def every_address() -> Iterator[str]:
    """Yield the name of every address with its namespace; each must have one."""
    yield from _below(get_resolver(), "")


def _below(resolver: URLResolver, prefix: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from _below(pattern, inner)
        elif isinstance(pattern, URLPattern):
            assert pattern.name, f"{pattern} needs a name."
            yield prefix + pattern.name


def amiss() -> list[str]:
    """Return which addresses have no row, and which rows no address."""
    known, told = set(every_address()), set(rows())
    return [
        *(f"{name} has no row in docs/permissions.md" for name in sorted(known - told)),
        *(f"{name} has a row and no address" for name in sorted(told - known)),
    ]
