"""What the page of a project shows of this app: its breaker, while it is open."""

from django.http import HttpRequest
from django.template.loader import render_to_string

from console.models import Project
from operations.models import Gate


def breaker_panel(request: HttpRequest, project: Project) -> str:
    """Draw that nothing is sent to the project for now, or nothing."""
    gate = Gate.objects.with_open_breaker().filter(project=project).first()
    if gate is None:
        return ""
    return render_to_string("operations/breaker.html#notice", {"gate": gate}, request)
