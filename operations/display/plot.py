"""Geometry of a plot of days: columns of stacked pieces; pure.

A page draws it as SVG without a style attribute, since the policy allows none: kinds
become classes, and patterns besides colours.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import floor, log10
from typing import Any, Final
from urllib.parse import urlencode

from operations.display.report import Line

WIDTH: Final = 720
# The share of a day that its column takes; and the least height of what is there.
FILLED, LEAST = 0.78, 2.0
# Of the bar of a line: its longest, and the least of what is there.
BAR, BAR_LEAST = 240, 2
ROWS: Final = ("rows_succeeded", "rows_failed", "rows_unknown")


@dataclass(frozen=True)
class Piece:
    """A part of a column: `kind` is its class, `query` that of what it counts."""

    kind: str
    y: float
    height: float
    query: str = ""


@dataclass(frozen=True)
class Column:
    """A day: `x` and `width` of its column, `left` and `room` of all its space."""

    line: Line
    x: float
    width: float
    left: float
    room: float
    pieces: list[Piece]


@dataclass(frozen=True)
class Plot:
    """Columns from left to right; `top` is what the upper edge stands for."""

    columns: list[Column]
    height: int
    top: float

    width = WIDTH

    @property
    def top_rows(self) -> int:
        """`top` as a number of rows."""
        return round(self.top)

    @property
    def top_time(self) -> timedelta:
        """`top` as a time."""
        return timedelta(seconds=self.top)


type Part = tuple[str, float, str]


def rows_plot(lines: Sequence[Line], *, height: int = 160) -> Plot | None:
    """Return the plot of rows by outcome; None where there are none."""
    return _plot(lines, _rows, height)


def durations_plot(lines: Sequence[Line], *, height: int = 160) -> Plot | None:
    """Return the plot of what half, and 95 %, of the operations took at most."""
    return _plot(lines, _durations, height)


def line_pieces(line: Line, largest: int) -> list[dict[str, Any]]:
    """Return the bar of a line of a table, of `BAR` units: kinds, places, widths."""
    pieces, place = [], 0.0
    for kind in ROWS:
        if count := line.sums[kind]:
            width = max(BAR_LEAST, BAR * count / max(largest, 1))
            width = round(min(width, BAR - place), 1)
            pieces.append({"kind": kind, "place": round(place, 1), "width": width})
            place += width
    return pieces


def _rows(line: Line) -> list[Part]:
    return [
        (name, line.sums[name], f"{line.query}&{urlencode({'outcome': name})}")
        for name in ROWS
    ]


def _durations(line: Line) -> list[Part]:
    if line.p50 is None or line.p95 is None:
        return []
    half, most = line.p50.total_seconds(), line.p95.total_seconds()
    return [("p50", half, line.query), ("p95", most - half, line.query)]


def _plot(
    lines: Sequence[Line], parts_of: Callable[[Line], list[Part]], height: int
) -> Plot | None:
    parts = [parts_of(line) for line in lines]
    most = max((sum(size for _, size, _ in each) for each in parts), default=0)
    if not most:
        return None
    top, room = _round_up(most), WIDTH / len(lines)
    columns = [
        Column(
            line=line,
            x=round(room * (number + (1 - FILLED) / 2), 2),
            width=round(room * FILLED, 2),
            left=round(room * number, 2),
            room=round(room, 2),
            pieces=_pieces(each, top, height),
        )
        for number, (line, each) in enumerate(zip(lines, parts, strict=True))
    ]
    return Plot(columns, height, top)


def _pieces(parts: list[Part], top: float, height: int) -> list[Piece]:
    """Stack the parts from the ground up; each is tall enough to be seen."""
    there = [part for part in parts if part[1] > 0]
    tall = [max(LEAST, size / top * height) for _, size, _ in there]
    # What the small ones were given comes off the tallest.
    if tall and sum(tall) > height:
        tall[tall.index(max(tall))] -= sum(tall) - height
    pieces, ground = [], float(height)
    for (kind, _, query), size in zip(there, tall, strict=True):
        ground -= size
        pieces.append(Piece(kind, round(ground, 2), round(size, 2), query))
    return pieces


def _round_up(value: float) -> float:
    """Return a number that is easy to read, not below `value`."""
    power = 10 ** floor(log10(value))
    steps = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)
    return float(next(power * step for step in steps if power * step >= value - 1e-9))
