"""Which number format each cell of a sheet has."""

from array import array
from bisect import bisect_right

from files.reading.formats import Format

_NO_RUN = 0, 0, 0


class CellFormats:
    """The number formats of cells that are not General, by column in runs of rows.

    A run is three numbers: its first row, its last one, and the place of its format.
    """

    def __init__(self, styles: dict[str, Format]) -> None:
        codes: dict[str, int] = {}
        self._formats: list[Format] = []
        for form in styles.values():
            if form.code not in codes:
                codes[form.code] = len(codes)
                self._formats.append(form)
        self.has_texts = any(form.text("") for form in self._formats)
        self._places = {style: codes[form.code] for style, form in styles.items()}
        self._runs: dict[int, tuple[array[int], array[int], array[int]]] = {}
        self._last: dict[int, tuple[int, int, int]] = {}

    def add(self, row: int, column: int, style: str) -> None:
        """Note the style of a cell; rows come in order."""
        runs = self._runs.get(column)
        if runs is None:
            runs = self._runs[column] = array("i"), array("i"), array("i")
        firsts, lasts, places = runs
        place = self._places[style]
        if lasts and lasts[-1] == row - 1 and places[-1] == place:
            lasts[-1] = row
            return
        firsts.append(row)
        lasts.append(row)
        places.append(place)

    def of(self, row: int, column: int) -> Format | None:
        """Return the format of a cell, None where that is General or not known."""
        first, last, place = self._last.get(column, _NO_RUN)
        if first <= row <= last:
            return self._formats[place]
        if column not in self._runs:
            return None
        firsts, lasts, places = self._runs[column]
        index = bisect_right(firsts, row) - 1
        if index < 0 or row > lasts[index]:
            return None
        self._last[column] = firsts[index], lasts[index], places[index]
        return self._formats[places[index]]
