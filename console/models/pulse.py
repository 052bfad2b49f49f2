"""When this database was last in use."""

from datetime import timedelta

from django.db import models


class Pulse(models.Model):
    """The one row that the clock counts up at each tick: see `console.health.pulse`.

    `at` is told by the database. `number` never goes back, whatever a clock on the wall
    does, unless the database does.
    """

    # Longer than clocks pause: 10 s after a failure, and 20 s for a locked database.
    GAP = timedelta(seconds=45)

    number = models.PositiveBigIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.number} at {self.at:%Y-%m-%d %H:%M:%S}"
