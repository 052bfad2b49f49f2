"""What upper apps hang into the page of an operation.

`operations` must not know `writes`, yet the page shows the request as it was sent.
So `writes` registers a function here when Django starts, and the page calls it.
"""

from collections.abc import Callable

from django.http import HttpRequest

from operations.models import Operation

Panel = Callable[[HttpRequest, Operation], str]

_panels: list[Panel] = []


def register(panel: Panel) -> None:
    """Have `panel(request, operation)` drawn on every operation's page.

    It returns safe HTML, or an empty string where it has nothing to show.
    """
    if panel not in _panels:
        _panels.append(panel)


def drawn(request: HttpRequest, operation: Operation) -> list[str]:
    """Return what the registered panels show of `operation`, without the empty ones."""
    texts = (panel(request, operation) for panel in _panels)
    return [text for text in texts if text]
