"""The same in two sizes, drawn by turns: whatever else the machine does slows both."""

import time
from collections.abc import Callable, Mapping
from statistics import median, quantiles

from figures import figure

# How many times as long the large one may take.
LIMIT = 1.5

Draws = Mapping[int, Callable[[], object]]


def compare(
    name: str,
    draws: Draws,
    *,
    turns: int,
    times: int,
    most_ms: float | None = None,
    limit: float | None = LIMIT,
) -> None:
    """Print medians and p95 of both sizes, the small one first, and their ratio.

    In each turn one is drawn so many times, after once that does not count. The ratio
    of the medians decides. One over the limit is measured once more, since the machine
    may have been busy with something else just then; only the second one is printed.
    `most_ms` is the limit of the p95 of both.
    """
    for _ in range(2):
        taken = draw(draws, turns=turns, times=times)
        small, large = (median(seconds) for seconds in taken.values())
        ratio = large / small
        if limit is None or ratio <= limit:
            break
    for size, seconds in taken.items():
        figure(f"{name}_median_{size}", median(seconds) * 1000, "ms")
        figure(f"{name}_p95_{size}", p95(seconds) * 1000, "ms", at_most=most_ms)
    figure(f"{name}_time_ratio", ratio, "ratio", at_most=limit)


def p95(seconds: list[float]) -> float:
    """Return what 95 of 100 draws take at most."""
    return quantiles(seconds, n=20, method="inclusive")[-1]


def draw[Key](
    draws: Mapping[Key, Callable[[], object]], *, turns: int, times: int
) -> dict[Key, list[float]]:
    """Draw each so many times in each turn; return the seconds that they took."""
    taken: dict[Key, list[float]] = {size: [] for size in draws}
    for _ in range(turns):
        for size, each in draws.items():
            each()
            for _ in range(times):
                start = time.perf_counter()
                each()
                taken[size].append(time.perf_counter() - start)
    return taken
