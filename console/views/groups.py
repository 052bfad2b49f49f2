"""Groups: the customers of an integration."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from console.access.roles import Role, require_admin
from console.actor import Actor
from console.connections.ask import NotAnswered
from console.connections.forms import GroupForm
from console.connections.installations import fetch_groups
from console.connections.save import delete, save_form
from console.http import ConsoleRequest
from console.models import Group
from console.views.lookup import find_group, find_integration
from console.views.pages import confirm_page, form_page, posted


@require_http_methods(["GET", "POST"])
@require_admin
def group_new(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Add a customer to an integration."""
    integration = find_integration(request, pk, Role.ADMIN)
    form = GroupForm(posted(request), instance=Group(integration=integration))
    if form.is_valid():
        group = save_form(form, action="group.created", actor=Actor.of(request))
        messages.success(request, f"{group} was added to {integration}.")
        return redirect(integration.project)
    return form_page(
        request,
        form,
        title=f"New customer of {integration}",
        button="Add customer",
        project=integration.project,
    )


@require_POST
@require_admin
def groups_fetch(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Take over the groups and objects that Ampersand knows of an integration."""
    integration = find_integration(request, pk, Role.ADMIN)
    try:
        found = fetch_groups(integration, Actor.of(request))
    except NotAnswered as error:
        messages.error(request, f"No customer was changed. {error}")
        return redirect(integration.project)
    gone = f" {found.gone:,} kept that Ampersand no longer lists." if found.gone else ""
    messages.success(
        request,
        f"Customers of {integration}: {found.new:,} added, {found.known:,} updated."
        f"{gone}",
    )
    if found.problem:
        text = "The number of records per request stays as it was."
        messages.warning(request, f"{text} {found.problem}")
    return redirect(integration.project)


@require_http_methods(["GET", "POST"])
@require_admin
def group_edit(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Change a customer's groupRef or name. Past writes keep their own."""
    group = find_group(request, pk, Role.ADMIN)
    title = f"Edit {group}"
    form = GroupForm(posted(request), instance=group)
    if form.is_valid():
        save_form(form, action="group.changed", actor=Actor.of(request))
        messages.success(request, f"{group} was saved.")
        return redirect(group.project)
    return form_page(
        request,
        form,
        title=title,
        button="Save customer",
        project=group.project,
    )


@require_http_methods(["GET", "POST"])
@require_admin
def group_delete(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Ask, then delete a customer. Past writes keep its groupRef and name."""
    group = find_group(request, pk, Role.ADMIN)
    project = group.project
    if request.method == "POST":
        delete(group, action="group.deleted", actor=Actor.of(request))
        messages.success(request, f"{group} was deleted.")
        return redirect(project)
    return confirm_page(
        request,
        project,
        title=f"Delete {group}?",
        text="It can no longer be chosen for a new write. Past writes keep its "
        "groupRef and name, and nothing changes in Ampersand.",
        button="Delete customer",
    )
