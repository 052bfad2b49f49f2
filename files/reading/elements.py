"""The XML of a workbook, read in blocks: nothing of it is held, and all has bounds."""

import zipfile
from collections.abc import Callable
from xml.parsers import expat

from files.reading.archives import (
    LONGEST_PIECE,
    SAVE_AS,
    Unreadable,
    unless_damaged,
)

_BLOCK = LONGEST_PIECE

Attributes = dict[str, str]
Progress = Callable[[int, int], None]


class Elements:
    """Hears of every element of a part, and counts them in `seen`.

    Those of cells are not counted, which costs time: there the place moves on.
    """

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = _refuse_type
        self.parser.StartElementHandler = self.start
        self.seen = 0
        self.row = self.column = 0

    def start(self, name: str, attributes: Attributes) -> None:
        """Hear of an element that begins."""
        self.seen += 1

    def need_short(self, begin: int) -> None:
        """Raise Unreadable where what began at the byte `begin` still goes on."""
        if self.parser.CurrentByteIndex - begin > LONGEST_PIECE:
            raise too_long()


def parse(
    archive: zipfile.ZipFile,
    part: str,
    elements: Elements,
    progress: Progress | None = None,
) -> None:
    """Read a part to its end. Raises Unreadable."""
    done = 0
    before = (0, 0, 0)
    with unless_damaged():
        source = archive.open(part)
    with source:
        while True:
            with unless_damaged():
                data = source.read(_BLOCK)
                elements.parser.Parse(data, not data)
            if not data:
                return
            now = elements.seen, elements.row, elements.column
            if len(data) == _BLOCK and now == before:
                raise too_long()
            before = now
            done += len(data)
            if progress is not None:
                progress(done, elements.row)


def local(name: str) -> str:
    """Return the name of an element without the prefix of its namespace."""
    return name.rpartition(":")[2]


def too_long() -> Unreadable:
    """Return what is raised for a text that no cell of Excel holds."""
    return Unreadable(
        "A cell of this Excel workbook, or something else in it, is longer than 1 MiB; "
        "Excel keeps up to 32,767 characters in a cell. Check that it is the right "
        f"file. {SAVE_AS}"
    )


def _refuse_type(*_: object) -> None:
    # It may declare what grows without end, or lies elsewhere: ECMA-376 part 2, 8.1.4.
    raise Unreadable(
        "This Excel workbook declares a document type (DTD) inside, which no Excel "
        f"does. Check that it is the right file. {SAVE_AS}"
    )
