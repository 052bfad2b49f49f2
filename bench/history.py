"""The history with 10,000 and with 1,000,000 operations: how pages grow, and why not.

On PostgreSQL with as many audit events and more than 10,000,000 log entries; on SQLite
with 100,000 of both and more than 1,000,000 entries. `history.py [MANY [PAGE…]]` takes
another number, and only the pages whose names have one of these words in them.

Every page is drawn by turns in both databases: 40 times each, after those that do not
count. The ratio of the medians decides; p95 is printed beside it. No query of a page
may read a whole large table, and a page takes about as many queries with many rows as
with few. The list is compared with Django admin's, which shows the same rows.
"""

import math
import sys
import time

import drawing
import running
import turns
from figures import figure, finish

FEW = 10_000
MANY = {"postgresql": 1_000_000, "sqlite": 100_000}
TIMES = 14
# So many queries more a page may take, which goes block by block: those of one more.
SPARE = 6
# p95 of a page; and of the list how much of the time of Django admin's.
MOST_MS, OF_ADMIN = 1_000, 0.5
# Those who see one environment, by name. In "test" there is nothing but the oldest.
VIEWERS = {"viewer-sandbox": ["sandbox"], "viewer-test": ["test"]}
VIEWERS["viewer-both"] = ["sandbox", "test"]
ADMIN = "/admin/operations/operation/"


def main() -> None:
    """Fill both databases, and measure each page in both."""
    with running.settings("admin_settings") as data:
        from django.db import connection

        given = sys.argv[1:]
        many = int(given[0]) if given else MANY[connection.vendor]
        prefix = f"history_{connection.vendor}"
        with drawing.databases(data) as names:
            for count, name in zip((FEW, many), names, strict=True):
                fill(prefix, name, count)
            measure(prefix, names, many, given[1:])
    finish()


def fill(prefix: str, name: str, count: int) -> None:
    """Migrate and fill a database, and print how long it took and what it holds."""
    import audit
    import filling
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection

    from console.models import AuditEvent
    from operations.models import LogEntry, Operation
    from operations.worker.count_days import count_marked, mark_all

    drawing.use(name)
    call_command("migrate", verbosity=0)
    start = time.perf_counter()
    filling.fill(count, longest_log=0 if count == FEW else filling.LONGEST_LOG)
    audit.fill(count)
    add_people()
    mark_all()
    count_marked(seconds=math.inf)
    figure(f"{prefix}_filling_{count}", time.perf_counter() - start, "s")
    assert User.objects.count() == 1 + len(VIEWERS)
    for model in (Operation, LogEntry, AuditEvent):
        rows = model._default_manager.count()
        figure(f"{prefix}_{model.__name__.lower()}_rows_{count}", rows, "rows")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            size = cursor.fetchone()[0]
        figure(f"{prefix}_disk_{count}", size / 2**30, "GiB")


def add_people() -> None:
    """Add those who see one environment, and the views of the one who sees all."""
    from django.contrib.auth.models import User
    from history_pages import filters

    from console.models import Grant
    from console.models.grant import give
    from operations.models import SavedView

    for name, environments in VIEWERS.items():
        person = User.objects.create_user(name)
        give(person, dict.fromkeys(environments, Grant.Role.VIEWER))
    owner = User.objects.get(username="operator")
    names = ("states_several", "customer", "object_former", "failures", "rows_unknown")
    for name in (*names, "environment_small", "states_several_former", "period_7d"):
        query = "&".join(
            f"{key}={each}"
            for key, value in filters(FEW)[name].items()
            for each in (value if isinstance(value, list) else [value])
        )
        SavedView.objects.create(owner=owner, name=name, query=query)


def measure(prefix: str, names: tuple[str, str], many: int, wanted: list[str]) -> None:
    """Print what each page takes in both databases."""
    from filling import LONG_AGE, LONG_LOG, LONGEST_AGE, LONGEST_LOG
    from history_pages import logs, pages

    few_name, many_name = names

    def is_wanted(name: str) -> bool:
        return not wanted or any(word in name for word in wanted)

    for name in filter(is_wanted, pages(FEW)):
        places = {
            FEW: (few_name, pages(FEW)[name]),
            many: (many_name, pages(many)[name]),
        }
        compare(f"{prefix}_{name}", places)
    for person in VIEWERS:
        for name, address in {
            "list": "/operations/",
            "list_of_state": "/operations/?status=failed",
            "home": "/",
            "search": "/search/?q=accounts",
            "audit": "/audit/",
        }.items():
            title = f"{person.replace('-', '_')}_{name}"
            if is_wanted(title):
                places = {FEW: (few_name, address), many: (many_name, address)}
                compare(f"{prefix}_{title}", places, user=person)
    for name in logs(many, LONG_AGE):
        if is_wanted(f"entries_{name}"):
            places = {
                LONG_LOG: (many_name, logs(many, LONG_AGE)[name]),
                LONGEST_LOG: (many_name, logs(many, LONGEST_AGE)[name]),
            }
            compare(f"{prefix}_entries_{name}", places)
    if is_wanted("admin"):
        beside_admin(prefix, many_name)


def compare(
    name: str,
    places: dict[int, tuple[str, str]],
    *,
    user: str = "",
    limit: float | None = turns.LIMIT,
) -> None:
    """Print queries, plans and times of a page."""
    from plans import whole_reads

    few, many = (drawing.queries(*place, user=user) for place in places.values())
    figure(f"{name}_queries", len(many), "queries", at_most=len(few) + SPARE)
    # The database of the last one is the one that is used now.
    whole = whole_reads(many)
    figure(f"{name}_whole_tables", len(whole), "plans", exactly=0)
    for plan in whole:
        print("#", plan.replace("\n", "\n#   "), flush=True)
    drawing.compare(name, places, user=user, times=TIMES, most_ms=MOST_MS, limit=limit)


def beside_admin(prefix: str, database: str) -> None:
    """Print how the list compares with that of Django admin over the same rows."""
    from functools import partial
    from statistics import median

    browser = drawing.signed_in(database)
    pages = {"admin": ADMIN, "list": "/operations/"}
    for address in pages.values():
        rows = browser.get(address).text.count("<tr")
        assert rows == 51, (address, rows)
    draws = {
        name: partial(drawing.draw, browser, database, address)
        for name, address in pages.items()
    }
    taken = turns.draw(draws, turns=4, times=10)
    for name, seconds in taken.items():
        figure(f"{prefix}_beside_{name}_median", median(seconds) * 1000, "ms")
        figure(f"{prefix}_beside_{name}_p95", turns.p95(seconds) * 1000, "ms")
    ratio = median(taken["list"]) / median(taken["admin"])
    figure(f"{prefix}_list_of_admin", ratio, "ratio", at_most=OF_ADMIN)


if __name__ == "__main__":
    main()
