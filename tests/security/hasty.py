"""The web server's settings, for tests: it has less patience and less room."""

from console.web import pace
from console.web.config import *  # noqa: F403

pace.PATIENCE = pace.LONGEST_REST = 1.0
wsgi_app = "tests.security.echo"
workers = 1
keepalive = 1
worker_connections = 30
graceful_timeout = 10
