"""Django's entry for the app that configures."""

from django.apps import AppConfig
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db.models import fields
from django.tasks.signals import task_enqueued, task_finished, task_started

from console.runtime.log_context import begin_task, end


class ConsoleConfig(AppConfig):
    """Connections, roles and the audit trail."""

    name = "console"

    def ready(self) -> None:
        task_started.connect(begin_task)
        for over in (request_started, request_finished, task_finished):
            over.connect(end)
        fields.BLANK_CHOICE_LABEL = "Choose…"
        # Imported for what they connect or register; models are there only now.
        from console import checks, error_reports  # noqa: F401
        from console.runtime.wake import notify
        from console.sign_in import audit, passwords  # noqa: F401
        from console.users import last_admin  # noqa: F401

        task_enqueued.connect(notify)
        if settings.SENTRY_DSN:
            error_reports.start(settings.SENTRY_DSN)
