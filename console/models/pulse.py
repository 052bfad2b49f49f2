"""When this database was last in use, which one it is, and what made it doubtful."""

from datetime import timedelta

from django.db import models


class Pulse(models.Model):
    """The one row that the clock counts up at each tick: see `console.health.pulse`.

    `at` is told by the database. `number` never goes back, whatever a clock on the wall
    does, unless the database does. `noted` is the number that the file beside it held
    at the last tick, `identity` which database it was then (`console.health.identity`).
    """

    # Longer than clocks pause: 10 s where nothing is due or something failed, and 20 s
    # for a locked database.
    GAP = timedelta(seconds=45)
    # So many counts a file may be behind: of two clocks one notes what is older.
    SLACK = 60

    number = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    noted = models.PositiveBigIntegerField(default=0, db_default=0)
    identity = models.JSONField(null=True)
    # When what waits was held last, since it may have been sent, and why.
    doubted_at = models.DateTimeField(null=True)
    doubt = models.CharField(max_length=300, blank=True, default="", db_default="")

    def __str__(self) -> str:
        return f"{self.number} at {self.at:%Y-%m-%d %H:%M:%S}"
