"""Django's entry for the app that configures."""

from django.apps import AppConfig
from django.conf import settings
from django.utils.module_loading import import_string

from console.variables import refuse


class ConsoleConfig(AppConfig):
    """Connections, roles and the audit trail."""

    name = "console"

    def ready(self) -> None:
        _need_task_backend()
        # Imported for what they connect; models are there only now.
        from console.sign_in import audit  # noqa: F401


def _need_task_backend() -> None:
    """End the process where TASKS_BACKEND names nothing: every process needs it."""
    name = str(settings.TASKS["default"]["BACKEND"])
    try:
        import_string(name)
    except ImportError as error:
        refuse("TASKS_BACKEND", name, f"It must be a backend of django.tasks. {error}")
