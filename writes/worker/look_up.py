"""Looking up which records the keys of a file belong to, before it is reviewed.

Today's API has no upsert. So each key is asked for once, and a row becomes a create or
an update. Nothing is asked of a file that has a fault. What was told is kept key by
key, so that a worker that is killed is followed by one that asks for the rest.

The value goes into the provider's query unescaped, and the provider's words for "equal"
are its own: so a key with a quote is not asked for, and a record counts only where the
answer shows the key again.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from pathlib import Path

from django.db.models import Q, QuerySet

from ampersand import AmpersandError, Client, SearchHit, can_be_asked
from console.fields import UnreadableSecret
from console.models import NoActiveKey
from console.runtime import db_clock
from files.checking.keys import fold_id
from files.field import Field
from files.findings import ROW, Report
from files.raw_records import read_records
from files.shown import shown
from operations.limits import rate_limit
from writes.models import KeyLookup, Write
from writes.models.key_lookup import (
    CLOCKS_DIFFER,
    LONGEST_ID,
    LONGEST_KEY,
    STALE_AFTER,
)
from writes.worker.progress import Progress, TooLong

# Each costs the customer a call of their quota; by 50,000 keys that would be hours.
MOST_KEYS = 2_000
# A key is asked for between quotes, which these kinds of fields do not take.
UNQUOTED = ("boolean", "date", "datetime")
# A worker takes no longer than this at a time, in seconds: other files wait behind it.
SLICE = 60.0
# Seconds that one wait for an answer may take.
PATIENCE = 10.0

pause = time.sleep


class NotLookedUp(Exception):
    """Ampersand did not tell; the text says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class LookedUp:
    """The id of each row's record, "" for a new one; when the first key was asked."""

    ids: list[str]
    since: datetime


def look_up(
    write: Write,
    as_sent: Path,
    names: Sequence[str],
    field: Field | None,
    report: Report,
    progress: Progress,
) -> LookedUp | None:
    """Ask for the keys of a file; None where something blocks, which is added then.

    `names` are its columns, `field` is that of the key, None where none is known.
    Raises `NotLookedUp`, and as `progress` does. Call it in no transaction.
    """
    name = report.key
    place = list(names).index(name)
    if report.rows > MOST_KEYS:
        _tell_too_many(name, report)
        return None
    with as_sent.open("rb") as file:
        keys = [cells[place] for cells, _ in read_records(file)][1:]
    _tell_unaskable(keys, name, field, report)
    if report.blocks:
        return None
    found = _Lookups(write, name, progress).of(keys)
    ids = [_record_of(found[key], row, report, name) for row, key in _rows(keys)]
    _tell_shared(ids, keys, name, report)
    if report.blocks:
        return None
    since = min(each.looked_up_at for each in found.values())
    return LookedUp(ids=ids, since=since)


def _rows(keys: Sequence[str]) -> "enumerate[str]":
    return enumerate(keys, start=2)


def _tell_too_many(name: str, report: Report) -> None:
    message = (
        f"The file has {report.rows:,} rows, and each key is one search in the "
        f"customer's system: up to {MOST_KEYS:,} keys are looked up. Add a column of "
        "ids and choose Create or update by id, or split the file."
    )
    report.add("blocks", "too-many-keys", message, row=1, line=1, column=name)


def _tell_unaskable(
    keys: Sequence[str], name: str, field: Field | None, report: Report
) -> None:
    """Tell which keys are not looked up, and those that one search would find alike."""
    is_quoted = field is None or field.type not in UNQUOTED
    times = Counter(key.casefold() for key in keys)
    for row, key in _rows(keys):
        why = ""
        if not is_quoted and field is not None:
            why = f"{name} is a {field.type}, which cannot be looked up"
        elif not can_be_asked(key):
            why = "a quote or a backslash could make the search find another record"
        elif len(key) > LONGEST_KEY:
            why = f"it has more than {LONGEST_KEY} characters"
        if why:
            message = (
                f"{shown(key)} in row {ROW} cannot be looked up: {why}. Exclude the "
                "row, or send it by id in another file."
            )
            _block(report, "key-not-asked", message, row, name, key)
        elif times[key.casefold()] > 1:
            message = (
                f"{shown(key)} in row {ROW} is also in another row, perhaps in another "
                "case: both would be one record. Keep one."
            )
            _block(report, "key-shared", message, row, name, key)


def _record_of(told: KeyLookup, row: int, report: Report, name: str) -> str:
    """Return the id of a row's record, "" for a new one; tell what is neither."""
    if told.hits == 0 or (told.hits == 1 and told.record_id):
        return told.record_id
    message = (
        f"{told.hits:,} records have the {name} {shown(told.key)} of row {ROW}. Find "
        "the right one, then exclude the row or send it by id in another file."
    )
    rule = "key-several"
    if told.hits == 1:
        rule = "key-not-shown"
        message = (
            f"A record was found for the {name} {shown(told.key)} of row {ROW}, but "
            "the answer does not show that key and an id, so it may be another one. "
            "Exclude the row, or send it by id in another file."
        )
    _block(report, rule, message, row, name, told.key)
    return ""


def _tell_shared(
    ids: Sequence[str], keys: Sequence[str], name: str, report: Report
) -> None:
    times = Counter(fold_id(id_) for id_ in ids if id_)
    for (row, key), id_ in zip(_rows(keys), ids, strict=True):
        if id_ and times[fold_id(id_)] > 1:
            message = f"{shown(key)} in row {ROW} and another row are one record."
            _block(report, "key-shared", f"{message} Keep one.", row, name, key)


def _block(
    report: Report, rule: str, message: str, row: int, name: str, key: str
) -> None:
    report.add("blocks", rule, message, row=row, column=name, value=key)


class _Lookups:
    """The lookups of one draft: those that are kept, and those still to be made."""

    def __init__(self, write: Write, name: str, progress: Progress) -> None:
        self._write, self._name, self._progress = write, name, progress
        self._project = write.project
        where = [self._project.pk, self._project.search_url, self._project.remote_id]
        where += [write.integration.remote_id, write.object_name, write.group_ref, name]
        self._asked = hashlib.sha256(json.dumps(where).encode()).hexdigest()

    def of(self, keys: Sequence[str]) -> dict[str, KeyLookup]:
        """Return the lookup of each key, asking for those that are not kept."""
        self._forget_stale()
        kept = self._kept()
        missing = [key for key in keys if key not in kept]
        if missing:
            self._progress.need_worker()
            self._progress.step("Looking up keys", len(keys))
            self._ask(missing, len(keys))
            kept = self._kept()
        return {key: kept[key] for key in keys}

    def _forget_stale(self) -> None:
        """Forget what was told too long ago, which must not happen while it is asked.

        Else a file whose keys take longer than they count would be asked for for ever.
        """
        mine, now = self._mine(), db_clock.now()
        too_old = Q(looked_up_at__lte=now - STALE_AFTER)
        stale = mine.filter(too_old | Q(looked_up_at__gt=now + CLOCKS_DIFFER))
        if not stale.exists():
            return
        stale.delete()
        recently = now - timedelta(seconds=2 * SLICE)
        if mine.filter(looked_up_at__gt=recently).exists():
            mine.delete()
            minutes = STALE_AFTER.total_seconds() / 60
            raise NotLookedUp(
                f"Looking up the keys took longer than {minutes:g} minutes, so the "
                "first results may be outdated. Split the file."
            )

    def _mine(self) -> "QuerySet[KeyLookup]":
        return KeyLookup.objects.filter(write=self._write, asked=self._asked)

    def _kept(self) -> dict[str, KeyLookup]:
        return {each.key: each for each in self._mine()}

    def _ask(self, missing: Sequence[str], total: int) -> None:
        client = self._client()
        until = time.monotonic() + SLICE
        done = total - len(missing)
        with ThreadPoolExecutor(rate_limit.SEARCHES_AT_ONCE) as pool:
            for some in batched(missing, rate_limit.SEARCHES_AT_ONCE):
                if time.monotonic() > until:
                    # Another worker goes on with what is missing.
                    raise TooLong
                self._wait_for(len(some))
                told = list(pool.map(lambda key: self._search(client, key), some))
                self._keep(dict(zip(some, told, strict=True)))
                done += len(some)
                self._progress(done, done)

    def _client(self) -> Client:
        try:
            return self._project.client(timeout=PATIENCE)
        except (NoActiveKey, UnreadableSecret, AmpersandError) as error:
            raise NotLookedUp(f"{error} Ask an admin to check the project.") from None

    def _wait_for(self, count: int) -> None:
        wait = rate_limit.admit_searches(self._project, count)
        if isinstance(wait, rate_limit.NotNow):
            raise NotLookedUp(f"{wait.why}. Check it again in a minute.")
        pause(wait.total_seconds())

    def _search(
        self, client: Client, key: str
    ) -> tuple[SearchHit, ...] | AmpersandError:
        # In a thread of its own: nothing here asks the database.
        try:
            return client.search(
                project=self._project.remote_id,
                integration=self._write.integration.remote_id,
                object_name=self._write.object_name,
                group_ref=self._write.group_ref,
                name=self._name,
                value=key,
            )
        except AmpersandError as error:
            return error

    def _keep(self, told: dict[str, tuple[SearchHit, ...] | AmpersandError]) -> None:
        """Keep what was told; raise `NotLookedUp` where something was not."""
        ends = [e if isinstance(e, AmpersandError) else None for e in told.values()]
        rate_limit.reads_ended(self._project, ends)
        now = db_clock.now()
        KeyLookup.objects.bulk_create(
            [
                KeyLookup(
                    write=self._write,
                    asked=self._asked,
                    key=key,
                    hits=len(hits),
                    record_id=self._id_of(key, hits),
                    looked_up_at=now,
                )
                for key, hits in told.items()
                if not isinstance(hits, AmpersandError)
            ],
            update_conflicts=True,
            unique_fields=["write", "asked", "key"],
            update_fields=["hits", "record_id", "looked_up_at"],
        )
        if error := next(filter(None, ends), None):
            raise NotLookedUp(
                f"Ampersand did not answer the lookup of the keys: {error} What was "
                "found so far is kept. Check the file again."
            )

    def _id_of(self, key: str, hits: Sequence[SearchHit]) -> str:
        if len(hits) != 1 or not hits[0].holds(self._name, key):
            return ""
        return hits[0].id if len(hits[0].id) <= LONGEST_ID else ""
