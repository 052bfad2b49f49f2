"""What upper apps hang into the pages of lower ones.

A lower app must not know an upper one, yet its pages show what that knows. So the
upper one registers a function when Django starts, and the page calls it.
"""

from collections.abc import Callable

from django.http import HttpRequest

from console.models import Project


class Panels[Subject]:
    """The functions that draw on one kind of page, in the order of registering."""

    def __init__(self) -> None:
        self._panels: list[Callable[[HttpRequest, Subject], str]] = []

    def register(self, panel: Callable[[HttpRequest, Subject], str]) -> None:
        """Have `panel(request, subject)` drawn on every such page.

        It returns safe HTML, or an empty string where it has nothing to show.
        """
        if panel not in self._panels:
            self._panels.append(panel)

    def drawn(self, request: HttpRequest, subject: Subject) -> list[str]:
        """Return what the registered panels show of `subject`, without empty ones."""
        texts = (panel(request, subject) for panel in self._panels)
        return [text for text in texts if text]


project_panels = Panels[Project]()
