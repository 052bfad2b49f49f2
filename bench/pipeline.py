"""All that happens to a file of 150 MiB between its upload and the page that shows it.

Inspected, read, mended, checked and cut into parts, as the worker does it: once as a
file that needs nothing, and once in Windows-1252 with CRLF, with columns renamed,
trimmed and turned into dates. Only to be seen: nothing is promised about it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import checking
import memory
import running
from figures import figure, finish

if TYPE_CHECKING:
    from writes.models import Write

SIZE = 150 * checking.MIB


def main() -> None:
    """Print the seconds of each step, and the memory of all."""
    with running.settings():
        import drafting

        integration = drafting.make_workspace()
        write = drafting.draft(integration, plain, checking.KEY)
        memory.forget_peak()
        base = memory.resident()
        tell("pipeline_150mib", drafting.check(write).seconds)
        assert write.is_ready, write.check_report
        assert write.as_sent.name == write.original.name
        figure("pipeline_150mib_parts", len(write.check_report["parts"]), "parts")
        figure("pipeline_150mib_memory", memory.peak() - base, "MiB above base")

        write = drafting.draft(integration, foreign, checking.KEY)
        memory.forget_peak()
        looked = drafting.check(write).seconds
        assert write.inspection["doubts"], "Nobody was asked how to read it."
        agree(write)
        mended = drafting.check(write).seconds
        tell("pipeline_150mib_converted_and_mended", looked | mended)
        assert write.is_ready, write.check_report
        most = memory.peak() - base
        figure("pipeline_150mib_converted_and_mended_memory", most, "MiB above base")
    finish()


def tell(name: str, steps: dict[str, float]) -> None:
    """Print how long each step took, and all of them."""
    for step, seconds in steps.items():
        figure(f"{name}_{step.split()[0].lower()}", seconds, "s")
    figure(name, sum(steps.values()), "s")


def plain(path: Path) -> None:
    """Write a file that is right as it is."""
    checking.write(path, list(checking.FIELDS), size=SIZE)


def foreign(path: Path) -> None:
    """Write the same table in Windows-1252, with CRLF at the ends of all lines."""
    source = path.with_suffix(".utf-8")
    plain(source)
    with source.open("rb") as lines, path.open("wb") as target:
        for line in lines:
            target.write(line.replace(b"our", b"\xf4r").replace(b"\n", b"\r\n"))
    source.unlink()


def agree(write: "Write") -> None:
    """Agree to how the file is read, and have columns renamed and mended."""
    from files.mending import recipes
    from files.mending.recipes import ColumnRecipe, DateConversion, Recipe
    from files.reading.inspection import Inspection

    dates = DateConversion(into="date", format="us")
    columns = {
        "Name": ColumnRecipe("LastName"),
        "Title": ColumnRecipe("Title", trim=True),
        "CloseDate": ColumnRecipe("CloseDate", dates=dates),
    }
    write.change(
        only_from=write.State.DRAFT,
        edition=write.edition + 1,
        reading=Inspection.from_json(write.inspection).suggested.as_json(),
        recipe_json=recipes.as_json(Recipe(columns=columns)),
    )


if __name__ == "__main__":
    main()
