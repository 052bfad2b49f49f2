"""Integrations of a project, with the objects that may be written."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from console.access.roles import Role, require_admin
from console.actor import Actor
from console.connections.forms import IntegrationForm
from console.connections.save import delete, save_form, what_refers_to
from console.http import ConsoleRequest
from console.models import Integration
from console.views.lookup import find_integration, find_project
from console.views.pages import confirm_page, form_page, posted


@require_http_methods(["GET", "POST"])
@require_admin
def integration_new(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Add an integration to a project."""
    project = find_project(request, pk, Role.ADMIN)
    form = IntegrationForm(posted(request), instance=Integration(project=project))
    if form.is_valid():
        integration = save_form(
            form, action="integration.created", actor=Actor.of(request)
        )
        messages.success(
            request, f"{integration} was added. Next: add the customers you write for."
        )
        return redirect(project)
    title = f"New integration of {project}"
    return form_page(
        request, form, title=title, button="Add integration", project=project
    )


@require_http_methods(["GET", "POST"])
@require_admin
def integration_edit(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Change an integration and the list of its objects."""
    integration = find_integration(request, pk, Role.ADMIN)
    title = f"Edit {integration}"
    form = IntegrationForm(posted(request), instance=integration)
    if form.is_valid():
        save_form(form, action="integration.changed", actor=Actor.of(request))
        messages.success(request, f"{integration} was saved.")
        return redirect(integration.project)
    return form_page(
        request,
        form,
        title=title,
        button="Save integration",
        project=integration.project,
    )


@require_http_methods(["GET", "POST"])
@require_admin
def integration_delete(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Ask, then delete an integration that no operation and no write refers to."""
    integration = find_integration(request, pk, Role.ADMIN)
    blockers = what_refers_to(integration)
    if request.method == "POST" and not blockers:
        delete(integration, action="integration.deleted", actor=Actor.of(request))
        messages.success(request, f"{integration} was deleted.")
        return redirect(integration.project)
    return confirm_page(
        request,
        integration.project,
        title=f"Delete {integration}?",
        text="Its objects and customers are deleted with it. Nothing changes in "
        "Ampersand.",
        button="Delete integration",
        blockers=blockers,
    )
