"""Django's entry for the app that configures."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """Connections, roles and the audit trail."""

    name = "console"

    def ready(self) -> None:
        # Imported for what they connect; models are there only now.
        from console.sign_in import audit, passwords  # noqa: F401
