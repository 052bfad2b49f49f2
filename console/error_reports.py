"""Reports of errors to a server that speaks Sentry's protocol, by SENTRY_DSN.

What is logged as an error is reported, and what ends a process. A report is made anew
of the few parts that cannot quote a customer: kinds of errors, where in our code, the
words of the log without what was put into them, the ids by which the log is found. No
variable, header, cookie, address, body or message of an exception is in it; keys are
masked by value all the same. The log of the installation has the rest.
"""

import logging
from typing import Any

from console import VERSION
from console.processes import this_process
from console.redaction import masked
from console.runtime.log_context import log_context

OF_EVENT = ("event_id", "timestamp", "platform", "level", "logger", "release")
OF_FRAME = ("filename", "function", "module", "lineno", "in_app")


def start(dsn: str) -> None:
    """Report errors of this process from now on."""
    import sentry_sdk
    from sentry_sdk.integrations.excepthook import ExcepthookIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration

    sentry_sdk.init(
        dsn=dsn,
        release=VERSION,
        # None that reads requests, queries or arguments.
        default_integrations=False,
        integrations=[
            LoggingIntegration(level=None, event_level=logging.ERROR),
            ExcepthookIntegration(),
        ],
        before_send=thin,  # type: ignore[arg-type]
        include_local_variables=False,
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
    )


def thin(event: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any]:
    """Return the report that is sent in place of `event`."""
    kept = {name: event[name] for name in OF_EVENT if name in event}
    kept["server_name"] = this_process()
    kept["tags"] = dict(log_context())
    if words := _words(event, hint):
        kept["logentry"] = {"message": words}
    errors = (event.get("exception") or {}).get("values") or []
    kept["exception"] = {"values": [_error(each) for each in errors]}
    told: dict[str, Any] = _masked(kept)
    return told


def _words(event: dict[str, Any], hint: dict[str, Any]) -> str | None:
    """Return the words of a line of the log, without what was put into them.

    Where the line was masked (`writes.token_filter`) the record has them beside it.
    """
    written: str | None = (event.get("logentry") or {}).get("message")
    return getattr(hint.get("log_record"), "words", written)


def _error(error: dict[str, Any]) -> dict[str, Any]:
    frames = (error.get("stacktrace") or {}).get("frames") or []
    named = [{name: frame.get(name) for name in OF_FRAME} for frame in frames]
    return {
        "type": error.get("type"),
        "module": error.get("module"),
        "stacktrace": {"frames": named},
    }


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {name: _masked(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_masked(each) for each in value]
    return value
