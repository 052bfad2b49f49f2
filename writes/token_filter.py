"""No log tells the token of a shared address: whoever reads it could fetch the file.

Nor that of a link by e-mail, which sets a password.
Nor what somebody searched for, as a customer's e-mail address.
"""

import logging
import re
from typing import Any

# As `secrets.token_urlsafe(32)` makes them, or Django those of links by e-mail,
# wherever they stand: also behind an address that is spelled wrongly, in a Referer, or
# in an access log.
_TOKEN = re.compile(
    r"(?:(?<![\w-])|(?<=%2f))(?:[\w-]{43}|[0-9a-z]{6}-[0-9a-f]{32})(?![\w-])",
    re.ASCII | re.IGNORECASE,
)
# And whatever stands where one should, as the address is spelled by and by.
_SLASH = r"(?:/|%(?:25)*2f|\\)"
_LETTERS = "".join(f"(?:{char}|%(?:25)*{ord(char):x})" for char in "files")
_BEHIND = re.compile(rf"({_SLASH}{_LETTERS}{_SLASH}+)[^\s/?#\"'\\]+", re.IGNORECASE)
# The query of a search, also in a Referer.
_SEARCHED = re.compile(r"(/search/?\?)[^\s\"'\\]+", re.IGNORECASE)


def masked(text: str) -> str:
    """Return the text with “…” in place of each token and each search."""
    text = _SEARCHED.sub(r"\1…", _BEHIND.sub(r"\1…", text))
    return _TOKEN.sub("…", text)


def install() -> None:
    """Mask what every logger of this process is told, whoever handles it.

    That is Django's, which names the path of each request that it refuses, and the
    web server's: its log of errors, and of accesses where somebody has set one.
    """
    make = logging.getLogRecordFactory()

    def make_masked(*args: Any, **values: Any) -> logging.LogRecord:
        record = make(*args, **values)
        text = _message(record)
        if (clean := masked(text)) != text:
            # A report of an error has them alone, and never what was put into them.
            record.words = masked(str(record.msg))
            record.msg, record.args = clean, ()
        return record

    logging.setLogRecordFactory(make_masked)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:
        # Whoever writes it down will say so.
        return ""
