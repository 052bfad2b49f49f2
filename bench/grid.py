"""The grid of a draft of 1,000,000 rows, beside one of 100,000.

Both files are checked as operators have them checked; a row in 100 has an error. The
pages and the edits come from the views themselves, drawn in both by turns. No worker
runs: an edit has the file checked anew, and does not wait for that.
"""

import time
from collections.abc import Callable
from functools import partial
from itertools import count as numbers
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import drawing
import running
import turns
from figures import figure, finish

if TYPE_CHECKING:
    from django.test import Client

    from writes.models import Write

SMALL, LARGE = 100_000, 1_000_000
COLUMNS = 12
ERROR_EVERY = 100
VALUE = "Some value 12"
KEY = "external_id__c"
# Bytes, and milliseconds of the processor.
LARGEST_PAGE, LONGEST = 60_000, 300
DRAWS = 7


def main() -> None:
    """Make both drafts, and measure each page and an edit in both."""
    with running.settings():
        import drafting
        from django.db import connection

        integration = drafting.make_workspace()
        drafts = {}
        for count in (SMALL, LARGE):
            write = drafting.draft(integration, partial(fill, count=count), KEY)
            steps = drafting.check(write)
            assert write.check_report["groups"][0]["total"] == count // ERROR_EVERY
            figure(f"grid_checking_{count}", sum(steps.seconds.values()), "s")
            figure(f"grid_indexing_{count}", steps.seconds["Indexing"], "s")
            size = write.path_of("row_index").stat().st_size
            figure(f"grid_index_{count}", size / 2**20, "MiB")
            drafts[count] = write
        database = str(connection.settings_dict["NAME"])
        browser = drawing.signed_in(database)
        edits = {count: editing(browser, write) for count, write in drafts.items()}
        for page in addresses(SMALL):
            compare(page, database, browser, drafts)
        turns.compare("grid_edit", edits, turns=3, times=5)
        processor("grid_edit", edits[LARGE])
        # Rows that were edited have more to be said of them.
        compare("deep", database, browser, drafts, when="_after_edits")
    finish()


def compare(
    page: str,
    database: str,
    browser: "Client",
    drafts: dict[int, "Write"],
    *,
    when: str = "",
) -> None:
    """Print size, queries and times of a page."""
    places = {
        count: (database, f"/writes/{write.pk}/grid/{addresses(count)[page]}")
        for count, write in drafts.items()
    }
    name = f"grid_{page}{when}"
    sizes = [len(browser.get(address).content) for _, address in places.values()]
    figure(f"{name}_size", max(sizes), "bytes", at_most=LARGEST_PAGE)
    few, many = (len(drawing.queries(*place)) for place in places.values())
    figure(f"{name}_queries", many, "queries", exactly=few)
    drawing.compare(name, places)
    processor(name, partial(browser.get, places[LARGE][1]))


def processor(name: str, draw: Callable[[], object]) -> None:
    """Print how long the processor is busy with a page, whatever else it does."""
    taken = []
    for _ in range(DRAWS):
        start = time.process_time()
        draw()
        taken.append(time.process_time() - start)
    figure(f"{name}_processor", median(taken) * 1000, "ms", at_most=LONGEST)


def addresses(count: int) -> dict[str, str]:
    """Return what follows the address of the grid for each page that is measured."""
    middle = count // 2
    return {
        "first": "",
        "deep": f"?after={middle}",
        "back_from_deep": f"?before={middle}",
        "last": f"?row={count}",
        "errors": "?show=errors",
        "errors_deep": f"?show=errors&after={middle}",
        "row": f"{middle}/",
    }


def editing(browser: "Client", write: "Write") -> Callable[[], None]:
    """Return what edits a cell in the middle of the file, to another text each time."""
    row = (write.row_count or 0) // 2 + 7
    form = {"row": row, "place": 3, "reading": "{}"}
    text = VALUE
    texts = (f"Edited {number}" for number in numbers())

    def edit() -> None:
        nonlocal text
        new = next(texts)
        typed = form | {"was": text, "cell": new}
        answer = browser.post(f"/writes/{write.pk}/grid/cell/", typed)
        assert answer.status_code == 200, answer.status_code
        text = new

    return edit


def fill(path: Path, count: int) -> None:
    """Write a file of so many rows; every so many have no key."""
    names = [KEY, *(f"field_{n}__c" for n in range(1, COLUMNS))]
    rest = f",{VALUE}" * (COLUMNS - 1)
    with path.open("w") as file:
        file.write(",".join(names) + "\n")
        for number in range(1, count + 1):
            key = f"key-{number:07}" if number % ERROR_EVERY else ""
            file.write(f"{key}{rest}\n")


if __name__ == "__main__":
    main()
