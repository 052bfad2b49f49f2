"""The task backend that TASKS_BACKEND names."""

from django.conf import settings
from django.utils.module_loading import import_string

from console.variables import refuse


def need_task_backend() -> None:
    """End the process where TASKS_BACKEND names nothing: every process needs it."""
    name = str(settings.TASKS["default"]["BACKEND"])
    try:
        import_string(name)
    except ImportError as error:
        refuse("TASKS_BACKEND", name, f"It must be a backend of django.tasks. {error}")
