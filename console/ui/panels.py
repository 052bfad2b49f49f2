"""What upper apps hang into the pages of lower ones.

A lower app must not know an upper one, yet its pages show what that knows. So the
upper one registers a function when Django starts, and the page calls it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from console.http import ConsoleRequest
from console.models import Project


@dataclass(frozen=True)
class Section:
    """What one panel shows; `label` names it in a page's links, "" leaves it out.

    `anchor` is the id of its element.
    """

    html: str
    anchor: str = ""
    label: str = ""


class Panels[Subject]:
    """The functions that draw on one kind of page, in the order of registering."""

    def __init__(self) -> None:
        # Each function with its anchor and label.
        self._panels: dict[
            Callable[[ConsoleRequest, Subject], str], tuple[str, str]
        ] = {}

    def register(
        self,
        panel: Callable[[ConsoleRequest, Subject], str],
        anchor: str = "",
        label: str = "",
    ) -> None:
        """Have `panel(request, subject)` drawn on every such page.

        It returns safe HTML, or an empty string where it has nothing to show. `anchor`
        is the id of its element, `label` what the links to it say.
        """
        self._panels.setdefault(panel, (anchor, label))

    def drawn(self, request: ConsoleRequest, subject: Subject) -> list[str]:
        """Return what the registered panels show of `subject`, without empty ones."""
        return [section.html for section in self.sections(request, subject)]

    def sections(self, request: ConsoleRequest, subject: Subject) -> list[Section]:
        """Return the same with the places that links of the page lead to."""
        found = []
        for panel, (anchor, label) in self._panels.items():
            if html := panel(request, subject):
                found.append(Section(html, anchor, label))
        return found


project_panels = Panels[Project]()
