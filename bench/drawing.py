"""Pages in databases: where they are, how they are drawn, and by how many queries."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import turns

if TYPE_CHECKING:
    from django.test import Client

# A query and its parameters.
Query = tuple[str, Any]

# Each page is drawn this often in a turn, after once that does not count.
TURNS, DRAWS = 3, 5


@contextmanager
def databases(data: Path) -> Iterator[tuple[str, str]]:
    """Make two empty databases, SQLite's or on the server; remove those on a server."""
    from django.db import connection

    names = ("bench_small", "bench_large")
    if connection.vendor == "sqlite":
        yield (str(data / names[0]), str(data / names[1]))
        return
    server = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"CREATE DATABASE {name}")
    try:
        yield names
    finally:
        use(server)
        with connection.cursor() as cursor:
            for name in names:
                cursor.execute(f"DROP DATABASE {name}")


def use(name: str) -> None:
    """Have everything from now on read and write the database of this name."""
    from django.db import connection

    if connection.settings_dict["NAME"] != name:
        connection.close()
        connection.settings_dict["NAME"] = name


def compare(
    name: str,
    places: Mapping[int, tuple[str, str]],
    *,
    user: str = "",
    times: int = DRAWS,
    most_ms: float | None = None,
    limit: float | None = turns.LIMIT,
) -> None:
    """Print how the times of two places, each a database and an address, compare."""
    draws = {
        count: partial(draw, signed_in(database, user), database, address)
        for count, (database, address) in places.items()
    }
    turns.compare(name, draws, turns=TURNS, times=times, most_ms=most_ms, limit=limit)


def draw(browser: "Client", database: str, address: str) -> None:
    """Draw the page of an address in a database."""
    use(database)
    response = browser.get(address)
    assert response.status_code in (200, 204), (address, response)


def queries(database: str, address: str, *, user: str = "") -> list[Query]:
    """Return the queries that drawing a page takes, with their parameters.

    Apart, since SQLite takes a partial index for what is written into a query alone.
    """
    from django.db import connection

    found: list[Query] = []

    def note(execute: Any, sql: str, params: Any, *rest: Any) -> Any:
        found.append((sql, params))
        return execute(sql, params, *rest)

    browser = signed_in(database, user)
    browser.get(address)
    with connection.execute_wrapper(note):
        browser.get(address)
    return found


def signed_in(database: str, user: str = "") -> "Client":
    """Return a browser of a user, the first of all unless it is named."""
    from django.contrib.auth.models import User
    from django.test import Client

    use(database)
    people = User.objects.order_by("pk")
    browser = Client()
    browser.force_login(people.get(username=user) if user else people[0])
    return browser
