"""Errors and comparisons over 10,000 and over MANY operations: time at most 1.5-fold.

As `pages.py`, which has the two databases and how they are compared; from 10,000 on a
page counts as many operations as it ever does. The plans of PostgreSQL are printed.
`drilling.py 1000000` takes a million operations.
"""

import sys
from typing import Any

import pages
import running
from figures import figure, finish

FEW, MANY = 10_000, 100_000


def main() -> None:
    """Fill both databases, and measure each page in both."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    with running.settings() as data, pages.databases(data) as names:
        import filling
        from django.db import connection

        # Logs are the concern of `pages.py`.
        filling.LONGEST_LOG = filling.LONG_LOG
        prefix = "drilling"
        if connection.vendor == "postgresql":
            prefix = "drilling_postgresql"
        for count, name in zip((FEW, many), names, strict=True):
            figure(f"{prefix}_filling_{count}", pages.prepare(name, count), "s")
        for page, address in addresses().items():
            places = {
                count: (name, address(count))
                for count, name in zip((FEW, many), names, strict=True)
            }
            few, more = (pages.queries(*place) for place in places.values())
            figure(f"{prefix}_{page}_queries_{many}", more, "queries", exactly=few)
            pages.compare(f"{prefix}_{page}", places)
            print_plans(page, *places[many])
    finish()


def addresses() -> dict[str, Any]:
    """Return how each page is addressed in a database of so many operations."""
    from filling import LONG_AGE

    return {
        "errors": lambda count: "/operations/failures/",
        "errors_of_object": lambda count: "/operations/failures/?object=contact",
        "errors_of_state": lambda count: "/operations/failures/?status=rejected",
        "errors_of_project": lambda count: "/operations/failures/?project=1",
        "error": lambda count: f"/operations/failures/{digest()}/",
        "compare": lambda count: f"/operations/{count - LONG_AGE}/compare/",
        "compared": lambda count: (
            f"/operations/{count - LONG_AGE}/compare/{count - LONG_AGE - 3}/"
        ),
    }


def digest() -> str:
    """Return the error of the newest operation that has one."""
    from operations.models import Failure

    newest = Failure.objects.order_by("-operation").values_list("digest", flat=True)
    return str(newest[0])


def print_plans(page: str, database: str, address: str) -> None:
    """Print where PostgreSQL reads a whole table of operations, logs or errors."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = pages.signed_in(database)
    if connection.vendor != "postgresql":
        return
    with CaptureQueriesContext(connection) as captured:
        browser.get(address)
    large = ("operations_operation", "operations_failure", "operations_logentry")
    for query in [each["sql"] for each in captured.captured_queries]:
        if not query.startswith("SELECT"):
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {query}")
            plan = [row[0] for row in cursor.fetchall()]
        whole = [line for line in plan if "Seq Scan on" in line]
        found = [line for line in whole if any(name in line for name in large)]
        figure(f"plans_{page}_seq_scans", len(found), "scans", exactly=0)
        if found:
            print("\n".join(plan))


if __name__ == "__main__":
    main()
