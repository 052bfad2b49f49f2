"""Saved views: filters of the list with a name, private or shared."""

from typing import Any

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from console.access.roles import Role, need_role, require_viewer, role_in
from console.actor import Actor
from console.http import ConsoleRequest
from console.models import AuditEvent
from operations import looking
from operations.filters import SavedViewForm, filter_of
from operations.models import Operation, SavedView

# Of one person; and of all that a person sees, so many stand above the list.
MOST, MOST_LINKED = 50, 12
TAKEN = "You have a view of this name already."


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@require_viewer
def views(request: ConsoleRequest) -> HttpResponse:
    """Show the views that the reader has, with what they find; POST keeps another."""
    if request.method != "POST":
        return _page(request)
    form = SavedViewForm(request.POST, user=request.user)
    if not form.is_valid():
        return _page(request, form=form, status=422)
    if SavedView.objects.filter(owner=request.user).count() >= MOST:
        form.add_error(None, f"You have {MOST} views. Delete one first.")
        return _page(request, form=form, status=422)
    given = form.cleaned_data
    view = SavedView(owner=request.user, **given)
    if not _keep(view, "view.saved", Actor.of(request)):
        form.add_error("name", TAKEN)
        return _page(request, form=form, status=422)
    messages.success(request, f"View “{view}” was saved.")
    return redirect(f"{reverse('operations:list')}?{view.query}")


@require_POST
@require_viewer
def view_change(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Give a view another name, or others to see it."""
    view = _find(request, pk)
    given = {**request.POST.dict(), "query": view.query}
    form = SavedViewForm(given, user=request.user, auto_id=f"view_{pk}_%s")
    if not form.is_valid():
        return _page(request, form=form, about=view, status=422)
    view.name = form.cleaned_data["name"]
    view.environment = form.cleaned_data["environment"]
    if not _keep(view, "view.changed", Actor.of(request)):
        form.add_error("name", TAKEN)
        return _page(request, form=form, about=view, status=422)
    messages.success(request, f"View “{view}” was changed.")
    return redirect("operations:views")


@require_POST
@require_viewer
def view_delete(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Delete a view; what it found stays."""
    view = _find(request, pk)
    with transaction.atomic():
        _audit(view, "view.deleted", Actor.of(request))
        view.delete()
    messages.success(request, f"View “{view}” was deleted. No operation was.")
    return redirect("operations:views")


@require_safe
@never_cache
@require_viewer
def view_counts(request: ConsoleRequest) -> HttpResponse:
    """Return the links to views above the list, with what they find."""
    context = {
        "views": linked_views(request, is_counted=True),
        "is_counted": True,
        "query": request.GET.get("on", ""),
    }
    return render(request, "operations/views.html#links", context)


def linked_views(
    request: ConsoleRequest, *, is_counted: bool = False
) -> list[SavedView]:
    """Return the views that stand above the list, by name."""
    found = list(SavedView.objects.visible_to(request.user)[: MOST_LINKED + 1])
    return [_counted(each, request) for each in found] if is_counted else found


def _page(
    request: ConsoleRequest,
    *,
    form: SavedViewForm | None = None,
    about: SavedView | None = None,
    status: int = 200,
) -> HttpResponse:
    """Draw all views; `form` is of the one that it is `about`, or of a new one."""
    shown = []
    visible = SavedView.objects.visible_to(request.user).select_related("owner")
    for view in visible:
        own = form if about and about.pk == view.pk else None
        shown.append(
            {
                "view": _counted(view, request),
                "may_change": _may_change(request, view),
                "form": own or _form_of(view, request),
                "is_open": own is not None,
            }
        )
    context: dict[str, Any] = {"shown": shown, "form": None if about else form}
    return render(request, "operations/views.html", context, status=status)


def _form_of(view: SavedView, request: ConsoleRequest) -> SavedViewForm:
    return SavedViewForm(
        user=request.user,
        initial={"name": view.name, "environment": view.environment},
        auto_id=f"view_{view.pk}_%s",
    )


def _counted(view: SavedView, request: ConsoleRequest) -> SavedView:
    """Give a view `count`: how many operations it finds for the reader, or "–"."""
    chosen = filter_of(view.query, request.user)
    view.count = "–"  # type: ignore[attr-defined]
    if chosen.is_valid():
        visible = Operation.objects.visible_to(request.user)
        view.count = looking.count(chosen, visible, request.user)  # type: ignore[attr-defined]
    return view


def _find(request: ConsoleRequest, pk: int) -> SavedView:
    """Return a view that the reader may change: their own, or as an admin there."""
    visible = SavedView.objects.visible_to(request.user).select_related("owner")
    view = get_object_or_404(visible, pk=pk)
    if view.owner_id != request.user.pk:
        need_role(request, Role.ADMIN, view.environment)
    return view


def _may_change(request: ConsoleRequest, view: SavedView) -> bool:
    if view.owner_id == request.user.pk:
        return True
    return role_in(request.user, view.environment) >= Role.ADMIN


def _keep(view: SavedView, action: str, actor: Actor) -> bool:
    """Store a view with its event; tell whether its name was free."""
    try:
        with transaction.atomic():
            view.save()
            _audit(view, action, actor)
    except IntegrityError:
        return False
    return True


def _audit(view: SavedView, action: str, actor: Actor) -> None:
    AuditEvent.record(
        action=action,
        subject=f"View “{view.name}” of {view.owner.get_username()}",
        actor=actor,
        environment=view.environment,
        detail={"filters": view.query},
    )
