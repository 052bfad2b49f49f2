"""Background work of this app: doors to functions that do it."""

from datetime import datetime

from django.tasks import task

from operations.limits import circuit_breaker
from operations.worker.watch import watch


@task(queue_name="watching")
def watch_operations(operation_ids: list[int], due_at: str) -> None:
    """Ask about those operations that are still due at `due_at` (ISO 8601)."""
    watch(operation_ids, datetime.fromisoformat(due_at))


@task(queue_name="watching")
def probe_project(project_id: int) -> None:
    """Try whether the Ampersand of a project answers again, if its breaker is open."""
    circuit_breaker.probe(project_id)
