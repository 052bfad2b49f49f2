"""The table at the end: our two paths and what people use instead, for one file."""

from collections.abc import Mapping, Sequence

OURS = "check_150mib_25_columns"
HEAD = ("150 MiB, 25 columns", "seconds", "processor", "x SHA-256", "MiB", "faults")


def table(lines: Sequence[str]) -> list[str]:
    """Return the lines of a table made from lines of figures, [] where none fits.

    The least processor time comes first: other work on the machine hardly changes it.
    """
    values = {}
    for line in lines:
        _, name, value, *_ = line.split()
        values[name] = float(value)
    rows = [*_ours(values), *_others(values)]
    rows.sort(key=lambda row: row[2] or 0)
    return [_line(HEAD), *(_line(row) for row in rows)] if rows else []


Row = tuple[str, float, float | None, float | None, float | None, float | None]


def _ours(values: Mapping[str, float]) -> list[Row]:
    names = {path: f"{OURS}_{path}" for path in ("fast", "exact")}
    return [
        _row(
            values,
            f"console_{path}",
            seconds=f"{name}_process",
            processor=f"{name}_processor",
            sha256=f"{OURS}_sha256",
            memory=f"{name}_peak",
        )
        for path, name in names.items()
        if f"{name}_process" in values
    ]


def _others(values: Mapping[str, float]) -> list[Row]:
    begins, ends = "other_", "_150mib_processor"
    names = [name for name in values if name.startswith(begins) and name.endswith(ends)]
    tools = [name.removeprefix(begins).removesuffix(ends) for name in names]
    return [
        _row(
            values,
            tool,
            seconds=f"other_{tool}_150mib",
            processor=f"{begins}{tool}{ends}",
            sha256="other_sha256_150mib",
            memory=f"other_{tool}_150mib_memory",
        )
        for tool in tools
    ]


def _row(values: Mapping[str, float], tool: str, **names: str) -> Row:
    """Return what the table has of one tool: `names` are those of its figures."""
    seconds, sha256 = values[names["seconds"]], values.get(names["sha256"])
    return (
        tool,
        seconds,
        values.get(names["processor"]),
        seconds * 1000 / sha256 if sha256 else None,
        values.get(names["memory"]),
        values.get(f"faults_told_by_{tool}"),
    )


def _line(cells: Sequence[str | float | None]) -> str:
    first, *rest = cells
    return f"{first:<22}" + "".join(f"{_shown(cell):>12}" for cell in rest)


def _shown(cell: str | float | None) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    return f"{cell:.2f}" if cell < 10 and cell % 1 else f"{cell:.0f}"
