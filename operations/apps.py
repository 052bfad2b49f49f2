"""Django's entry for the app that observes."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    """What became of each request to Ampersand, and its log entries."""

    name = "operations"

    def ready(self) -> None:
        """Hang the breaker into the page of its project."""
        from console.ui.panels import project_panels
        from operations.views.panels import breaker_panel

        project_panels.register(breaker_panel)
