"""A row's life: transitions from state to state, each kept for good."""

from collections.abc import Iterable, Mapping

from django.db import models
from django.db.models import Q
from django.utils import timezone

from console.processes import LONGEST, this_process

# What may follow each state; "" stands before the first one.
type Ledger = Mapping[str, Iterable[str]]


class Transition(models.Model):
    """One row came from one state into another: when, by whom, where, and why.

    Written in the same transaction as the change itself, and never changed, but that
    retention takes away a `reason` in which a server quotes values. `number` gives
    their order, since clocks may step back. `actor_name` is "" where no person had a
    part in it, and `process` says which process did it.
    """

    number = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    from_state = models.CharField(max_length=20, blank=True)
    to_state = models.CharField(max_length=20)
    actor_name = models.CharField(max_length=150, blank=True)
    process = models.CharField(max_length=LONGEST, default=this_process)
    reason = models.TextField(blank=True)

    class Meta:
        abstract = True
        ordering = ["number"]

    def __str__(self) -> str:
        return f"{self.from_state or 'new'} to {self.to_state}"

    def save(self, *args: object, **kwargs: object) -> None:
        """Add it. Raises `TypeError` for one that is there already."""
        if not self._state.adding:
            message = "A transition is history: it cannot be changed."
            raise TypeError(message)
        super().save(force_insert=True)


def only(ledger: Ledger) -> Q:
    """Return the condition that a transition is one of those in `ledger`."""
    allowed = Q()
    for before, states in ledger.items():
        allowed |= Q(from_state=before, to_state__in=sorted(states))
    return allowed
