"""What pages show of other apps: see `console.ui.panels`.

`operations` must not know `writes`, yet the page of an operation shows the request as
it was sent; and `console` must not know `operations`, yet the page of a project shows
its breaker.
"""

from django.template.loader import render_to_string

from console.http import ConsoleRequest
from console.models import Project
from console.ui.panels import Panels
from operations.models import Gate, Operation


def breaker_panel(request: ConsoleRequest, project: Project) -> str:
    """Draw that nothing is sent to the project for now, or nothing."""
    gate = Gate.objects.with_open_breaker().filter(project=project).first()
    if gate is None:
        return ""
    return render_to_string("operations/breaker.html#notice", {"gate": gate}, request)


# What a reader has to know before the state: drawn above it.
notices = Panels[Operation]()
# How its rows fared, in place of the counts that the operation itself has.
counts = Panels[Operation]()
# The buttons beside what to do about it.
remedies = Panels[Operation]()
# Below its failures, and below its log.
_panels = Panels[Operation]()
register = _panels.register
sections = _panels.sections
late = Panels[Operation]()
# Of two operations that are compared: below their errors.
comparison = Panels[tuple[Operation, Operation]]()
