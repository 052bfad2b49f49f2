"""How long a draft will take, going by what was sent before."""

from operations.display.usual_time import UsualTime, usual_time
from writes.models import Write


def usual_time_of(write: Write) -> UsualTime | None:
    """Return how long the like of a file took; None where that cannot be told.

    Parts that go one after the other take the sum of their times; of those that go
    together nobody knows.
    """
    if write.source != Write.Source.CSV or not write.row_count:
        return None
    parts = _parts(write)
    if parts > 1 and write.is_parallel:
        return None
    usual = usual_time(
        project_id=write.project.pk,
        object_name=write.object_name,
        action=write.action,
        rows=-(-write.row_count // parts),
    )
    if usual is None:
        return None
    return UsualTime(usual.low * parts, usual.high * parts, usual.count)


def _parts(write: Write) -> int:
    cut = (Write.Delivery.PARTS, Write.Delivery.UPLOAD)
    if write.is_run or write.delivery not in cut:
        return 1
    return max(1, len(write.check_report.get("parts", [])))
