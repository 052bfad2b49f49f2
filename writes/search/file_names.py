"""Writes by the name of their file: the name's beginning, or words within.

A word is found by its beginning, too; all words have to be there. By
`search_term_found`.
"""

from heapq import nlargest

from writes.models import SearchTerm, Write
from writes.models.search_term import MOST_BEGUN
from writes.search.found import Asked, Found, Kind, Matched, excerpt, of_writes
from writes.search.terms import folded, words_of


def find(asked: Asked) -> Found:
    """Return the writes whose file is called so, newest first."""
    words, name = words_of(asked.text), folded(asked.text)
    if not words:
        return Found()
    ids, is_all = _newest(asked, words)
    if [name] != words:
        by_name, _ = _newest(asked, [name])
        ids = nlargest(asked.limit + 1, {*ids, *by_name})

    def matched(write: Write) -> Matched:
        name = write.file_name
        # The text as it was typed, or the longest of its words.
        is_within = asked.text.casefold() in name.casefold()
        return excerpt("File", name, asked.text if is_within else max(words, key=len))

    found = of_writes(asked, ids, matched)
    found.is_exact = any(
        line.matched is not None
        and folded(line.matched.sought) == name
        and not line.matched.before
        and not line.matched.after
        for line in found.lines
    )
    if not is_all:
        found.looked_at = (
            f"More than {MOST_BEGUN:,} files have a name like this, and not all were "
            "compared. Type more of the name."
        )
    return found


def _newest(asked: Asked, words: list[str]) -> tuple[list[int], bool]:
    return SearchTerm.objects.newest(
        SearchTerm.Kind.FILE,
        words,
        environments=asked.environments,
        before=asked.before,
        limit=asked.limit + 1,
    )


KIND = Kind("files", "File name", find)
