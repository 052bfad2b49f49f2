"""The console with RQ as its task engine; docs/operating.md shows this file.

DJANGO_SETTINGS_MODULE=… REDIS_URL=redis://… manage.py rqworker sending …
"""

from console.settings import *  # noqa: F403

INSTALLED_APPS += ["django_rq", "django_tasks_rq"]  # noqa: F405
_QUEUES = TASKS["default"]["QUEUES"]  # noqa: F405
TASKS = {"default": {"BACKEND": "django_tasks_rq.RQBackend", "QUEUES": _QUEUES}}
# Longer than any task may take: work on a file of a gigabyte, a write to a slow server.
RQ_QUEUES = {
    queue: {"URL": env.str("REDIS_URL"), "DEFAULT_TIMEOUT": 7200}  # noqa: F405
    for queue in _QUEUES
}
