"""What became of a write, state by state."""

from typing import Final

from django.db import models

from console.models.transition import Transition, only
from writes.models.write import Write

# What may follow each state; drawn in docs/states.md.
LEDGER: Final = {"": ("draft",), "draft": ("confirmed", "discarded")}


class WriteTransition(Transition):
    """A write came from one state into another: see `Transition`.

    The database takes only those of LEDGER.
    """

    write = models.ForeignKey(
        Write, on_delete=models.CASCADE, related_name="transitions", db_index=False
    )

    class Meta(Transition.Meta):
        constraints = [
            models.CheckConstraint(
                condition=only(LEDGER), name="write_transition_allowed"
            ),
            models.UniqueConstraint(
                fields=["write", "number"], name="write_transition_once"
            ),
        ]
