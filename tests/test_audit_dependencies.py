"""`make lint` tells a vulnerable dependency from a service that does not answer."""

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scripts import audit_dependencies

PACKAGE = {"name": "example-package", "ecosystem": "PyPI"}
NOTHING_KNOWN = b"{}"
KNOWN = json.dumps(
    {
        "vulns": [
            {
                "id": "PYSEC-2026-1",
                "summary": "Anybody may do anything.",
                "affected": [{"package": PACKAGE}],
            }
        ]
    }
).encode()


class Service(http.server.ThreadingHTTPServer):
    """A stand-in for OSV: the same answer to every question, and what was asked."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status, self.body = status, body
        self.asked: list[Any] = []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(http.server.BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.asked.append(json.loads(self.rfile.read(length)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def answering(body: bytes, status: int = 200) -> Iterator[Service]:
    with Service(status, body) as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        yield service
        service.shutdown()


def at(port: int) -> str:
    """Return the option that has pip-audit ask at a port of this machine."""
    return f"--osv-url=http://127.0.0.1:{port}/v1/query"


@pytest.fixture
def requirements(tmp_path: Path) -> str:
    """Return the path of a file that pins one package."""
    path = tmp_path / "requirements.txt"
    path.write_text(f"example-package==1.0 --hash=sha256:{'0' * 64}\n")
    return str(path)


def test_nothing_known_passes(requirements: str, capsys: Any) -> None:
    with answering(NOTHING_KNOWN) as service:
        assert audit_dependencies.main([requirements, at(service.server_port)]) == 0
    assert service.asked == [{"package": PACKAGE, "version": "1.0"}]
    assert "NOT" not in capsys.readouterr().out


def test_a_known_vulnerability_fails_and_is_named(
    requirements: str, capsys: Any
) -> None:
    with answering(KNOWN) as service:
        assert audit_dependencies.main([requirements, at(service.server_port)]) == 1
    told = capsys.readouterr().out
    assert "PYSEC-2026-1" in told
    assert "example-package" in told


def test_a_service_out_of_order_is_no_look_and_passes(
    requirements: str, capsys: Any
) -> None:
    with answering(b"", status=503) as service:
        assert audit_dependencies.main([requirements, at(service.server_port)]) == 0
    assert "NOT" in capsys.readouterr().out


def test_nobody_there_is_no_look_and_passes(requirements: str, capsys: Any) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]
        assert audit_dependencies.main([requirements, at(port)]) == 0
    assert "NOT" in capsys.readouterr().out


def test_no_end_in_time_is_no_look_and_passes(requirements: str, capsys: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        arguments = [requirements, at(silent.getsockname()[1])]
        assert audit_dependencies.main(arguments, seconds=0.1) == 0
    assert "NOT" in capsys.readouterr().out


def test_a_file_that_pins_nothing_fails(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("example-package>=1.0\n")
    assert audit_dependencies.main([str(path)]) == 1
