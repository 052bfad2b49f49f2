"""Django's entry for the app that observes."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    """What became of each request to Ampersand, and its log entries."""

    name = "operations"

    def ready(self) -> None:
        """Hang the breaker into the page of its project; count what is deleted."""
        from django.db.models.signals import post_delete

        from console.ui.panels import project_panels
        from operations.models import Operation, RollupMark
        from operations.views.panels import breaker_panel

        project_panels.register(breaker_panel)
        post_delete.connect(
            lambda instance, **_: RollupMark.add_day(instance.created_at),
            sender=Operation,
            weak=False,
            dispatch_uid="rollup-of-deleted",
        )
