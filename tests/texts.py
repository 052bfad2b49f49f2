"""What a text says in numbers and names: tests hold on to these, not to its wording."""

import re


def numbers(text: str) -> list[int]:
    """Return the whole numbers in a text, in order; 1,490 is one."""
    found = re.findall(r"\d{1,3}(?:,\d{3})+|\d+", text)
    return [int(number.replace(",", "")) for number in found]


def quoted(text: str) -> list[str]:
    """Return what stands in curly quotes in a text, in order."""
    return re.findall("“(.*?)”", text)


def words(text: str) -> list[str]:
    """Return the words of a text, in order, without what stands between them."""
    return re.findall(r"\w+", text)
