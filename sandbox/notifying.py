"""Notifications of ended asynchronous writes, signed as Svix does."""

import base64
import hashlib
import hmac
import json
import time
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

from sandbox.catalog import known_uuid
from sandbox.store import Row

PREFIX = "whsec_"
SECONDS = 5
"""How long a receiver may take to answer."""

type Send = Callable[[str, dict[str, str], bytes], object]


def send_over_http(url: str, headers: dict[str, str], body: bytes) -> None:
    """POST a notification; what becomes of it is nobody's concern."""
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - an address of the tests
    try:
        urllib.request.urlopen(request, timeout=SECONDS).close()  # nosec B310 # noqa: S310 - as above
    except OSError:
        return


def signed(
    secret: str, body: bytes, *, at: float, message_id: str = ""
) -> dict[str, str]:
    """Return the headers of a notification that is sent at this moment."""
    message_id = message_id or f"msg_{uuid.uuid4().hex}"
    key = base64.b64decode(secret.removeprefix(PREFIX))
    text = f"{message_id}.{int(at)}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()
    return {
        "Content-Type": "application/json",
        "svix-id": message_id,
        "svix-timestamp": str(int(at)),
        "svix-signature": f"v1,{signature}",
    }


class Notifier:
    """Tells an address of what ended, once it has one. `send` is how."""

    def __init__(self, send: Send = send_over_http) -> None:
        self.url = ""
        self.secret = ""  # nosec B105 # noqa: S105 - none until one is given
        self.send = send

    def tell(self, row: Row, written: dict[str, list[str]]) -> None:
        """Tell that an operation ended, as its fault has it."""
        if not self.url:
            return
        body = json.dumps(_said(row, written)).encode()
        other = PREFIX + base64.b64encode(b"another secret than the real").decode()
        secret = other if row["fault"] == "webhook_forged" else self.secret
        headers = signed(secret, body, at=time.time())
        for _ in range(2 if row["fault"] == "webhook_twice" else 1):
            self.send(self.url, headers, body)


def _said(row: Row, written: dict[str, list[str]]) -> dict[str, Any]:
    ids = written.get("successfulRecordIds", [])
    data = {
        "projectId": row["project"],
        "integrationId": row["integration"],
        "installationId": known_uuid("installation", row["integration"], row["org"]),
        "groupRef": row["org"],
        "objectName": row["object"],
        "success": bool(ids),
        "successfulRecordIds": ids,
        "errors": [],
    }
    return {"type": "write.async.done", "data": data}
