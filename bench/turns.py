"""The same in two sizes, drawn by turns: whatever else the machine does slows both."""

import time
from collections.abc import Callable, Mapping
from statistics import median

from figures import figure

# How many times as long the large one may take.
LIMIT = 1.5

Draws = Mapping[int, Callable[[], object]]


def compare(name: str, draws: Draws, *, turns: int, times: int) -> None:
    """Print the medians of both sizes, the small one first, and their ratio.

    In each turn one is drawn so many times, after once that does not count. A ratio
    over the limit is measured once more, since the machine may have been busy with
    something else just then; only the second one is printed.
    """
    for _ in range(2):
        small, large = medians = _medians(draws, turns, times)
        ratio = large / small
        if ratio <= LIMIT:
            break
    for size, seconds in zip(draws, medians, strict=True):
        figure(f"{name}_median_{size}", seconds * 1000, "ms")
    figure(f"{name}_time_ratio", ratio, "ratio", at_most=LIMIT)


def _medians(draws: Draws, turns: int, times: int) -> list[float]:
    taken: dict[int, list[float]] = {size: [] for size in draws}
    for _ in range(turns):
        for size, draw in draws.items():
            draw()
            for _ in range(times):
                start = time.perf_counter()
                draw()
                taken[size].append(time.perf_counter() - start)
    return [median(seconds) for seconds in taken.values()]
