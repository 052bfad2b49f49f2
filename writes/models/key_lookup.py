"""What a search told of one key of a draft: kept so that it is asked once."""

from datetime import datetime, timedelta

from django.db import models

from writes.models.write import Write

# What is older than this is not confirmed any more, and is asked again before.
STALE_AFTER = timedelta(minutes=15)
# What is later than this was noted before the clock was set back: nobody knows when.
CLOCKS_DIFFER = timedelta(minutes=1)
LONGEST_KEY = 255
LONGEST_ID = 100


class KeyLookup(models.Model):
    """How many records of the customer have this key, and the id of the one that has.

    `asked` is a digest of where and by which field it was asked: what is told of one
    customer says nothing of another. `record_id` is "" where there is none, or several,
    or one that does not show the key.
    """

    write = models.ForeignKey(Write, on_delete=models.CASCADE, related_name="lookups")
    asked = models.CharField(max_length=64)
    key = models.CharField(max_length=LONGEST_KEY)
    hits = models.PositiveSmallIntegerField()
    record_id = models.CharField(max_length=LONGEST_ID, blank=True)
    looked_up_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["write", "asked", "key"], name="key_lookup_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key} of write {self.write_id}: {self.hits}"


def is_stale(write: Write, now: datetime) -> bool:
    """Tell whether the keys of a write were looked up too long ago to send it."""
    if write.action != Write.Action.BY_KEY:
        return False
    if write.looked_up_at is None or write.looked_up_at > now + CLOCKS_DIFFER:
        return True
    return write.looked_up_at + STALE_AFTER <= now
