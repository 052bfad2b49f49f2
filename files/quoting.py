"""How a cell is written: in quotes where it must be, and what quotes elsewhere mean."""

import re

# The rule of cells that hold quotes and lack their own, where no other reading is.
INNER_QUOTES = "inner-quotes"
_BEFORE_A_PHRASE = tuple(" \t\u00a0([{")
_NEEDS_QUOTES = re.compile('[,"\r\n]')
# Each cell of a record that `csv` reads in strict mode, as written, after its comma.
_CELL = re.compile(r',("[^"]*(?:""[^"]*)*"|[^,]*)')


def quoted(text: str) -> str:
    """Return a cell as it is written: quoted only where it must be."""
    if not _NEEDS_QUOTES.search(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def written_cells(body: str) -> list[str]:
    """Return the cells of a record without its line end, each as it is written."""
    return _CELL.findall("," + body)


def cells_to_quote(raw: str, width: int) -> list[int] | None:
    """Return the places of the cells with quotes inside that lack their own: 24" wide.

    `raw` is a record that `csv` reads in strict mode. None where its quotes could be
    meant otherwise, or where it has not `width` cells: then nobody should guess.
    """
    body = raw.rstrip("\r\n")
    cells = written_cells(body)
    if len(cells) != width:
        return None
    places = [i for i, cell in enumerate(cells) if '"' in cell and cell[0] != '"']
    if not all(is_plain_inside(cells[place]) for place in places):
        return None
    return None if places and _has_other_cells(body, cells) else places


def is_plain_inside(cell: str) -> bool:
    """Whether quotes of a cell that is not quoted can be nothing but text.

    One after spaces could be meant to open the cell, a doubled one to be a single one.
    """
    return '""' not in cell and not cell.lstrip().startswith('"')


def _has_other_cells(body: str, cells: list[str]) -> bool:
    """Whether quotes may hold cells together, as every one opens or closes.

    They may where a phrase in quotes has a comma inside, and where there would be as
    many cells, but others.
    """
    pieces = body.split('"')
    phrases = zip(pieces, pieces[1:-1], strict=False)
    for number, (before, phrase) in enumerate(phrases):
        if number % 2 == 0 and "," in phrase and before[-1:] in _BEFORE_A_PHRASE:
            return True
    if len(pieces) % 2 == 0:  # one would never close
        return False
    outside = [
        piece if number % 2 == 0 else piece.replace(",", " ")
        for number, piece in enumerate(pieces)
    ]
    others = '"'.join(outside).split(",")
    lengths = [len(cell) for cell in cells]
    return len(others) == len(cells) and [len(cell) for cell in others] != lengths
