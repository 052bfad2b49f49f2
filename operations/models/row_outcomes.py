"""How the rows of an operation fared, as expressions for the database.

Together they are all rows that have left or will, each in one of them. The same ones
make the plots and the lists that the plots lead to.
"""

from typing import Final

from django.db.models import BigIntegerField, Case, F, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Greatest

# The states in the console's words: see `Operation.State`.
RUNNING: Final = ("held", "waiting", "sending", "in_progress")
NOT_WRITTEN: Final = ("rejected", "not_written")
NOT_SENT: Final = ("cancelled",)

_ROWS = BigIntegerField()


def _known(name: str) -> Combinable:
    return Coalesce(F(name), Value(0), output_field=_ROWS)


def _where(states: tuple[str, ...], then: Combinable, other: Combinable) -> Case:
    found = When(Q(state__in=states), then=then)
    return Case(found, default=other, output_field=_ROWS)


_NONE = Value(0, output_field=_ROWS)
_succeeded, _failed = _known("rows_succeeded"), _known("rows_failed")
_rest = Greatest(_known("rows_sent") - _succeeded - _failed, _NONE, output_field=_ROWS)
_not_succeeded = Greatest(
    _known("rows_sent") - _succeeded, _failed, _NONE, output_field=_ROWS
)

# Each name is that of a field of `DayCount`, and what it counts.
ROW_OUTCOMES: Final[dict[str, Combinable]] = {
    "rows_succeeded": _succeeded,
    "rows_failed": _where(NOT_WRITTEN, _not_succeeded, _failed),
    "rows_unknown": _where((*RUNNING, *NOT_WRITTEN, *NOT_SENT), _NONE, _rest),
    "rows_running": _where(RUNNING, _rest, _NONE),
}
