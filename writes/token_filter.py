"""No log tells the token of a shared address: whoever reads it could fetch the file."""

import logging
import re

# Django logs the path of every request that it refuses, and so of those to an address
# that still gives its file: another method, a range that is not there.
LOGGERS = ("django.request", "django.security.csrf", "django.server")

_TOKEN = re.compile(r"(/files/)[^/\s?]+")


class TokenFilter(logging.Filter):
    """Puts “…” in place of the token in a line of a log."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if "/files/" in text:
            record.msg, record.args = _TOKEN.sub(r"\1…", text), ()
        return True


def install() -> None:
    """Filter every log in which Django names the path of a request."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(TokenFilter())
