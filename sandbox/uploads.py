"""Files on their way: an address to put one at, and what a write calls it then.

Shapes are those of "generateUploadUrl" in Ampersand's OpenAPI document of 2024; behind
the real address is a store that knows nothing of Ampersand's keys.
"""

import base64
import binascii
import hashlib
import uuid
from typing import Any

from sandbox.store import Store
from sandbox.web import BadRequest, Problem, Request, Response, not_allowed, plain

OPEN_FOR = 15 * 60
"""Seconds for which an address is good."""

MAX_BYTES = 150 * 1024 * 1024
"""The largest file Ampersand documents."""

PATH = "sandbox-storage"
BUCKET = "gs://sandbox-uploads/"


def offer(store: Store, request: Request) -> dict[str, Any]:
    """Answer the question where a file may be put."""
    asked = request.parameters
    md5 = asked.get("md5", "")
    if not _is_md5(md5):
        raise BadRequest("md5 is not the base64 of an MD5")
    token = uuid.uuid4().hex
    reference = f"{BUCKET}{token}/{asked.get('fileName') or 'records.csv'}"
    with store.transaction():
        store.run(
            "INSERT INTO uploads (token, reference, md5, made) VALUES (?, ?, ?, ?)",
            *(token, reference, md5, request.time),
        )
    return {"url": f"{request.origin}/{PATH}/{token}", "reference": reference}


def take(store: Store, request: Request, token: str) -> Response:
    """Take the file that is put at an address, in the words of Google's store."""
    if request.method != "PUT":
        raise not_allowed("PUT")
    if request.key:
        # Nobody but Ampersand may get to see one.
        raise BadRequest("an API key came with the file")
    row = store.row("SELECT md5, made FROM uploads WHERE token = ?", token)
    if row is None:
        return _refused(403, "SignatureDoesNotMatch")
    if request.time - row["made"] > OPEN_FOR:
        return _refused(400, "ExpiredToken")
    if request.header("Content-Type") != "text/csv":
        return _refused(403, "SignatureDoesNotMatch")
    content = request.read(MAX_BYTES)
    given = request.header("Content-MD5")
    if given != row["md5"]:
        return _refused(403, "SignatureDoesNotMatch")
    digest = hashlib.md5(content, usedforsecurity=False).digest()
    if given != base64.b64encode(digest).decode():
        return _refused(400, "BadDigest")
    with store.transaction():
        store.run("UPDATE uploads SET content = ? WHERE token = ?", content, token)
    return plain("")


def text_of_upload(store: Store, reference: str) -> str:
    """The text of the file that a write names."""
    row = store.row("SELECT content FROM uploads WHERE reference = ?", reference)
    if row is None or row["content"] is None:
        raise Problem(404, "There is no uploaded file of this reference.")
    return bytes(row["content"]).decode("utf-8", "replace")


def _is_md5(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


def _refused(status: int, code: str) -> Response:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode()
    return Response(status, body, "application/xml")
