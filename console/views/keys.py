"""API keys: adding, rotating and revoking. A value is never shown."""

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from console.access.roles import Role, require_admin
from console.actor import Actor
from console.connections.forms import HookForm, KeyForm, NewValueForm
from console.connections.hooks import stop_notifications, take_notifications
from console.connections.save import record, save_form
from console.http import ConsoleRequest
from console.models import ApiKey, Project
from console.sign_in.identity_check import need_identity
from console.views.lookup import find_active_key, find_project
from console.views.pages import confirm_page, form_page, posted


def _search(project: Project) -> str:
    is_asked = project.capabilities.searches and project.search_url
    return f", for searches to {project.search_url}" if is_asked else ""


@sensitive_post_parameters("value")
@require_http_methods(["GET", "POST"])
@require_admin
def key_new(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Add a key to a project; the newest active one is used from then on."""
    project = find_project(request, pk, Role.ADMIN)
    need_identity(request, "keys")
    form = KeyForm(posted(request), instance=ApiKey(project=project))
    if form.is_valid():
        key = save_form(form, action="key.added", actor=Actor.of(request))
        messages.success(
            request, f"The API key {key} was added and is used from now on."
        )
        return redirect(project)
    title = f"New API key for {project}"
    return form_page(
        request,
        form,
        title=title,
        button="Add API key",
        project=project,
        notice=_where_it_goes(project),
    )


def _where_it_goes(project: Project) -> str:
    return (
        f"The key goes to {project.write_url} and {project.api_url}{_search(project)}, "
        "and nowhere else. It is deleted here when one of them or the environment is "
        "changed."
    )


@sensitive_post_parameters("value")
@require_http_methods(["GET", "POST"])
@require_admin
def key_rotate(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Replace a key by a new one of the same label; the old one is revoked with it."""
    old = find_active_key(request, pk, Role.ADMIN)
    need_identity(request, "keys")
    new = ApiKey(project=old.project, label=old.label)
    form = NewValueForm(posted(request), instance=new)
    if form.is_valid():
        with transaction.atomic():
            if not old.revoke():
                raise Http404
            key = save_form(form, action="key.added", actor=Actor.of(request))
            record("key.revoked", old, Actor.of(request), {"replaced_by": str(key)})
        messages.success(
            request, f"The API key {key} is used from now on; {old} is revoked here."
        )
        return redirect(old.project)
    return form_page(
        request,
        form,
        title=f"Rotate {old}",
        button="Rotate API key",
        project=old.project,
        notice=_where_it_goes(old.project),
    )


@require_http_methods(["GET", "POST"])
@require_admin
def key_revoke(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Ask, then stop using a key."""
    key = find_active_key(request, pk, Role.ADMIN)
    need_identity(request, "keys")
    if request.method == "POST":
        with transaction.atomic():
            if key.revoke():
                record("key.revoked", key, Actor.of(request))
        messages.success(
            request,
            f"The API key {key} was revoked here. Revoke it in Ampersand, too.",
        )
        return redirect(key.project)
    return confirm_page(
        request,
        key.project,
        title=f"Revoke {key}?",
        text="The console stops using it at once, and this cannot be undone. "
        "Without another key nothing can be sent, and running operations are not "
        "watched. In Ampersand it stays valid until you revoke it there.",
        button="Revoke API key",
    )


@sensitive_post_parameters("secret")
@require_http_methods(["GET", "POST"])
@require_admin
def hook(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Have a project take notifications, or others than before: by their secret."""
    project = find_project(request, pk, Role.ADMIN)
    form = HookForm(posted(request))
    if form.is_valid():
        secret = form.cleaned_data["secret"]
        take_notifications(project, secret, Actor.of(request))
        messages.success(
            request, "Notifications are on: those signed with this secret are accepted."
        )
        return redirect(project)
    return form_page(
        request,
        form,
        title=f"Notifications for {project}",
        button="Save secret",
        project=project,
        notice="A notification makes the console check an operation sooner; it changes "
        "nothing by itself. Without notifications the console checks regularly.",
    )


@require_http_methods(["GET", "POST"])
@require_admin
def hook_stop(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Ask, then take no notifications of a project any more."""
    project = find_project(request, pk, Role.ADMIN)
    if request.method == "POST":
        stop_notifications(project, Actor.of(request))
        messages.success(request, "Notifications are off.")
        return redirect(project)
    return confirm_page(
        request,
        project,
        title=f"Turn off notifications for {project}?",
        text="Their URL and signing secret are deleted here; turning them on again "
        "gives a new URL. Delete the webhook in Ampersand, too. Operations are still "
        "watched: the console checks regularly.",
        button="Turn off",
    )
