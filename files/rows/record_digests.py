"""Keyed digests of what rows carry: by them alone it is told who carried a value.

Without the key nobody can tell what they were made of. They may take one value for
another, at the odds that their length says, and never miss one that was put in. What is
kept of them in a slice is sought as bytes anywhere in it, also across two neighbours.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from files.values.record_ids import normal

# Of a digest the first bits tell its slice, the next ones are kept in that.
SLICES = 64
KEPT_BYTES = 3
# Up to so many values are kept with their whole digest, each findable by itself.
FEW = 200

_SLICE_BITS = SLICES.bit_length() - 1
_IDS = (15, 18)


def plain(text: str) -> str:
    """Return a value as it is told from others: trimmed, record ids with suffix."""
    text = text.strip()
    return (normal(text) or text) if len(text) in _IDS else text


def spellings(text: str) -> list[str]:
    """Return the trimmed texts that are one value with `text`."""
    whole = plain(text)
    return [whole, whole[:15]] if normal(whole) == whole else [whole]


@dataclass(frozen=True)
class Packed:
    """The digests of what one write carried: `few` as they are, or else in slices."""

    few: list[int]
    slices: list[tuple[int, bytes]]


class Digests:
    """Makes digests with one key."""

    def __init__(self, key: bytes) -> None:
        self._keyed = hashlib.blake2b(key=key, digest_size=8)

    def of(self, text: str) -> int:
        """Return the digest of a value, a whole number of 64 bits."""
        return int.from_bytes(self._bytes(text))

    def packed(self, texts: Iterable[str]) -> Packed:
        """Return the digests of all values but blank ones, each once, in no order."""
        made = bytearray()
        for text in texts:
            if value := plain(text):
                # Not by a call of `_bytes`: there may be millions.
                keyed = self._keyed.copy()
                keyed.update(value.encode(errors="replace"))
                made += keyed.digest()
        found = np.unique(np.frombuffer(bytes(made), ">u8").astype("u8"))
        if len(found) <= FEW:
            return Packed([int(digest) for digest in found], [])
        return Packed([], list(_slices(found)))

    def _bytes(self, text: str) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(plain(text).encode(errors="replace"))
        return keyed.digest()


def place_of(digest: int) -> tuple[int, bytes]:
    """Return the slice of a digest, and what of it is kept there."""
    rest = digest >> (64 - _SLICE_BITS - 8 * KEPT_BYTES)
    kept = rest & ((1 << 8 * KEPT_BYTES) - 1)
    return digest >> (64 - _SLICE_BITS), kept.to_bytes(KEPT_BYTES)


def _slices(
    found: "np.ndarray[tuple[int], np.dtype[np.uint64]]",
) -> Iterator[tuple[int, bytes]]:
    """Yield each slice that holds something of sorted digests."""
    rest = (found >> np.uint64(64 - _SLICE_BITS - 8 * KEPT_BYTES)).astype(">u4")
    kept = rest.view("u1").reshape(-1, 4)[:, 4 - KEPT_BYTES :]
    borders = np.searchsorted(
        found >> np.uint64(64 - _SLICE_BITS), np.arange(SLICES + 1, dtype="u8")
    )
    for number in range(SLICES):
        first, last = borders[number], borders[number + 1]
        if first < last:
            yield number, kept[first:last].tobytes()
