"""Lines as an editor and a CSV tell them.

`str.splitlines` also cuts at VT, FF, FS, GS, RS, NEL, U+2028 and U+2029, which stand
within names and cells: it is not used on anything that people or files give.
"""

import re

_LINE_END = re.compile(r"\r\n|\r|\n")


def text_lines(text: str) -> list[str]:
    """Return the lines of a text without their ends; a last empty one counts not."""
    lines = _LINE_END.split(text)
    return lines if lines[-1] else lines[:-1]
