#!/usr/bin/env python3
"""Verify an evidence pack of a Write Console. Needs Python 3.9 and nothing else.

    python3 verify.py PACK.zip [--key PUBLIC_KEY]
    python3 verify.py DIRECTORY [--key PUBLIC_KEY]     a pack that was unpacked

Take this program from somewhere you trust, not from the pack that you doubt. The
console shows its public keys on the page "Retention and evidence"; without --key the
pack proves that it is whole, and not who made it.

Exit status: 0 accepted, 1 refused, 2 it could not be read or was called wrongly.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

MANIFEST, SIGNATURE, SUMS = "manifest.json", "manifest.sig", "SHA256SUMS"
FORMAT = "write-console-evidence/1"
# What is signed begins with what it is, so that neither can stand for the other.
ARCHIVE_USE = b"write console: evidence archive\n"
MANIFEST_USE = b"write console: evidence manifest\n"
# The comment of the ZIP: all bytes before it are signed.
MARK = b"write-console-evidence/1 ed25519 "
COMMENT = len(MARK) + 128
BLOCK = 1 << 20


class Refused(Exception):
    """The pack is not what the console made; the text says what is wrong."""


# --- Ed25519, as RFC 8032 section 5.1 defines it -------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]


def _added(a: Point, b: Point) -> Point:
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = 2 * a[3] * b[3] * D % P
    h = 2 * a[2] * b[2] % P
    return (
        (f - e) * (h - g) % P,
        (h + g) * (f + e) % P,
        (h - g) * (h + g) % P,
        (f - e) * (f + e) % P,
    )


def _times(scalar: int, point: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _added(result, point)
        point = _added(point, point)
        scalar >>= 1
    return result


def _point(encoded: bytes) -> Point | None:
    """Decode 32 bytes; None where they are no point of the curve."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def _encoded(point: Point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or (0, 1, 1, 0)


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether `signature` is that of `message` by the owner of `public_key`."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    owner = _point(public_key)
    s = int.from_bytes(signature[32:], "little")
    if owner is None or s >= L:
        return False
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    k = int.from_bytes(digest, "little") % L
    minus_owner = (P - owner[0], owner[1], 1, P - owner[3])
    found = _added(_times(s, BASE), _times(k, minus_owner))
    return _encoded(found) == signature[:32]


# --- Where the files are -------------------------------------------------------------


class Pack:
    """What both have: the names of the files, and what is to be closed."""

    names: list[str]
    opened: list[Any]

    def open(self, name: str) -> IO[bytes]:
        """Return a file, to be read as bytes."""
        raise NotImplementedError

    def check(self, public_key: bytes) -> str:
        """Check what is around the files. Raises Refused."""
        raise NotImplementedError


class Archive(Pack):
    """The files of a pack as it was downloaded."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.zip = zipfile.ZipFile(path)
        self.names = self.zip.namelist()
        self.opened = [self.zip]

    def open(self, name: str) -> IO[bytes]:
        """Return a file, to be read as bytes."""
        return self.zip.open(name)

    def check(self, public_key: bytes) -> str:
        """Refuse the ZIP unless each of its bytes is as it was signed."""
        left = self.path.stat().st_size - COMMENT
        digest = hashlib.sha256()
        with self.path.open("rb") as file:
            while left > 0:
                block = file.read(min(BLOCK, left))
                if not block:
                    break
                digest.update(block)
                left -= len(block)
            comment = file.read()
        if not comment.startswith(MARK) or len(comment) != COMMENT:
            raise Refused("The end of the ZIP carries no signature.")
        message = ARCHIVE_USE + digest.hexdigest().encode()
        if not is_signed(public_key, message, _hex(comment[len(MARK) :].decode())):
            raise Refused("The ZIP is not the one that was signed.")
        return "every byte of the ZIP is as it was signed"


class Directory(Pack):
    """The files of a pack that was unpacked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # A link to a folder leads to files, too.
        found = [p for p in path.rglob("*") if p.is_symlink() or not p.is_dir()]
        self.names = [each.relative_to(path).as_posix() for each in found]
        self.opened = []

    def open(self, name: str) -> IO[bytes]:
        """Return a file, to be read as bytes."""
        return (self.path / name).open("rb")

    def check(self, public_key: bytes) -> str:
        """Say that an unpacked pack is only as good as its manifest."""
        return "unpacked: its files are verified, the ZIP around them is not"


def _hex(text: str) -> bytes:
    """Return bytes that are written in one way only: small letters, nothing else."""
    value = bytes.fromhex(text)
    if value.hex() != text:
        raise Refused("A key or a signature is not written as the console writes it.")
    return value


def _read(pack: Pack, name: str, most: int = 64 << 20) -> bytes:
    with pack.open(name) as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise Refused(f"{name} is too large.")
    return found


def _lines(pack: Pack, name: str) -> Iterator[bytes]:
    with pack.open(name) as file:
        yield from file


# --- What is checked -----------------------------------------------------------------


def manifest_of(pack: Pack) -> tuple[dict[str, Any], bytes]:
    """Return the manifest and its public key, once its signature was checked."""
    missing = {MANIFEST, SIGNATURE, SUMS} - set(pack.names)
    if missing:
        raise Refused(f"{sorted(missing)[0]} is missing.")
    text = _read(pack, MANIFEST)
    manifest = json.loads(text)
    if manifest["format"] != FORMAT:
        raise Refused(f"This program reads {FORMAT}, not {manifest['format']}.")
    public_key = _hex(manifest["public_key"])
    signature = _read(pack, SIGNATURE).decode("ascii")
    if not signature.endswith("\n"):
        raise Refused(f"{SIGNATURE} does not end as the console writes it.")
    if not is_signed(public_key, MANIFEST_USE + text, _hex(signature[:-1])):
        raise Refused("The manifest is not the one that was signed.")
    return manifest, public_key


def check_files(pack: Pack, manifest: dict[str, Any]) -> str:
    """Refuse a pack in which a file is missing, changed or too many."""
    told = manifest["files"]
    names = sorted(pack.names)
    if len(set(names)) != len(names):
        raise Refused("A file is there twice.")
    expected = {*told, MANIFEST, SIGNATURE}
    for name in sorted(expected.difference(names)):
        raise Refused(f"{name} is missing.")
    for name in sorted(set(names) - expected):
        raise Refused(f"{name} does not belong to the pack.")
    for name, is_told in told.items():
        digest, left = hashlib.sha256(), is_told["bytes"]
        with pack.open(name) as file:
            while left >= 0:
                block = file.read(min(BLOCK, left + 1))
                if not block:
                    break
                digest.update(block)
                left -= len(block)
        if left or digest.hexdigest() != is_told["sha256"]:
            raise Refused(f"{name} was changed.")
    sums = "".join(
        f"{each['sha256']}  {name}\n" for name, each in told.items() if name != SUMS
    )
    if _read(pack, SUMS).decode() != sums:
        raise Refused(f"{SUMS} says something else than the manifest.")
    return f"{len(told)} files, each as it was signed"


def check_requests(pack: Pack) -> str:
    """Refuse a pack whose requests are not those whose digests were kept."""
    if "requests.ndjson" not in pack.names:
        return "no request left"
    total = seen = 0
    bodies: Iterator[bytes] = iter(())
    if "bodies.ndjson" in pack.names:
        bodies = _lines(pack, "bodies.ndjson")
    table: Table | None = None
    has_file = "as-sent.csv" in pack.names
    for line in _lines(pack, "requests.ndjson"):
        request = json.loads(line)
        body, total = request["body"], total + 1
        if body["in"] == "bodies.ndjson":
            found = next(bodies, b"").rstrip(b"\n")
        elif body["in"] == "as-sent.csv" and has_file:
            if table is None:
                table = Table(pack.open("as-sent.csv"), body["header_bytes"])
                pack.opened.append(table.file)
            found = table.body(body)
        else:
            continue
        if hashlib.sha256(found).hexdigest() != body["sha256"]:
            raise Refused(f"The body of request {total} is not the one that was kept.")
        seen += 1
    if next(bodies, None) is not None:
        raise Refused("bodies.ndjson has more bodies than there were requests.")
    return f"{total:,} requests; the exact body of {seen:,} is here or made again"


class Table:
    """The file as sent, from which bodies are made again, one after the other."""

    def __init__(self, file: IO[bytes], header_bytes: int) -> None:
        self.file = file
        self.header = file.read(header_bytes)

    def body(self, told: dict[str, Any]) -> bytes:
        """Put rows back between what stood around them."""
        self.file.seek(told["offset"])
        text = (self.header + self.file.read(told["length"])).decode()
        rows = json.dumps(text, ensure_ascii=False)
        whole: str = told["before"] + rows + told["after"]
        return whole.encode()


def check_rows(pack: Pack, evidence: dict[str, Any]) -> str:
    """Refuse a pack whose row outcomes do not add up to the counts that it tells."""
    totals = evidence["result"]["rows"]
    if "outcomes.csv" not in pack.names or totals is None:
        return "no list of rows"
    counted = dict.fromkeys(("succeeded", "failed", "unknown", "not sent"), 0)
    # The largest that every system takes: Windows has 32 bits for it.
    csv.field_size_limit(2**31 - 1)
    with pack.open("outcomes.csv") as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        for row in csv.DictReader(text):
            counted[row["outcome"]] += 1
    told = {name: totals[name.replace(" ", "_")] for name in counted}
    if counted != told:
        raise Refused(f"The rows add up to {counted}, and the result says {told}.")
    return f"{sum(counted.values()):,} rows, as the result says"


def check_audit(pack: Pack, evidence: dict[str, Any]) -> str:
    """Refuse an excerpt of the audit trail that contradicts itself."""
    before: dict[str, Any] | None = None
    links = count = 0
    for line in _lines(pack, "audit.ndjson"):
        event = json.loads(line)
        count += 1
        if before and event["id"] <= before["id"]:
            raise Refused(f"Audit event {event['id']} is out of order.")
        if before and event["previous_hash"] == before["hash"]:
            links += 1
        elif before and event["id"] == before["id"] + 1:
            raise Refused(f"Audit event {event['id']} does not follow the one before.")
        before = event
    head = evidence["audit"]["head"]
    if before and head:
        if before["id"] > head["id"]:
            raise Refused("The excerpt goes on past the head of the audit trail.")
        if before["id"] == head["id"] and before["hash"] != head["hash"]:
            raise Refused("The newest event is not the head of the audit trail.")
    return f"{count:,} audit events in order, {links:,} linked to the one before"


NOT_PROVEN = (
    "Not proven here: that the seals of the audit events are genuine and that none is "
    "missing (that takes the console's key: manage.py audit_verify there), and that "
    "what the console was told by Ampersand is true."
)


def verify(path: Path, key: str = "") -> list[str]:
    """Check a pack; return what was found, line by line. Raises Refused."""
    pack: Pack = Directory(path) if path.is_dir() else Archive(path)
    try:
        return _verify(pack, key)
    finally:
        for each in reversed(pack.opened):
            each.close()


def _verify(pack: Pack, key: str) -> list[str]:
    manifest, public_key = manifest_of(pack)
    found = [pack.check(public_key), check_files(pack, manifest)]
    evidence = json.loads(_read(pack, "evidence.json"))
    found.append(check_requests(pack))
    found.append(check_rows(pack, evidence))
    found.append(check_audit(pack, evidence))
    if key and key.lower() != public_key.hex():
        raise Refused("It was signed by another key than the one you gave.")
    by = "the key that you gave" if key else "the key that the pack names, see --key"
    found.append(f"signed by {public_key.hex()}, {by}")
    return found


def main() -> int:
    """Verify what the command line names, and say so."""
    parser = argparse.ArgumentParser(description="Verify an evidence pack.")
    here = Path(__file__).resolve().parent
    parser.add_argument("pack", nargs="?", type=Path, default=here)
    parser.add_argument("--key", default="", help="the public key of the console")
    given = parser.parse_args()
    if not given.pack.exists():
        parser.error(f"{given.pack} is not there")
    try:
        found = verify(given.pack, given.key)
    except Refused as problem:
        sys.stdout.write(f"REFUSED  {problem}\n")
        return 1
    except Exception as problem:
        what = f"{type(problem).__name__}: {problem}"
        sys.stdout.write(f"REFUSED  The pack cannot be read ({what}).\n")
        return 1
    for line in found:
        sys.stdout.write(f"ok       {line}\n")
    sys.stdout.write(f"ACCEPTED\n\n{NOT_PROVEN}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
