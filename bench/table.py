"""The table at the end: our two paths and what people use instead, for one file."""

from collections.abc import Sequence

FILE = "check_150mib_25_columns"
HEAD = ("150 MiB, 25 columns", "seconds", "x SHA-256", "peak MiB", "faults told")


def table(lines: Sequence[str]) -> list[str]:
    """Return the lines of a table made from lines of figures, [] where none fits."""
    values, units = {}, {}
    for line in lines:
        _, name, value, *unit = line.split()
        values[name], units[name] = float(value), unit[0]
    rows = []
    for name, seconds, sha, memory in _runs(values):
        told = values.get(f"faults_told_by_{name}")
        unit = units.get(f"faults_told_by_{name}", "").replace("_", " ")
        rows.append(
            (
                name,
                f"{seconds:.2f}",
                f"{seconds / sha:.1f}",
                "-" if memory is None else f"{memory:.0f}",
                "-" if told is None else f"{told:.0f} {unit}",
            )
        )
    if not rows:
        return []
    return [
        f"{first:22}" + "".join(f"{cell:>13}" for cell in rest)
        for first, *rest in [HEAD, *rows]
    ]


def _runs(values: dict[str, float]) -> list[tuple[str, float, float, float | None]]:
    """Return name, seconds, seconds of SHA-256 and memory of each, fastest first."""
    runs = []
    their_sha = values.get("other_sha256_150mib", 0) / 1000
    for path in ("fast", "exact"):
        if seconds := values.get(f"{FILE}_{path}_process"):
            memory = values.get(f"{FILE}_{path}_peak")
            sha = values[f"{FILE}_sha256"] / 1000
            runs.append((f"console_{path}", seconds, sha, memory))
    for name, seconds in values.items():
        if name.startswith("other_") and name.endswith("_150mib") and "sha" not in name:
            tool = name.removeprefix("other_").removesuffix("_150mib")
            memory = values.get(f"{name}_memory")
            runs.append((tool, seconds, their_sha, memory))
    return sorted(runs, key=lambda run: run[1])
