"""How a value is shown in a sentence."""

from files import unseen

LONGEST = 60
_GAPS = str.maketrans("\t\n\r", "···")


def shown(text: str) -> str:
    """Return the text in curly quotes, cut, safe to store and to print.

    Bytes that were not UTF-8 (surrogates) become “�”, tabs and line ends “·”, and
    characters that nobody sees their numbers, as “A1·U+200B”.
    """
    cut = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    readable = cut.encode("utf-8", "replace").decode() if not cut.isascii() else cut
    visible = unseen.marked(readable.translate(_GAPS))
    if len(visible) > 2 * LONGEST:
        visible = visible[: 2 * LONGEST] + "…"
    return f"“{visible if visible.isprintable() else _visible(visible)}”"


def _visible(text: str) -> str:
    return "".join(char if char.isprintable() else "·" for char in text)


def listed(texts: tuple[str, ...]) -> str:
    """Return the texts as a list in words: “a”, “b” and “c”."""
    quoted = [shown(text) for text in texts]
    if len(quoted) < 2:
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"
