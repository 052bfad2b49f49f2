"""The keyboard shortcuts: what they are, and a switch for those of one key."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from console.http import ConsoleRequest
from console.ui.choices import keep_choice


@require_http_methods(["GET", "HEAD", "POST"])
def shortcuts(request: ConsoleRequest) -> HttpResponse:
    """Show the shortcuts; a POST turns those of a single key on or off for a year.

    Who dictates, or strikes keys unawares, must be able to be rid of them.
    """
    if request.method == "POST":
        return keep_choice(request, "keys", ("on", "off"), "shortcuts")
    return render(request, "console/shortcuts.html")
