"""What a confirmed write is found by, beside what its operations say of themselves.

Names of files and digests stay, as they do in the write. Values of a single record are
kept as digests under a key that is not in the database, and go with retention.
"""

import hmac
import re
import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from writes.models import Backlog, SearchTerm, Write
from writes.models.preservation import is_busy, is_warned_of

Kind = SearchTerm.Kind

# Names the use, so that nothing else that a key does can be taken for such a digest.
_USE = b"write console: search by value"
_ENDING = re.compile(r"\.(?:csv|tsv|txt|xlsx|xlsm|xls|ods|zip|gz)$")
# A record with more values, or a name with more words, is found by these alone.
MOST_VALUES, MOST_WORDS = 500, 50
# So many digits tell a digest from all others.
DIGITS = 32


def folded(text: str) -> str:
    """Return the text as it is compared: without case, and spelt in one way."""
    return unicodedata.normalize("NFC", text).strip().casefold()


def words_of(name: str) -> list[str]:
    """Return the words of a file's name, or of what is looked for, without ending."""
    words = re.split(r"[\W_]+", _ENDING.sub("", folded(name)))
    return [word for word in dict.fromkeys(words) if word][:MOST_WORDS]


@lru_cache(maxsize=4)
def _keys(given: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(hmac.digest(key.encode(), _USE, "sha256") for key in given)


def digests_of(value: str) -> list[str]:
    """Return the digests of a value under every key; the newest key's comes first."""
    said = folded(value).encode(errors="replace")
    keys = _keys(tuple(settings.FIELD_KEYS))
    return [hmac.digest(key, said, "sha256").hex()[:DIGITS] for key in keys]


def note(write: Write) -> None:
    """Keep what a confirmed write is found by; what is kept already stays.

    Call it in the transaction that confirms, once its batches are there.
    """
    SearchTerm.objects.bulk_create(
        [
            SearchTerm(
                write=write,
                environment=write.project.environment,
                kind=kind,
                text=text,
                confirmed_at=write.confirmed_at or timezone.now(),
            )
            for kind, text in dict.fromkeys(_terms_of(write))
        ],
        batch_size=500,
        ignore_conflicts=True,
    )


def _terms_of(write: Write) -> Iterator[tuple[Kind, str]]:
    if write.file_name:
        yield Kind.FILE, folded(write.file_name)[:255]
        for word in words_of(write.file_name):
            yield Kind.FILE, word[:255]
    for digest in _digests(write):
        if digest:
            yield Kind.DIGEST, digest[:DIGITS]
    if write.source == Write.Source.RECORD and not _is_past(write):
        values = [value for value in _leaves(write.record_fields()) if folded(value)]
        for value in values[:MOST_VALUES]:
            yield Kind.VALUE, digests_of(value)[0]


def _is_past(write: Write) -> bool:
    """Whether its values are kept no more: nothing finds it by them again."""
    now = timezone.now()
    kept = timedelta(days=settings.KEEP_DAYS[write.project.environment])
    if not write.confirmed_at or write.confirmed_at >= now - kept:
        return False
    still_kept = Q(is_busy()) | ~is_warned_of(now)
    return not Write.objects.filter(still_kept, pk=write.pk).exists()


def _digests(write: Write) -> Iterator[str]:
    yield write.inspection.get("sha256") or ""
    yield write.check_report.get("as_sent_sha256") or ""
    for pair in write.batches.values_list("csv_sha256", "sha256"):
        yield from pair


def _leaves(value: Any) -> Iterator[str]:
    """Yield the texts and numbers of JSON data, whatever they lie in."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, str) or (
        isinstance(value, int | float) and not isinstance(value, bool)
    ):
        yield str(value)


def forget_values_of(write: Write) -> None:
    """Take away what finds this write by value."""
    SearchTerm.objects.filter(write=write, kind=Kind.VALUE).delete()


def is_complete() -> bool:
    """Whether every write is found by its terms: the clock begins at the newest."""
    return not Backlog.waits_for(Backlog.Kind.SEARCH)
