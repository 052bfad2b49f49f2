"""How a value is shown in a sentence."""

LONGEST = 60


def shown(text: str) -> str:
    """Return the text in curly quotes, cut, safe to store and to print.

    Bytes that were not UTF-8 (surrogates) and control characters become “�” and “·”:
    they can be neither stored in a database nor seen.
    """
    cut = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    readable = cut.encode("utf-8", "replace").decode() if not cut.isascii() else cut
    return f"“{readable if readable.isprintable() else _visible(readable)}”"


def _visible(text: str) -> str:
    return "".join(char if char.isprintable() else "·" for char in text)


def listed(texts: tuple[str, ...]) -> str:
    """Return the texts as a list in words: “a”, “b” and “c”."""
    quoted = [shown(text) for text in texts]
    if len(quoted) < 2:
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"
