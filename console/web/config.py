"""How the web server runs: `gunicorn --config python:console.web.config`.

`make run` and every installation use these; what differs is given after it, as
`--bind`.
"""

import logging
from typing import Any

from console.web import request_counts

wsgi_app = "console.wsgi"
bind = "127.0.0.1:8000"
# Loaded once and then forked: half the memory, and ready sooner.
preload_app = True
workers = 2
threads = 4
worker_class = "console.web.worker.PatientWorker"
# Of each worker process. At that many the one that waits longest has to go.
worker_connections = 400
# An open page asks every 2 s, gunicorn's own limit for idle connections.
keepalive = 10
graceful_timeout = 25
loglevel = "warning"
# Nobody steers it but by signals.
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Have gunicorn's own lines look like all others; the console is loaded by now."""
    for ours in logging.getLogger().handlers[:1]:
        for handler in server.log.error_log.handlers:
            handler.setFormatter(ours.formatter)


def post_fork(server: Any, worker: Any) -> None:
    """Have each process count its requests in a row of its own."""
    # It is counted up with each process that the server starts.
    request_counts.take_row(worker.age)
