"""The transitions of operations, as rows."""

from django.db import models

from console.models.transition import Transition, only
from operations.models.operation import Operation
from operations.models.states import LEDGER


class OperationTransition(Transition):
    """An operation came from one state into another: see `Transition`.

    The database takes only those of `operations.models.states`.
    """

    operation = models.ForeignKey(
        Operation, on_delete=models.CASCADE, related_name="transitions", db_index=False
    )

    class Meta(Transition.Meta):
        constraints = [
            models.CheckConstraint(
                condition=only(LEDGER), name="operation_transition_allowed"
            ),
            models.UniqueConstraint(
                fields=["operation", "number"], name="operation_transition_once"
            ),
        ]
