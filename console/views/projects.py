"""Projects: the list, the page of one, and changing it."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from console.access.roles import (
    Role,
    environments_for,
    require_admin,
    require_operator,
    require_viewer,
)
from console.actor import Actor
from console.connections.change_project import EnvironmentInUse, change_project
from console.connections.forms import ProjectForm
from console.connections.probe import try_connection
from console.connections.save import delete, record, save_form, what_refers_to
from console.fields import UnreadableSecret
from console.http import ConsoleRequest
from console.models import ApiKey, Hook, NoActiveKey, Project, Webhook
from console.ui.panels import project_panels
from console.views.lookup import find_project
from console.views.pages import confirm_page, form_page, posted


@require_safe
@require_viewer
def project_list(request: ConsoleRequest) -> HttpResponse:
    """All projects that the reader may see, with their environment and their key."""
    projects = Project.objects.visible_to(request.user)
    context = {"projects": projects.for_list()}
    return render(request, "console/list.html", context)


@require_safe
@require_viewer
def project(request: ConsoleRequest, pk: int) -> HttpResponse:
    """One project: addresses, keys, integrations with their objects and groups."""
    project = find_project(request, pk, Role.VIEWER)
    hook = Hook.objects.filter(project=project).defer("secret").first()
    context = {
        "project": project,
        "key_problem": _key_problem(project),
        "panels": project_panels.drawn(request, project),
        "keys": project.api_keys.defer("value"),
        "hook": hook,
        "webhook": Webhook.objects.defer("address", "secret")
        .filter(project=project)
        .first(),
        "hook_address": _hook_address(request, hook) if hook else "",
        "integrations": project.integrations.prefetch_related(
            "write_objects", "groups"
        ),
    }
    return render(request, "console/project.html", context)


def _hook_address(request: ConsoleRequest, hook: Hook) -> str:
    """Return the address that Ampersand is told of."""
    path = reverse("hook", args=[hook.token])
    if settings.PUBLIC_URL:
        return f"{settings.PUBLIC_URL.rstrip('/')}{path}"
    return request.build_absolute_uri(path)


def _key_problem(project: Project) -> str:
    """Say why nothing can be sent to the project, or return nothing."""
    try:
        project.active_key()
    except NoActiveKey:
        return "It has no active API key. Add one."
    except UnreadableSecret as error:
        return f"{error} Put that key back, or rotate the API key below."
    return ""


@require_http_methods(["GET", "POST"])
@require_admin
def project_new(request: ConsoleRequest) -> HttpResponse:
    """Add a project."""
    mine = environments_for(request.user, Role.ADMIN)
    form = ProjectForm(posted(request), environments=mine)
    if form.is_valid():
        project = save_form(form, action="project.created", actor=Actor.of(request))
        messages.success(request, f"{project} was added. Next: add an API key.")
        return redirect(project)
    return form_page(request, form, title="New project", button="Add project")


@require_http_methods(["GET", "POST"])
@require_admin
def project_edit(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Change a project. One that is moved loses its keys, and what waits with them."""
    project = find_project(request, pk, Role.ADMIN)
    mine = environments_for(request.user, Role.ADMIN)
    form = ProjectForm(posted(request), instance=project, environments=mine)
    if form.is_valid():
        try:
            taken = change_project(form, actor=Actor.of(request))
        except EnvironmentInUse as error:
            form.add_error("environment", ValidationError(str(error), code="in-use"))
        else:
            messages.success(request, f"{project} was saved.")
            if taken:
                messages.warning(request, _taken_away(taken))
            return redirect(project)
    # The form has written what was typed into its instance; the page names what is.
    project.refresh_from_db()
    title = f"Edit {project}"
    return form_page(
        request,
        form,
        title=title,
        button="Save project",
        project=project,
        notice=_before_a_move(project),
    )


def _before_a_move(project: Project) -> str:
    """Say what moving a project with API keys means; "" where it has none."""
    keys = list(project.api_keys.filter(revoked_at=None).defer("value"))
    if not keys:
        return ""
    return (
        f"If you change a URL or the environment, {_named(keys)} will be deleted here, "
        "since a key is sent only where it was given for. Until you add a key again, "
        "nothing is sent, waiting writes are cancelled, and running operations are not "
        "watched."
    )


def _taken_away(keys: list[ApiKey]) -> str:
    return (
        f"Deleted here, since they were given for another URL or environment: "
        f"{_named(keys)}. Nothing is sent until you add a key."
    )


def _named(keys: list[ApiKey]) -> str:
    noun = "the API key" if len(keys) == 1 else "the API keys"
    return f"{noun} {', '.join(map(str, keys))}"


@require_http_methods(["GET", "POST"])
@require_admin
def project_delete(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Ask, then delete a project that no operation and no write refers to."""
    project = find_project(request, pk, Role.ADMIN)
    blockers = what_refers_to(project, *project.integrations.all())
    if request.method == "POST" and not blockers:
        delete(project, action="project.deleted", actor=Actor.of(request))
        messages.success(request, f"{project} was deleted.")
        return redirect("connections:list")
    return confirm_page(
        request,
        project,
        title=f"Delete {project}?",
        text="Its API keys, integrations, objects and customers are deleted with it. "
        "Nothing changes in Ampersand. The audit trail stays.",
        button="Delete project",
        blockers=blockers,
    )


@require_POST
@require_operator
def project_test(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Try the connection and tell the result on the project's page."""
    project = find_project(request, pk, Role.OPERATOR)
    verdict = try_connection(project)
    record("project.tested", project, Actor.of(request), {"result": verdict.title})
    messages.add_message(
        request,
        messages.SUCCESS if verdict.works else messages.ERROR,
        format_html(
            "<strong>{}.</strong> {} {}", verdict.title, verdict.text, verdict.remedy
        ),
    )
    return redirect(project)
