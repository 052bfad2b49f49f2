"""The search by each kind, over few and over many operations, with the query plans.

`searching.py [MANY]`: 1,000,000 on PostgreSQL and 100,000 on SQLite unless it is given.
Each has a file name, digests, three values of a record, a reason, ids. No plan may read
a whole large table, but for text, which reads the newest operations alone.
"""

import re
import sys

import pages
import running
from figures import figure, finish

FEW = 10_000
TURNS, TIMES = 3, 5
# Small whatever the installation: people, projects and customers.
SMALL_TABLES = ("auth_user", "console_")


def main() -> None:
    """Fill both databases, and search each by each kind."""
    with running.settings() as data, pages.databases(data) as (few, many):
        import filling
        from django.db import connection

        on_postgres = connection.vendor == "postgresql"
        given = int(sys.argv[1]) if len(sys.argv) > 1 else 0
        count = given or (1_000_000 if on_postgres else 100_000)
        prefix = "search_postgresql" if on_postgres else "search"
        # Logs are no part of the search.
        filling._entries = lambda count, operations: iter(())  # type: ignore[assignment] # noqa: SLF001
        for database, size in ((few, FEW), (many, count)):
            figure(f"{prefix}_filling_{size}", pages.prepare(database, size), "s")
            _add_terms()
        _disk(prefix, count)
        for name in _searches(FEW):
            both = {
                size: (database, f"/search/?q={_searches(size)[name]}")
                for database, size in ((few, FEW), (many, count))
            }
            _plans(f"{prefix}_{name}", *both[count])
            pages.compare(f"{prefix}_{name}", both)
    finish()


def _searches(count: int) -> dict[str, str]:
    """Return what is looked for of each kind, in a database of `count` operations."""
    pk = count // 3
    return {
        "number": f"%23{pk}",
        "remote_id": f"remote-{count}",
        "record_id": f"003{pk:015}",
        "request_id": f"req-{pk}",
        "digest": f"{pk:08x}",
        "customer": "Customer 7",
        "value": f"value {pk}",
        "common_value": "berlin",
        "file_word": f"{pk}x",
        "file_common": "accounts",
        "file_two_words": f"accounts {pk}x",
        "file_beginning": "acc",
        "text_common": "rows were not",
        "text_nowhere": "no such text",
        "nothing": "nothing-has-this",
    }


def _add_terms() -> None:
    """Give each operation ids, a reason, and what its write is found by."""
    from django.db import connection
    from filling import tidy

    from writes.search.terms import digests_of

    berlin = digests_of("berlin")[0]
    on_postgres = connection.vendor == "postgresql"
    padded = "lpad(id::text, 15, '0')" if on_postgres else "printf('%015d', id)"
    as_hex = "lpad(to_hex(id), 8, '0')" if on_postgres else "printf('%08x', id)"
    # The environment of the first project is another one.
    environment = (
        "(SELECT environment FROM console_project p JOIN console_integration i "
        "ON i.project_id = p.id WHERE i.id = integration_id)"
    )
    name = "'accounts_march_' || id || 'x.csv'"
    terms = {
        1: [name, "'accounts'", "'march'", "id || 'x'"],
        2: [f"{as_hex} || '{'0' * 24}'", f"'f' || {as_hex} || '{'0' * 23}'"],
        3: [f"'{berlin}'"],
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE operations_operation SET record_id = '003' || {padded}, "  # noqa: S608 - our own words
            "request_id = 'req-' || id, purpose = 'Ticket OPS-' || id"
        )
        cursor.execute(
            "UPDATE writes_write SET file_name = 'accounts_march_' || id || 'x.csv'"
        )
        for kind, texts in terms.items():
            for text in texts:
                cursor.execute(
                    "INSERT INTO writes_searchterm "  # noqa: S608 - our own words
                    "(write_id, environment, kind, text, confirmed_at) "
                    f"SELECT id, {environment}, {kind}, {text}, created_at "
                    "FROM writes_write"
                )
    from writes.models import SearchTerm, Write

    third = Write.objects.count() // 3
    write = Write.objects.select_related("integration__project").get(pk=third)
    SearchTerm.objects.create(
        write=write,
        environment=write.project.environment,
        kind=3,
        text=digests_of(f"value {third}")[0],
    )
    tidy()


def _disk(prefix: str, count: int) -> None:
    """Print what the terms take on the disk of a server, for each write."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size('writes_searchterm')")
        figure(f"{prefix}_terms_per_write", cursor.fetchone()[0] / count, "bytes")


def _plans(name: str, database: str, address: str) -> None:
    """Print how many plans of a search read a whole large table: none may."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = pages.signed_in(database)
    with CaptureQueriesContext(connection) as captured:
        page = browser.get(address)
    assert page.status_code == 200
    figure(f"{name}_queries", len(captured), "queries")
    figure(f"{name}_found", page.text.count("row-title"), "hits")
    whole = []
    is_sqlite = connection.vendor == "sqlite"
    explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
    with connection.cursor() as cursor:
        for query in captured.captured_queries:
            if not query["sql"].startswith("SELECT"):
                continue
            explain = (
                "EXPLAIN "
                if connection.vendor == "postgresql"
                else "EXPLAIN QUERY PLAN "
            )
            cursor.execute(explain + query["sql"])
            lines = [str(row[-1]) for row in cursor.fetchall()]
            found = [line for line in lines if _reads_all(line)]
            if found:
                whole.append((query["sql"], lines))
    for sql, lines in whole:
        print("#", sql[:600], *lines, sep="\n#   ")
    figure(f"{name}_whole_tables", len(whole), "plans", exactly=0)


def _reads_all(line: str) -> bool:
    match = re.search(r"Seq Scan on (\S+)|SCAN (\S+)(?! USING)", line)
    table = (match[1] or match[2]) if match else ""
    return bool(table) and not table.strip('"').startswith((*SMALL_TABLES, "("))


if __name__ == "__main__":
    main()
