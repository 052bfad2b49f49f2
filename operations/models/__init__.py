"""What became of each request to Ampersand.

Operation 1-N OperationTransition: every state that it was in.
Operation 1-N LogEntry: its log, copied from Ampersand.
Operation 1-N Failure: each kind of error it had, and how many of its rows.
User 1-N SavedView: filters of the list with a name; User 1-1 ListSettings.
Gate 1-1 Project: how much may be asked of its Ampersand, and whether it answers.
DayCount, DayDuration, DayError: what happened day by day, counted beforehand.
"""

from operations.models.failure import Failure
from operations.models.gate import Gate
from operations.models.list_settings import ListSettings
from operations.models.log_entry import LogEntry
from operations.models.operation import Operation
from operations.models.operation_queries import OperationQuerySet
from operations.models.rollup import (
    DayCount,
    DayDuration,
    DayError,
    RollupMark,
    RollupZone,
)
from operations.models.saved_view import SavedView
from operations.models.transition import OperationTransition

__all__ = [
    "DayCount",
    "DayDuration",
    "DayError",
    "Failure",
    "Gate",
    "ListSettings",
    "LogEntry",
    "Operation",
    "OperationQuerySet",
    "OperationTransition",
    "RollupMark",
    "RollupZone",
    "SavedView",
]
