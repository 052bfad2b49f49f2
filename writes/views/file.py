"""The file of a draft: how it is read, what is wrong with it, what can be mended."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any
from zoneinfo import available_timezones

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from console.access.roles import Role, require_viewer
from console.actor import Actor
from console.http import ConsoleRequest
from console.runtime.trouble import in_words
from console.sign_in import kept_form
from console.ui.polling import seconds_between_polls, seen
from files import unseen
from files.field import Field
from files.findings import LEVELS
from files.mending.recipes import InvalidRecipe, Recipe
from writes.actions.tell_audit import audit_draft
from writes.columns import columns_of, fields_of, samples_of
from writes.display import findings, reading
from writes.forms.recipe import (
    DATE_CHOICES,
    NUMBER_CHOICES,
    conversions_for,
    with_columns,
)
from writes.models import FileJob, Write
from writes.recipe import read_names
from writes.views import file_actions
from writes.views.drafting import GO_ON, check, is_clean
from writes.views.lookup import find_write
from writes.views.preserve import evidence_context

COLUMNS_SHOWN = 200
_CHANGED = (
    "Nothing was saved: the draft was changed at the same time or in another tab. "
    "Review it again."
)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@require_viewer
def file(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Show the file of a draft; a button named `do` changes what will be sent of it."""
    if request.method == "POST":
        return _change(request, write=_draft(request, pk, Role.OPERATOR))
    write = _draft(request, pk, Role.VIEWER)
    job = _job(write)
    if _may_go_on(request, write, job):
        return redirect(write)
    kept = kept_form.take(request, do="columns")
    if kept is None or not write.is_draft:
        return _page(request, write, job)
    try:
        typed = with_columns(write.recipe, columns_of(write), kept)
    except InvalidRecipe as error:
        return _page(request, write, job, problem=str(error))
    except FileNotFoundError as error:
        return _page(request, write, job, problem=in_words(error))
    return _page(request, write, job, typed=typed)


@require_safe
@never_cache
@require_viewer
def work(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Return how far the check is; 204 if that is as `seen`.

    Once it ended, the page is loaded anew, or left for the review.
    """
    write = _draft(request, pk, Role.VIEWER)
    job = _job(write)
    if _may_go_on(request, write, job):
        return HttpResponseClientRedirect(write.get_absolute_url())
    if job is None or not job.is_open:
        response = HttpResponse(status=204)
        response["HX-Refresh"] = "true"
        return response
    context = {"write": write, "job": job, **_job_polling(request, job)}
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    return render(request, "writes/file.html#file-work", context)


def _may_go_on(request: ConsoleRequest, write: Write, job: FileJob | None) -> bool:
    """Tell whether a reader who waited for the first check has nothing to see here."""
    if job is None or job.is_open:
        return False
    return _goes_on(request) and is_clean(write)


def _goes_on(request: ConsoleRequest) -> bool:
    name, _, value = GO_ON.partition("=")
    return request.GET.get(name) == value


def _job_polling(request: ConsoleRequest, job: FileJob) -> dict[str, Any]:
    seconds = seconds_between_polls(job.created_at)
    shown = (job.step, job.percent, job.done_bytes, job.done_rows, seconds)
    then = GO_ON if _goes_on(request) else ""
    return {"poll_seconds": seconds, "seen": seen(*shown), "then": then}


def _draft(request: ConsoleRequest, pk: int, role: Role) -> Write:
    write = find_write(request, pk, role)
    if write.source != Write.Source.CSV:
        raise Http404
    return write


def _job(write: Write) -> FileJob | None:
    """Return the check of the file as it is now, None if nobody began one."""
    job = FileJob.objects.last_with(write, FileJob.Kind.CHECK)
    if job is None or job.is_open or write.is_ready:
        return job
    return job if job.edition == write.edition else None


def _change(request: ConsoleRequest, *, write: Write) -> HttpResponse:
    """Do what the button says, and check the file anew."""
    action = file_actions.ACTIONS.get(request.POST.get("do", ""))
    if action is None or not write.is_draft:
        messages.warning(request, "Nothing was changed: this is no longer a draft.")
        return redirect(write)
    if request.POST.get("edition", str(write.edition)) != str(write.edition):
        # Its findings and columns may be others than those that were looked at.
        messages.warning(request, _CHANGED)
        return redirect("writes:file", write.pk)
    try:
        values = action(write, request)
    except InvalidRecipe as error:
        return _page(request, write, _job(write), problem=str(error), status=422)
    except FileNotFoundError:
        problem = "The stored file no longer exists. Upload it again."
        return _page(request, write, _job(write), problem=problem, status=422)
    return _check_anew(request, write, values)


def _check_anew(
    request: ConsoleRequest, write: Write, values: dict[str, Any]
) -> HttpResponse:
    if not _revise(request, write, values):
        messages.warning(request, _CHANGED)
        return redirect("writes:file", write.pk)
    if request.POST.get("remember"):
        file_actions.remember(write, request)
    check(write)
    return _back(request, write)


def _revise(request: ConsoleRequest, write: Write, values: dict[str, Any]) -> bool:
    do, actor = request.POST["do"], Actor.of(request)
    with transaction.atomic():
        if not write.revise(by=actor, is_ready=False, **values):
            return False
        audit_draft(write, actor, "write.fixed", do, do=do)
    return True


def _back(request: ConsoleRequest, write: Write) -> HttpResponse:
    """Lead back to where the work on the page is; console.js does so by itself."""
    page = resolve_url("writes:file", write.pk)
    place = file_actions.PLACES.get(request.POST.get("do", ""))
    is_led = place and "comes_back" not in request.POST
    return redirect(f"{page}#{place}" if is_led else page)


def _page(
    request: ConsoleRequest,
    write: Write,
    job: FileJob | None,
    *,
    problem: str = "",
    typed: Recipe | None = None,
    status: int = 200,
) -> HttpResponse:
    """Show the file; `typed` is what the columns say that were not applied yet."""
    context: dict[str, Any] = {
        "write": write,
        "project": write.project,
        "job": job,
        "problem": problem,
        "report": write.check_report,
        **evidence_context(request, write),
    }
    inspection = write.inspected
    context["inspection"] = inspection
    if inspection is not None and not inspection.refusal:
        context["choices"] = reading.choices(inspection, write.reading)
        context["asks_reading"] = _asks_reading(request, write)
    if job is not None and job.is_open:
        context |= _job_polling(request, job)
    if write.check_report:
        context |= _report_context(request, write, typed or write.recipe)
    return render(request, "writes/file.html", context, status=status)


def _asks_reading(request: ConsoleRequest, write: Write) -> bool:
    """Whether the page asks how the file is to be read: in doubt, or when told to."""
    if write.inspection["doubts"] and not write.reading:
        return True
    return "read" in request.GET and write.is_draft


def _report_context(
    request: ConsoleRequest, write: Write, typed: Recipe
) -> dict[str, Any]:
    report = write.check_report
    level = request.GET.get("level", "")
    level = level if level in LEVELS else ""
    groups = [g for g in report["groups"] if not level or g["level"] == level]
    counts = {
        name: sum(g["total"] for g in report["groups"] if g["level"] == name)
        for name in LEVELS
    }
    kinds = {
        name: len({g["rule"] for g in report["groups"] if g["level"] == name})
        for name in LEVELS
    }
    recipe, fields = write.recipe, fields_of(write)
    names = _columns_kept(write)
    findings.note_what_mends(groups, read_names(recipe, names))
    columns = _columns(names[:COLUMNS_SHOWN], typed, fields, _samples(write))
    by_name = {column["name"]: column for column in columns}
    findings.mark_columns(by_name, groups)
    findings.note_values(groups, {c["name"]: c["field"] for c in columns})
    return {
        "is_empty": _is_empty(report, recipe),
        "other_file": findings.needs_other_file(report),
        "rules": findings.by_rule(groups, by_name, write.action),
        "counts": counts,
        "kinds": kinds,
        "level": level,
        "columns": columns,
        "fixes": _fixes(report),
        "fields": fields,
        "date_choices": DATE_CHOICES,
        "number_choices": NUMBER_CHOICES,
        "zones": sorted(available_timezones()),
        "recipe": recipe,
        "typed": typed,
        "zone": _zone(typed),
        "described": recipe.describe(),
    }


def _fixes(report: dict[str, Any]) -> dict[str, list[tuple[int, dict[str, Any]]]]:
    """Return the fixes with their places in the report: those in one go, and others."""
    numbered = list(enumerate(report.get("fixes", [])))
    return {
        "safe": [(place, fix) for place, fix in numbered if fix["is_safe"]],
        "other": [(place, fix) for place, fix in numbered if not fix["is_safe"]],
    }


def _samples(write: Write) -> list[list[str]]:
    try:
        return samples_of(write)
    except FileNotFoundError:
        return []


def _is_empty(report: dict[str, Any], recipe: Recipe) -> bool:
    """Tell whether the file has no row, and not because somebody took them out.

    One that was not looked through because its header stands lower is not empty.
    """
    if {group["rule"] for group in report["groups"]}.isdisjoint(("empty", "no-rows")):
        return False
    took_out = recipe.left_out or recipe.only_first or recipe.skip_first
    return report["rows"] == 0 and not report["held_back_rows"] and not took_out


def _columns_kept(write: Write) -> list[str]:
    """Return the names of the file's columns, none once the file is gone."""
    try:
        return columns_of(write)
    except FileNotFoundError:
        return []


def _columns(
    names: Sequence[str],
    recipe: Recipe,
    fields: Sequence[Field],
    samples: Sequence[list[str]],
) -> list[dict[str, Any]]:
    """Return what the form shows of each column of the file."""
    by_name = {field.name.casefold(): field for field in fields}
    shown = []
    for number, (name, sample) in enumerate(zip_longest(names, samples[: len(names)])):
        chosen = recipe.column(name)
        dates = chosen.dates
        field = by_name.get(chosen.name.casefold())
        asks = conversions_for(field, chosen, knows_fields=bool(fields))
        shown.append(
            {
                "number": number,
                "name": name,
                "marked_name": unseen.marked(name),
                "field": field,
                "samples": sample or [],
                "asks": asks,
                "sent_as": chosen.name,
                "bare_name": unseen.bare(chosen.name),
                "is_left_out": not chosen.name,
                "trim": chosen.trim,
                "blank_to_null": chosen.blank_to_null,
                "placeholders": chosen.placeholders,
                "repair": chosen.repair,
                "numbers": chosen.numbers,
                "booleans": chosen.booleans,
                "dates": f"{dates.into}:{dates.format}" if dates else "",
            }
        )
    return shown


def _zone(recipe: Recipe) -> str:
    """Return the zone that date-times of the file are meant in, as chosen so far."""
    zones = [c.dates.zone for c in recipe.columns.values() if c.dates]
    return next(filter(None, zones), timezone.get_current_timezone_name())
