"""Pages with 1,000 and with 100,000 operations: equal queries, time at most 1.5-fold.

Two databases, SQLite's own or on the server that TEST_DATABASE_URL names, and the
console's real settings. A page is drawn in both by turns, so that whatever else the
machine does slows both; the ratio of the medians decides.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import running
import turns
from figures import figure, finish

if TYPE_CHECKING:
    from django.test import Client

SMALL, LARGE = 1_000, 100_000
# Each page is drawn this often in a turn, after once that does not count.
TURNS, RENDERS = 3, 5


def main() -> None:
    """Fill both databases, and measure each page in both."""
    with running.settings() as data, databases(data) as (small, large):
        from django.db import connection

        prefix = "pages_postgresql" if connection.vendor == "postgresql" else "pages"
        for count, name in ((SMALL, small), (LARGE, large)):
            seconds = prepare(name, count)
            figure(f"{prefix}_filling_{count}", seconds, "s")
        for page in pages(SMALL):
            measure(f"{prefix}_{page}", page, small, large)
        compare_logs(prefix, large)
    finish()


@contextmanager
def databases(data: Path) -> Iterator[tuple[str, str]]:
    """Make two empty databases; remove those on a server afterwards."""
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


def prepare(name: str, count: int) -> float:
    """Migrate and fill a database; return how many seconds the filling took."""
    from django.core.management import call_command
    from filling import fill

    from operations.worker.count_days import count_marked, mark_all

    use(name)
    call_command("migrate", verbosity=0)
    start = time.perf_counter()
    fill(count)
    seconds = time.perf_counter() - start
    mark_all()
    count_marked(seconds=math.inf)
    return seconds


def pages(count: int) -> dict[str, str]:
    """Return the address of each page in the database of `count` operations."""
    from django.utils import timezone
    from filling import LONG_AGE

    one = f"/operations/{count - LONG_AGE}/"
    # A whole day, of which both databases hold the whole.
    day = timezone.localdate() - timedelta(days=2)
    return {
        "home": "/",
        "list": "/operations/",
        "list_by_state": "/operations/?status=failed",
        "list_by_states": "/operations/?status=failed&status=rejected",
        "list_by_project": "/operations/?project=1",
        "list_by_environment": "/operations/?environment=sandbox",
        "list_by_customer": "/operations/?group=group-3&status=failed",
        "list_by_object": "/operations/?object=Account&action=upsert",
        "list_by_user": "/operations/?user=operator&source=url",
        "list_by_write": f"/operations/?write={count - LONG_AGE}",
        "list_by_size": "/operations/?rows_min=1000&rows_max=1000",
        "list_with_failures": "/operations/?failures=on",
        "list_undecided": "/operations/?undecided=on",
        "list_of_24h": "/operations/?period=24h",
        "list_by_period": f"/operations/?from={day}&to={day}",
        "report": f"/operations/report/?from={day}&to={day}",
        "list_deep": "/operations/?before=60",
        "list_poll": "/operations/rows/?seen=old",
        "detail": one,
        "detail_poll": f"{one}status/?seen=old",
        "detail_poll_no_news": f"{one}status/?seen=1-4",
        "log": f"{one}logs/",
        "log_older": f"{one}logs/?before=110",
    }


def measure(name: str, page: str, small: str, large: str) -> None:
    """Print the queries and the times of a page in both databases."""
    places = {SMALL: (small, pages(SMALL)[page]), LARGE: (large, pages(LARGE)[page])}
    few, many = (queries(*places[count]) for count in (SMALL, LARGE))
    figure(f"{name}_queries_{SMALL}", few, "queries")
    figure(f"{name}_queries_{LARGE}", many, "queries", exactly=few)
    compare(name, places)


def compare_logs(prefix: str, large: str) -> None:
    """Print how a log of a million entries fares beside one of 1,000."""
    from filling import LONG_AGE, LONG_LOG, LONGEST_AGE, LONGEST_LOG

    ages = {LONG_LOG: LONG_AGE, LONGEST_LOG: LONGEST_AGE}
    for page, rest in {
        "detail": "",
        "log": "logs/",
        "log_older": "logs/?before=110",
        "log_from_level": "logs/?severity=warning-up",
        "log_of_severity": "logs/?severity=ERROR",
        "log_at": "logs/?at=500",
        "log_search": "logs/?q=progress",
    }.items():
        places = {
            length: (large, f"/operations/{LARGE - age}/{rest}")
            for length, age in ages.items()
        }
        name = f"{prefix}_{page}_of_entries"
        few, many = (queries(*place) for place in places.values())
        figure(f"{name}_{LONG_LOG}_queries", few, "queries")
        figure(f"{name}_{LONGEST_LOG}_queries", many, "queries", exactly=few)
        compare(name, places)


def compare(name: str, places: dict[int, tuple[str, str]]) -> None:
    """Print how the times of two places, each a database and an address, compare."""
    draws = {
        count: partial(_draw, signed_in(database), database, address)
        for count, (database, address) in places.items()
    }
    turns.compare(name, draws, turns=TURNS, times=RENDERS)


def _draw(browser: "Client", database: str, address: str) -> None:
    use(database)
    response = browser.get(address)
    assert response.status_code in (200, 204), response


def queries(database: str, address: str) -> int:
    """Return how many queries drawing a page takes."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = signed_in(database)
    browser.get(address)
    with CaptureQueriesContext(connection) as captured:
        browser.get(address)
    return len(captured)


def signed_in(database: str) -> "Client":
    """Return a browser of the operator's, in the database of this name."""
    from django.contrib.auth.models import User
    from django.test import Client

    use(database)
    browser = Client()
    browser.force_login(User.objects.get())
    return browser


if __name__ == "__main__":
    main()
