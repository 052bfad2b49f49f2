"""Django's entry for the app that acts."""

from django.apps import AppConfig


class WritesConfig(AppConfig):
    """What an operator asks to have written, and the sending of it."""

    name = "writes"

    def ready(self) -> None:
        """Hang the request into the page of its operation, and tokens out of logs."""
        from console.task_backend import need_task_backend

        # The first of the apps, and what it imports names tasks.
        need_task_backend()
        from console.ui.panels import project_panels
        from operations.display import timeline
        from operations.limits import rate_limit
        from operations.views import panels
        from writes import token_filter
        from writes.display.timeline import before_operation
        from writes.views.audit_panel import audit_panel
        from writes.views.compare import rows_compared
        from writes.views.notices import notices_panel
        from writes.views.panels import (
            beside_notice,
            pause_panel,
            request_panel,
            rows_panel,
        )
        from writes.views.preserve import evidence_panel, swept_log_panel
        from writes.views.result import rows_counts, rows_remedies
        from writes.views.run import run_panel
        from writes.worker import run_calls

        rate_limit.UNDER_WAY.append(run_calls.under_way)
        timeline.BEFORE.append(before_operation)
        token_filter.install()

        project_panels.register(notices_panel)
        panels.notices.register(beside_notice)
        panels.counts.register(rows_counts)
        panels.remedies.register(rows_remedies)
        panels.register(run_panel, "run", "Requests")
        panels.register(pause_panel)
        panels.register(rows_panel, "rows-panel", "Rows")
        panels.comparison.register(rows_compared)
        panels.late.register(swept_log_panel)
        panels.late.register(request_panel, "request", "What was sent")
        panels.late.register(audit_panel, "audit", "Audit")
        panels.late.register(evidence_panel, "evidence", "Evidence")
