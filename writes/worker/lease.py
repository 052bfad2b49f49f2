"""The lease on what is being sent: renewed while its worker lives, and no longer."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, connection

from console.runtime import db_clock

log = logging.getLogger(__name__)

# A worker that sends says so every few seconds; after the lease it counts as gone.
LEASE = timedelta(seconds=20)
RENEW_SECONDS = 5


@contextmanager
def lease_renewed(what: object, renew: Callable[[datetime], object]) -> Iterator[None]:
    """Call `renew` with the time again and again while the block runs.

    From a thread: a dead process renews nothing. `what` is named in the log.
    """
    done = threading.Event()

    def keep_on() -> None:
        while not done.wait(RENEW_SECONDS):
            try:
                renew(db_clock.now())
            except (DatabaseError, InterfaceError):
                log.exception("%s: lease not renewed", what)
                connection.close()
        connection.close()

    thread = threading.Thread(target=keep_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
