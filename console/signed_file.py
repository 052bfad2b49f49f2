"""A report as a signed JSON file: one changed byte, and it is refused.

The signature is over the report alone, written in one way: sorted keys, no spaces,
UTF-8. The file around it is written in one way too, so that a byte between its values
counts as well.
"""

import json
from typing import Any, Final

from console.signing import is_signed, public_keys, sign

# Stands before what is signed, so that nothing else can be taken for a report.
USE: Final = b"write console: report\n"
ALGORITHM: Final = (
    "Ed25519 over the line “write console: report” and the report as JSON with sorted "
    "keys, without spaces"
)


class Refused(ValueError):
    """The file is not as it was signed; the text says in what."""


def signed_file(report: dict[str, Any]) -> bytes:
    """Return the file of a report: JSON values whose keys are texts."""
    public_key = public_keys()[0]
    signed = {
        "algorithm": ALGORITHM,
        "public_key": public_key,
        "signature": sign(_content(report), public_key).hex(),
    }
    return _file({"report": report, "signature": signed})


def read_signed(file: bytes, *, trusted: list[str]) -> dict[str, Any]:
    """Return the report in a file that one of the `trusted` public keys signed.

    Raises `Refused` for any other.
    """
    try:
        given = json.loads(file)
        report, signed = given["report"], given["signature"]
        public_key, signature = signed["public_key"], signed["signature"]
        is_known = signed["algorithm"] == ALGORITHM
        whole = _file({"report": report, "signature": signed})
        content = _content(report)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refused("It is no signed report, or it was changed.") from None
    if whole != file or not is_known or not isinstance(report, dict):
        raise Refused("It was changed: it is not written as a signed report is.")
    if public_key not in trusted:
        raise Refused("It was signed with a key that is not trusted here.")
    if not is_signed(content, public_key=public_key, signature=str(signature)):
        raise Refused("It was changed: the signature is that of another content.")
    return report


def _content(report: Any) -> bytes:
    text = json.dumps(report, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return USE + text.encode()


def _file(whole: dict[str, Any]) -> bytes:
    text = json.dumps(whole, sort_keys=True, ensure_ascii=False, indent=1)
    return f"{text}\n".encode()
