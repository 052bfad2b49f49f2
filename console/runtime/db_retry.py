"""Waiting for a database that is away for a while."""

import logging
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection

log = logging.getLogger(__name__)

PAUSE = 1.0


def retry_while_database_is_away(work: Callable[[], None], *, seconds: float) -> None:
    """Do `work`, again while the database cannot be used, for up to `seconds`.

    Not for use in a transaction. `work` may have been done and the word of it lost, so
    it must do no harm the second time. Raises what the last try raised.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            return work()
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() > until:
                raise
            log.warning("The database could not be used; trying again: %s", error)
            connection.close()
            time.sleep(PAUSE)
