"""What a running installation can show, looked at once: for `manage.py doctor`.

Each examination looks at one thing and yields what it found. That a variable is wrong
is told before any of this: no process starts then. What `manage.py check --deploy` says
is part of it.
"""

import shutil
import ssl
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from http.client import HTTPException
from itertools import chain
from typing import Any, Literal
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from django.conf import settings
from django.core import checks
from django.core.mail import mailers
from django.db import (
    DatabaseError,
    InterfaceError,
    NotSupportedError,
    ProgrammingError,
    connection,
)
from django.utils import timezone

from console.health import pulse
from console.health.factor_secrets import factor_secrets, unreadable_factors
from console.health.stored_secrets import stored_secrets, unreadable_secrets
from console.health.workers import background
from console.models import Heartbeat, Pulse
from console.runtime import db_clock
from console.runtime.trouble import AWAY, disk_trouble, pending_migrations, trouble_of
from console.uploads import MIB, is_room_low

# An answer that takes longer is none.
ANSWER_SECONDS = 10
# Times on pages come from the machine; leases do not, so this is no harm by itself.
MOST_SKEW = timedelta(seconds=2)
# A clock counts the pulse up once a second at most, and a beat is this old at most.
MOST_BEHIND = 2 * Heartbeat.PATIENCE.total_seconds()
MOST_NAMED = 5

State = Literal["ok", "warning", "failed", "not looked at"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: how it is, and what to do where it is not well."""

    name: str
    state: State
    text: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        """Return it as an object of strings."""
        return asdict(self)


type Examination = Callable[[], Iterator[Finding]]


def examine(*more: Examination) -> Iterator[Finding]:
    """Yield what every examination finds; `more` are those of other apps."""
    yield from settings_found()
    found = list(database())
    yield from found
    if found[0].state == "ok":
        for each in (migrations, secrets, skew, processes, shared_directory):
            # They read tables that may be missing, or that this user may not read.
            yield from _as_far_as_possible(each)
    yield from directory()
    yield from address("CONSOLE_URL", "login/")
    yield from address("PUBLIC_URL", "files/doctor/")
    yield from mail()
    for each in more:
        yield from each()


def _as_far_as_possible(examination: Examination) -> Iterator[Finding]:
    name = examination.__name__.replace("_", " ")
    try:
        yield from examination()
    except (DatabaseError, InterfaceError) as error:
        trouble = trouble_of(error) or AWAY
        if isinstance(error, ProgrammingError) and trouble is AWAY:
            # It answers, and refuses: as where another user restored the tables.
            said = str(error).partition("\n")[0]
            text = f"The database refuses it: {said}."
            remedy = "Make the user of DATABASE_URL the owner of all tables."
            yield Finding(name, "failed", text, remedy)
        else:
            yield Finding(name, "not looked at", trouble.text, trouble.remedy)


def settings_found() -> Iterator[Finding]:
    """Tell what Django and the console have to say about the settings."""
    told = checks.run_checks(include_deployment_checks=True)
    told = [message for message in told if not message.is_silenced()]
    for message in told:
        state: State = "failed" if message.is_serious() else "warning"
        text = f"{message.id}: {message.msg}"
        yield Finding("settings", state, text, message.hint or "")
    if not told:
        text = "Nothing to be said by manage.py check --deploy."
        yield Finding("settings", "ok", text)


def database() -> Iterator[Finding]:
    """Tell whether the database answers, and which it is."""
    try:
        connection.ensure_connection()
        # Django refuses one that is too old.
        number = connection.get_database_version()
    except NotSupportedError as error:
        # It answers, and says which version it has.
        remedy = "Give the console a database of a version that it can use."
        yield Finding("database", "failed", f"{error}.".replace("..", "."), remedy)
        return
    except (DatabaseError, InterfaceError) as error:
        trouble = trouble_of(error) or AWAY
        yield Finding("database", "failed", trouble.text, trouble.remedy)
        return
    version = ".".join(map(str, number))
    yield Finding("database", "ok", f"{connection.display_name} {version}.")


def migrations() -> Iterator[Finding]:
    """Tell which migrations of this version the database lacks."""
    if missing := pending_migrations():
        shown = ", ".join(missing[:MOST_NAMED])
        more = len(missing) - MOST_NAMED
        text = f"Pending: {shown}{f' and {more} more' if more > 0 else ''}."
        remedy = "Run manage.py migrate, then restart all processes."
        yield Finding("migrations", "failed", text, remedy)
    else:
        yield Finding("migrations", "ok", "None is pending.")


def secrets() -> Iterator[Finding]:
    """Decrypt each stored secret, those of second factors, too."""
    if unreadable := unreadable_secrets() + unreadable_factors():
        yield Finding(
            "secrets",
            "failed",
            f"No key of FIELD_KEYS opens: {'; '.join(unreadable)}.",
            "Put the key back that they were encrypted with, at the end of FIELD_KEYS; "
            "where it is lost, add these API keys and secrets anew, and have an "
            "admin remove these second factors, under Users.",
        )
    else:
        count = sum(1 for _ in chain(stored_secrets(), factor_secrets()))
        yield Finding("secrets", "ok", f"All {count} can be read.")


def skew() -> Iterator[Finding]:
    """Compare the clock of this machine with the database's."""
    before = timezone.now()
    told = db_clock.now()
    # Half of the way there and back.
    apart = told - (before + (timezone.now() - before) / 2)
    text = f"The database's clock is {apart.total_seconds():+.2f} s from this one."
    if abs(apart) > MOST_SKEW:
        remedy = "Have both machines set their clocks by NTP."
        yield Finding("clock skew", "failed", text, remedy)
    else:
        yield Finding("clock skew", "ok", text)


def processes() -> Iterator[Finding]:
    """Tell which clocks and workers are alive, and whether tasks wait."""
    found = background()
    for name, means in found.missing:
        yield Finding(
            "processes", "failed", f"{name} does not run. {means}", "Start it."
        )
    if found.state == "stalled" and found.oldest is not None:
        seconds = round(found.oldest.total_seconds())
        text = f"A task has waited for {seconds} s; {found.waiting} wait."
        remedy = "Start more workers, or read the log of those that run."
        yield Finding("processes", "warning", text, remedy)
    if found.state == "ok":
        alive = sorted(Heartbeat.objects.alive().values_list("process", flat=True))
        yield Finding("processes", "ok", f"Alive: {', '.join(alive)}.")
    if found.unattended is None:
        text = "Another task engine is set: its own tools tell of its workers."
        yield Finding("processes", "not looked at", text)


def shared_directory() -> Iterator[Finding]:
    """Tell whether this process and those alive all have the directory of the clock.

    The clock notes a number there that it counts up; whoever beats says which one it
    found.
    """
    name = "shared directory"
    alive = Heartbeat.objects.alive()
    clocks = alive.filter(queue="").count()
    pulse_row = Pulse.objects.first()
    if not clocks or pulse_row is None:
        text = "No clock runs, which would note a number in its DATA_DIR."
        yield Finding(name, "not looked at", text)
        return
    least = pulse_row.number - MOST_BEHIND * clocks
    seen = dict(alive.values_list("process", "pulse_seen"))
    others = [process for process, number in seen.items() if number < least]
    if pulse.noted() < least:
        others.insert(0, "this machine")
    if others:
        text = f"Another DATA_DIR than the clock's: {', '.join(others)}."
        remedy = (
            "Give all machines one directory. Files that are uploaded are not found by "
            "the others, and their uploads not by them."
        )
        yield Finding(name, "failed", text, remedy)
    else:
        text = f"One for this machine and {len(seen)} processes that are alive."
        yield Finding(name, "ok", text)


def directory() -> Iterator[Finding]:
    """Tell whether DATA_DIR can be written to, and how much of it is free."""
    if trouble := disk_trouble():
        yield Finding("directory", "failed", trouble.text, trouble.remedy)
        return
    free = shutil.disk_usage(settings.DATA_DIR).free / MIB
    text = f"{settings.DATA_DIR}: {free:,.0f} MiB are free."
    if is_room_low():
        remedy = "Free disk space: below KEEP_FREE_MIB no upload is taken."
        yield Finding("directory", "failed", text, remedy)
    else:
        yield Finding("directory", "ok", text)


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def address(setting: str, path: str) -> Iterator[Finding]:
    """Ask this console for a page by its own address, as others do."""
    base = getattr(settings, setting)
    if not base:
        yield Finding(setting, "not looked at", "It is not set.")
        return
    asked = f"{base.rstrip('/')}/{path}"
    try:
        status, headers = _ask(asked)
    except (OSError, ValueError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(error, HTTPException) and not isinstance(error, OSError):
            # The error quotes what came, whatever that is.
            reason = "what came is no HTTP"
        is_tls = isinstance(reason, ssl.SSLError)
        yield Finding(
            setting,
            "failed",
            f"{asked} does not answer: {reason}.",
            "Renew the certificate or its chain at the proxy."
            if is_tls
            else "Look at the name, the proxy and the firewall between.",
        )
        return
    if headers.get("Location") == asked:
        yield Finding(
            setting,
            "failed",
            f"{asked} leads to itself: the console does not see that it is https.",
            "Have the proxy set X-Forwarded-Proto, and set TRUST_PROXY.",
        )
    elif "X-Request-ID" not in headers:
        text = f"{asked} is answered {status}, and not by this console."
        remedy = "Look at what the proxy does with this address, and at ALLOWED_HOSTS."
        yield Finding(setting, "failed", text, remedy)
    else:
        yield Finding(setting, "ok", f"{asked} is answered by a console.")


def _ask(asked: str) -> tuple[int, Any]:
    # Both schemes are checked when the settings are read.
    request = Request(asked, method="GET")  # noqa: S310 - an address of the settings
    try:
        opener = build_opener(_NoRedirects)
        with opener.open(request, timeout=ANSWER_SECONDS) as answer:  # nosec B310 # of http or https - the setting is checked
            return answer.status, answer.headers
    except HTTPError as error:
        with error:
            return error.code, error.headers


def mail() -> Iterator[Finding]:
    """Sign in to the mail server; nothing is sent."""
    if not settings.SENDS_MAIL:
        yield Finding("mail", "not looked at", "EMAIL_URL is not set.")
        return
    server = mailers["default"]
    try:
        server.open()
        server.close()
    except Exception as error:  # noqa: BLE001 - whatever smtplib and TLS raise
        text = f"The mail server cannot be used: {type(error).__name__}."
        remedy = "Look at EMAIL_URL, the server, and what is between."
        yield Finding("mail", "failed", text, remedy)
    else:
        yield Finding("mail", "ok", "The mail server lets us in.")
