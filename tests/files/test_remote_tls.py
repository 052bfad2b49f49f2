"""Looking at an address by https: whose certificate it is."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from files.remote.looking import (
    RemoteFile,
    look,
)
from tests.files.remote_web import (
    PUBLIC,
    Detour,
    Reply,
    Web,
    names,
    refused,
    served,
)


@dataclass
class Tls:
    server: ssl.SSLContext
    client: ssl.SSLContext
    names: list[str | None]


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    """Both sides of a connection to files.example.com, and the names asked for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("files.example.com")]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    path = tmp_path / "server.pem"
    path.write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    asked: list[str | None] = []
    server.sni_callback = lambda _, name, __: asked.append(name)
    client = ssl.create_default_context(cadata=pem.decode())
    return Tls(server, client, asked)


def look_by_https(
    web: Web, tls: Tls, host: str, *, path: str = "/a.csv", trusted: bool = True
) -> RemoteFile:
    return look(
        f"https://{host}{path}",
        key="id",
        private_hosts=(),
        resolve=names([PUBLIC]),
        network=Detour(web.port),
        tls=tls.client if trusted else None,
    )


def test_the_certificate_is_checked_against_the_name_not_the_address(tls: Tls) -> None:
    with served(tls.server) as web:
        web.replies["*"] = Reply()
        assert look_by_https(web, tls, "files.example.com").findings == []
    assert set(tls.names) == {"files.example.com"}


@pytest.mark.parametrize(
    ("host", "trusted"), [("other.example.com", True), ("files.example.com", False)]
)
def test_a_certificate_that_does_not_fit_is_refused(
    host: str, trusted: bool, tls: Tls
) -> None:
    with served(tls.server) as web:
        web.replies["*"] = Reply()
        with refused("certificate"):
            look_by_https(web, tls, host, trusted=trusted)
        assert web.asked == []


def test_a_step_down_from_https_is_refused(tls: Tls) -> None:
    with served(tls.server) as web:
        url = "http://files.example.com/a.csv"
        web.replies["*"] = Reply(status=302, headers={"Location": url})
        with refused("step-down"):
            look_by_https(web, tls, "files.example.com")


def test_https_to_a_server_that_speaks_http_is_told(web: Web, tls: Tls) -> None:
    with refused("no-https"):
        look_by_https(web, tls, "files.example.com")
