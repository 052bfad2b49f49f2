"""Reading an amp.yaml: upload, look at what it would add, confirm."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from console.access.roles import Role, require_admin
from console.actor import Actor
from console.connections.forms import ManifestForm
from console.connections.manifest import LARGEST, ManifestInvalid, read_manifest
from console.connections.manifest_import import apply_manifest, plan
from console.http import ConsoleRequest
from console.uploads import takes_file
from console.views.lookup import find_project


@require_http_methods(["GET", "POST"])
@require_admin
@takes_file(LARGEST)
def manifest(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Ask for the file, then show what it would add. Nothing is changed here.

    The text travels in the confirming form, so that nothing has to be kept meanwhile.
    """
    project = find_project(request, pk, Role.ADMIN)
    if request.method == "GET":
        context = {"project": project, "form": ManifestForm()}
        return render(request, "console/manifest.html", context)
    form = ManifestForm(request.POST, request.FILES)
    if not form.is_valid():
        context = {"project": project, "form": form}
        return render(request, "console/manifest.html", context, status=422)
    found = form.cleaned_data["file"]
    steps = plan(project, found)
    context = {
        "project": project,
        "text": form.text,
        "warnings": found.warnings,
        "steps": steps,
        "changes": any(step.changes for step in steps),
    }
    return render(request, "console/manifest_preview.html", context)


@require_POST
@require_admin
def manifest_apply(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Add what the reviewed file declares and the project does not have yet."""
    project = find_project(request, pk, Role.ADMIN)
    try:
        found = read_manifest(request.POST.get("text", "").encode(errors="replace"))
    except ManifestInvalid as error:
        context = {"project": project, "form": ManifestForm(), "problem": str(error)}
        return render(request, "console/manifest.html", context, status=422)
    steps = apply_manifest(project, found, Actor.of(request))
    messages.success(
        request,
        f"Added from amp.yaml: {', '.join(step.summary for step in steps)}."
        if steps
        else "Everything in this amp.yaml was already there.",
    )
    return redirect(project)
