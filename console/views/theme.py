"""Light or dark: a choice kept in a cookie."""

from django.http import HttpResponse
from django.views.decorators.http import require_POST

from console.http import ConsoleRequest
from console.ui.choices import keep_choice


@require_POST
def theme(request: ConsoleRequest) -> HttpResponse:
    """Remember the theme for a year and go back to the page it was chosen on."""
    return keep_choice(request, "theme", ("light", "dark"), "home")
