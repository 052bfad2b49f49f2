"""Which clocks and workers are alive."""

from datetime import timedelta
from socket import gethostname

from django.db import models

from console.processes import LONGEST, this_process
from console.runtime import db_clock


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
    """Questions asked of the heartbeats."""

    def alive(self) -> "HeartbeatQuerySet":
        """Return those of processes that were seen just now."""
        return self.seen().filter(seen_at__gt=db_clock.now() - Heartbeat.PATIENCE)

    def seen(self) -> "HeartbeatQuerySet":
        """Return those that tell when a process was seen: none of the future does.

        A clock that was set back leaves such rows, and they say nothing of who lives.
        """
        return self.filter(seen_at__lt=db_clock.now() + Heartbeat.PATIENCE)

    def forgotten(self) -> "HeartbeatQuerySet":
        """Return those of processes that ended long ago."""
        return self.filter(seen_at__lt=db_clock.now() - Heartbeat.KEPT)


class Heartbeat(models.Model):
    """When a clock or a worker was last seen alive. One row a process.

    `queue` is what a worker works off, "" for the clock. `seen_at` is told by the
    database, since it is compared on other machines. `pulse_seen` is the number that
    the process found noted in its DATA_DIR: one that does not follow the clock's has
    another directory.
    """

    # Workers beat every 5 seconds, clocks every 10 at least.
    PATIENCE = timedelta(seconds=30)
    KEPT = timedelta(days=1)

    process = models.CharField(max_length=LONGEST, primary_key=True)
    host = models.CharField(max_length=255)
    queue = models.CharField(max_length=32, blank=True)
    seen_at = models.DateTimeField()
    # The database fills it in for a process of an earlier version.
    pulse_seen = models.PositiveBigIntegerField(default=0, db_default=0)

    objects = HeartbeatQuerySet.as_manager()

    def __str__(self) -> str:
        return self.process

    @classmethod
    def beat(cls, queue: str = "", *, pulse_seen: int = 0) -> None:
        """Say that this process is alive now."""
        values = {
            "host": gethostname(),
            "queue": queue,
            "seen_at": db_clock.now(),
            "pulse_seen": pulse_seen,
        }
        mine = cls.objects.filter(process=this_process())
        if not mine.update(**values):
            cls.objects.update_or_create(process=this_process(), defaults=values)
