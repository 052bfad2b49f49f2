"""What upper apps hang into the pages of lower ones.

A lower app must not know an upper one, yet its pages show what that knows. So the
upper one registers a function when Django starts, and the page calls it.
"""

from collections.abc import Callable

from console.http import ConsoleRequest
from console.models import Project


class Panels[Subject]:
    """The functions that draw on one kind of page, in the order of registering."""

    def __init__(self) -> None:
        self._panels: list[Callable[[ConsoleRequest, Subject], str]] = []

    def register(self, panel: Callable[[ConsoleRequest, Subject], str]) -> None:
        """Have `panel(request, subject)` drawn on every such page.

        It returns safe HTML, or an empty string where it has nothing to show.
        """
        if panel not in self._panels:
            self._panels.append(panel)

    def drawn(self, request: ConsoleRequest, subject: Subject) -> list[str]:
        """Return what the registered panels show of `subject`, without empty ones."""
        texts = (panel(request, subject) for panel in self._panels)
        return [text for text in texts if text]


project_panels = Panels[Project]()
