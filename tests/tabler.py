"""Which classes of Tabler's the console goes without."""

import re

from scripts.reduce_tabler import SOURCE, TARGET

# Before a brace, in what is not the value of a declaration.
_IN_SELECTOR = re.compile(r"\.(-?[A-Za-z_][\w-]*)(?=[^{};]*\{)")


def left_out() -> set[str]:
    """Return the classes that Tabler has and the style sheet of our pages has not."""
    return _classes(SOURCE.read_text()) - _classes(TARGET.read_text())


def _classes(css: str) -> set[str]:
    return set(_IN_SELECTOR.findall(css))
