"""A signed ZIP that is made while it is sent: nothing of it is held or stored.

Its manifest has the digest of each file and is signed. The comment at the end of the
ZIP signs all bytes before it, so that no byte of the container is loose either.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, cast

from console import signing
from writes.evidence.verify import (
    ARCHIVE_USE,
    COMMENT,
    FORMAT,
    MANIFEST,
    MANIFEST_USE,
    MARK,
    SIGNATURE,
    SUMS,
)

# So many bytes are gathered before they are compressed or sent.
BLOCK = 64 * 1024
# Of 1 to 9. CSV and JSON get hardly smaller above it, and take three times as long.
LEVEL = 4


class _Sink:
    """What `zipfile` writes to; it cannot seek, so that nothing is changed later."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self.size = 0

    def write(self, block: bytes) -> int:
        self._blocks.append(bytes(block))
        self.size += len(block)
        return len(block)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        """Return what was written since it was asked last."""
        taken = b"".join(self._blocks)
        self._blocks, self.size = [], 0
        return taken


class Archive:
    """A pack on its way: its methods yield the bytes of the ZIP as they come.

    `files` has the size and SHA-256 of each file that is in it so far. `sha256` and
    `size` are those of the whole ZIP, once `end` has yielded all but its last piece.
    """

    def __init__(self, made_at: datetime) -> None:
        self.files: dict[str, dict[str, Any]] = {}
        self.public_key = signing.public_keys()[0]
        self.size = 0
        self._digest = hashlib.sha256()
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(cast(Any, self._sink), "w")
        self._made_at = made_at.timetuple()[:6]

    @property
    def sha256(self) -> str:
        """The SHA-256 of what was made of the ZIP so far."""
        return self._digest.hexdigest()

    def add(self, name: str, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Put a file into the ZIP, piece by piece. Raises whatever `blocks` does."""
        digest, size = hashlib.sha256(), 0
        info = zipfile.ZipInfo(name, self._made_at)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.compress_level = LEVEL  # type: ignore[attr-defined]  # new in Python 3.13
        info.external_attr = 0o644 << 16
        with self._zip.open(info, "w", force_zip64=True) as file:
            for block in _gathered(blocks):
                digest.update(block)
                size += len(block)
                file.write(block)
                if self._sink.size >= BLOCK:
                    yield self._taken()
        self.files[name] = {"bytes": size, "sha256": digest.hexdigest()}

    def end(self) -> Iterator[bytes]:
        """Add the sums, the manifest and its signature, and sign the whole."""
        sums = "".join(f"{each['sha256']}  {n}\n" for n, each in self.files.items())
        yield from self.add(SUMS, [sums.encode()])
        told = {"format": FORMAT, "public_key": self.public_key, "files": self.files}
        manifest = json.dumps(told, indent=1).encode()
        signature = signing.sign(MANIFEST_USE + manifest, self.public_key).hex()
        yield from self.add(MANIFEST, [manifest])
        yield from self.add(SIGNATURE, [f"{signature}\n".encode()])
        self._zip.comment = b" " * COMMENT
        self._zip.close()
        rest = self._sink.take()[:-COMMENT]
        self._count(rest)
        message = ARCHIVE_USE + self.sha256.encode()
        comment = MARK + signing.sign(message, self.public_key).hex().encode()
        self._count(comment)
        yield rest + comment

    def _taken(self) -> bytes:
        taken = self._sink.take()
        self._count(taken)
        return taken

    def _count(self, block: bytes) -> None:
        self._digest.update(block)
        self.size += len(block)


def _gathered(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in pieces that are worth a call."""
    waiting: list[bytes] = []
    size = 0
    for block in blocks:
        waiting.append(block)
        size += len(block)
        if size >= BLOCK:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
