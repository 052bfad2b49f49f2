"""The log of an operation, as Ampersand told it."""

from django.db import models
from django.db.models import Q


class LogEntry(models.Model):
    """One line of an operation's log; our copy outlives Ampersand's retention."""

    # No index of its own: those below begin with it.
    operation = models.ForeignKey(
        "operations.Operation",
        on_delete=models.CASCADE,
        related_name="log_entries",
        db_index=False,
    )
    # Our own order: 1, 2, 3 … as the entries came to us.
    sequence = models.PositiveIntegerField()
    timestamp = models.DateTimeField(null=True)
    severity = models.CharField(max_length=50, blank=True)
    text = models.TextField()
    error = models.TextField(blank=True)
    raw = models.JSONField()
    # SHA-256 of `raw` and its repetition, so that asking again adds nothing twice.
    fingerprint = models.CharField(max_length=70)
    # Whether it says how the operation or its rows fared: the few of many that are read
    # again for counts and failures.
    tells_outcome = models.BooleanField(default=False)

    class Meta:
        ordering = ["operation_id", "sequence"]
        indexes = [
            # The page of an operation: which rows failed, and why?
            models.Index(
                fields=["operation", "sequence"],
                condition=Q(tells_outcome=True),
                name="log_entry_tells_outcome",
            ),
            # Its log: which severities are there, and the last entries of one?
            models.Index(
                fields=["operation", "severity", "sequence"],
                name="log_entry_by_severity",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["operation", "sequence"], name="log_entry_sequence_once"
            ),
            models.UniqueConstraint(
                fields=["operation", "fingerprint"], name="log_entry_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.severity} {self.text[:80]}"
