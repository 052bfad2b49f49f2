"""Lines as an editor and a CSV tell them.

`str.splitlines` also cuts at VT, FF, FS, GS, RS, NEL, U+2028 and U+2029, which stand
within names and cells: it is not used on anything that people or files give.
"""

import re

_LINE_END = re.compile(r"\r\n|\r|\n")
# CR before anything but LF stops `csv`. This stands in for it: no byte decodes to it.
_STAND_IN = "\udc0d"
_LONE_CR = re.compile(r"\r(?!\n)")


def text_lines(text: str) -> list[str]:
    """Return the lines of a text without their ends; a last empty one counts not."""
    lines = _LINE_END.split(text)
    return lines if lines[-1] else lines[:-1]


def hide_lone_crs(text: str) -> str:
    """Return a text that `csv` reads on over each lone CR: see `show_lone_crs`."""
    return _LONE_CR.sub(_STAND_IN, text)


def show_lone_crs(cells: list[str]) -> list[str]:
    """Return the cells that were read after `hide_lone_crs`, with their CRs."""
    return [cell.replace(_STAND_IN, "\r") for cell in cells]
