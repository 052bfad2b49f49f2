"""The report of a period: plots and totals, as page, CSV and signed JSON."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console import VERSION
from console.access.roles import Person, Role, environments_for, require_viewer
from console.http import ConsoleRequest
from console.signed_file import signed_file
from console.signing import public_keys
from console.ui.downloads import note_download
from console.ui.periods import OF_DAYS, zone_in_words
from operations.csv_export import csv_lines, digest_of, download
from operations.display import report as shown
from operations.display.plot import Plot, durations_plot, rows_plot
from operations.display.report import Line, Period
from operations.filters import ReportFilter
from operations.models import Operation
from operations.models.days import bounds_of
from operations.models.rollup import counted_until, is_counted
from operations.views.lookup import name_groups

PAGE = "operations/report.html"
# The page lists so many unknown outcomes, files so many.
SHOWN, MOST_UNKNOWN = 5, 10_000
HOME_DAYS, HOME_HEIGHT = 14, 64
COLUMNS = (
    "Totals by",
    "Name",
    "Value",
    "Operations",
    "Rows succeeded",
    "Rows failed",
    "Rows unknown",
    "Rows running",
    "From",
    "To",
    "Time zone",
)


@require_safe
@never_cache
@require_viewer
def report(request: ConsoleRequest) -> HttpResponse:
    """Show what was written in a period."""
    return _page(request, ReportFilter(request.GET, user=request.user))


@require_safe
@never_cache
@require_viewer  # type: ignore[arg-type]
def report_csv(request: ConsoleRequest) -> HttpResponseBase:
    """Send the totals as CSV for spreadsheets, unknown outcomes first."""
    chosen = ReportFilter(request.GET, user=request.user)
    if not chosen.is_valid() or not is_counted():
        return _page(request, chosen, status=409)
    period = _period(request.user, chosen)
    lines = list(csv_lines(COLUMNS, _cells(period)))
    _note(request, period, "CSV", digest_of(lines))
    return download(lines, file_name=f"{_file_name(period)}.csv")


@require_safe
@never_cache
@require_viewer
def report_json(request: ConsoleRequest) -> HttpResponse:
    """Send the report as signed JSON: see `console.signed_file`."""
    chosen = ReportFilter(request.GET, user=request.user)
    if not chosen.is_valid() or not is_counted():
        return _page(request, chosen, status=409)
    period = _period(request.user, chosen)
    file = signed_file(_document(period))
    _note(request, period, "signed JSON", hashlib.sha256(file).hexdigest())
    name = f'attachment; filename="{_file_name(period)}.json"'
    headers = {"Content-Disposition": name, "X-Content-Type-Options": "nosniff"}
    return HttpResponse(file, content_type="application/json", headers=headers)


def home_plot(user: Person) -> Plot | None:
    """Return the plot of the last days for Home.

    None where nothing was written, and until all days are counted.
    """
    if not is_counted():
        return None
    today = timezone.localdate()
    period = Period(user, today - timedelta(days=HOME_DAYS - 1), today)
    return rows_plot(shown.by_day(period, with_durations=False), height=HOME_HEIGHT)


def _page(
    request: ConsoleRequest, chosen: ReportFilter, *, status: int = 200
) -> HttpResponse:
    """Draw the page: 400 when the filters make no sense, otherwise `status`."""
    context: dict[str, Any] = {
        "filter": chosen,
        "zone": zone_in_words(),
        "is_counted": is_counted(),
    }
    if chosen.is_valid():
        context |= _contents(_period(request.user, chosen))
        context |= {"presets": _presets(chosen), "query": chosen.query()}
    else:
        status = 400
    return render(request, PAGE, context, status=status)


def _period(user: Person, chosen: ReportFilter) -> Period:
    return Period(user, *chosen.days, chosen.cleaned_data["environment"])


def _contents(period: Period) -> dict[str, Any]:
    days = shown.by_day(period)
    unknown = list(shown.unknown(period).filter(resolved_at=None)[: SHOWN + 1])
    name_groups(unknown)
    return {
        "period": period,
        "all_query": period.query(),
        "as_of": counted_until(),
        "totals": shown.totals(period),
        "days": [line for line in days if line.sums["operations"]][::-1],
        "rows_plot": rows_plot(days),
        "durations_plot": durations_plot(days),
        "errors": shown.errors(period),
        "tables": [(what, shown.by(period, what)) for what in shown.BY],
        "unknown": unknown[:SHOWN],
        "all_unknown": period.query(status="unknown") if len(unknown) > SHOWN else "",
        "public_key": public_keys()[0],
    }


def _presets(chosen: ReportFilter) -> list[dict[str, Any]]:
    """Return the links to each preset, in the environment that is chosen."""
    environment = chosen.narrowing.get("environment")
    rest = {"environment": environment} if environment else {}
    return [
        {
            "label": preset.label,
            "query": urlencode({"period": preset.value, **rest}),
            "is_on": preset == chosen.chosen,
        }
        for preset in OF_DAYS
    ]


def _file_name(period: Period) -> str:
    return f"report-{period.first.isoformat()}-{period.last.isoformat()}"


def _note(request: ConsoleRequest, period: Period, form: str, sha256: str) -> None:
    note_download(
        request,
        "report.downloaded",
        f"Report from {period.first} to {period.last} as {form}",
        told=lambda: {"environment": period.environment, "sha256": sha256},
    )


def _cells(period: Period) -> Iterator[list[Any]]:
    rest = [period.first.isoformat(), period.last.isoformat(), settings.TIME_ZONE]
    for operation in shown.unknown(period)[:MOST_UNKNOWN]:
        what = f"{operation.get_action_display()} {operation.object_name}"
        name = f"#{operation.pk}: {what} for {operation.group_ref}"
        yield ["unknown outcome", name, operation.pk, 1, *_counts(operation), *rest]
    for what, lines in _all_lines(period):
        for line in lines:
            sums = (line.sums[name] for name in shown.SUMS)
            yield [what, line.name, line.value, *sums, *rest]


def _counts(operation: Operation) -> list[int]:
    succeeded, failed = operation.rows_succeeded or 0, operation.rows_failed or 0
    return [succeeded, failed, operation.rows_unknown or 0, 0]


def _all_lines(period: Period) -> Iterator[tuple[str, list[Line]]]:
    most = shown.MOST_LINES
    yield "all", [Line("All", "", shown.totals(period))]
    for what in shown.BY:
        yield what, shown.by(period, what, most=most).lines
    yield "error", shown.errors(period, most=most).lines
    yield "day", shown.by_day(period, with_durations=False)


def _document(period: Period) -> dict[str, Any]:
    words = environments_for(period.user, Role.VIEWER)
    start, end = bounds_of(period.first, period.last)
    unknown = shown.unknown(period)
    return {
        "kind": "report of what was written",
        "console": VERSION,
        "made_at": timezone.now().isoformat(),
        "made_by": period.user.get_username(),
        "from": period.first.isoformat(),
        "to": period.last.isoformat(),
        "begins_at": start.isoformat(),
        "ends_before": end.isoformat(),
        "time_zone": settings.TIME_ZONE,
        "environments": [period.environment] if period.environment else words,
        # Changes after this moment may not be counted yet.
        "counted_as_of": (counted_until() or timezone.now()).isoformat(),
        "unknown_count": unknown.count(),
        "unknown": [_told(each) for each in unknown[:MOST_UNKNOWN]],
        "totals": {
            what: [{"name": e.name, "value": e.value, **e.sums} for e in lines]
            for what, lines in _all_lines(period)
        },
    }


def _told(operation: Operation) -> dict[str, Any]:
    sent, resolved = operation.sent_at, operation.resolved_at
    return {
        "operation": operation.pk,
        "action": operation.action,
        "object": operation.object_name,
        "customer": operation.group_ref,
        "user": operation.started_by_name,
        "project": operation.project.name,
        "environment": operation.project.environment,
        "sent_at": sent.isoformat() if sent else None,
        "resolved_at": resolved.isoformat() if resolved else None,
        "resolution": operation.resolution,
        "rows_unknown": operation.rows_unknown,
    }
