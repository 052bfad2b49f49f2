"""Run the sandbox: python -m sandbox --port 8900."""

import argparse
import json
import logging
import os
import signal
import sys
from typing import get_args

from sandbox import schema
from sandbox.app import DEFAULT_BULK_SECONDS, Sandbox
from sandbox.describe import describe
from sandbox.server import Server
from sandbox.writes import UpdateStyle


def main() -> None:
    """Serve until interrupted or terminated; or describe objects, and end."""
    options = _parser().parse_args()
    if options.describe:
        objects = {name: schema.find(name) for name in options.describe}
        found = {name: describe(each) for name, each in objects.items() if each}
        sys.stdout.write(json.dumps(found))
        return
    # What it keeps may be somebody's data, whatever umask it was started with.
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    app = Sandbox(
        options.state,
        bulk_seconds=options.bulk_seconds,
        update_style=options.update_style,
        background=True,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Server((options.host, options.port), app) as server:
        host, port = server.server_address[:2]
        sys.stdout.write(f"Sandbox ready on http://{host!s}:{port}\n")
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            logging.info("Sandbox stopped")
            # Once is enough: what runs is finished, and then it ends.
            for name in (signal.SIGTERM, signal.SIGINT):
                signal.signal(name, signal.SIG_IGN)
            app.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8900, help="0 takes a free one")
    parser.add_argument("--state", metavar="FILE", help="keep everything in this file")
    parser.add_argument(
        "--bulk-seconds",
        type=float,
        default=DEFAULT_BULK_SECONDS,
        help="how long a bulk write is in progress (default %(default)s)",
    )
    parser.add_argument(
        "--update-style",
        choices=get_args(UpdateStyle),
        default="patch",
        help="how a record is updated (default %(default)s)",
    )
    parser.add_argument(
        "--describe",
        nargs="+",
        metavar="OBJECT",
        help="print the fields of these objects as Salesforce describes them, and end",
    )
    return parser


if __name__ == "__main__":
    main()
