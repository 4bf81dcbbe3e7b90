"""Contract of the gateway client: whom it trusts over TLS."""

import datetime as dt
import ssl
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from payresult.gateway.client import GatewayClient
from payresult.gateway.connection import default_tls_context
from tests.integration.wire.serving import (
    FIELDS,
    PARTNER,
    Serve,
    answering,
    ask,
    client_context,
    machine,
    server_context,
    unavailable,
)

YESTERDAY = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
WRONG: dict[str, Callable[[trustme.CA], trustme.LeafCert]] = {
    "another host": lambda authority: authority.issue_cert("other.example", "127.0.0.2"),
    "expired": lambda authority: authority.issue_cert("127.0.0.1", not_after=YESTERDAY),
    "unknown authority": lambda _: trustme.CA().issue_cert("127.0.0.1"),
}


@pytest.mark.parametrize("issue", WRONG.values(), ids=WRONG)
def test_a_wrong_certificate_is_refused(
    serve_tls: Serve, authority: trustme.CA, issue: Callable[[trustme.CA], trustme.LeafCert]
) -> None:
    """And not a byte of a request is sent."""
    server, client = serve_tls(answering(), server_context(issue(authority)))
    assert "SSLCertVerificationError" in unavailable(client, how="tls")
    assert server.requests == []


@pytest.fixture
def roots(authority: trustme.CA, tmp_path: Path) -> Path:
    """A file with the certificate of the tests' authority."""
    authority.cert_pem.write_to_path(tmp_path / "roots.pem")
    return tmp_path / "roots.pem"


def test_tls_1_1_is_refused(
    serve_tls: Serve, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, roots: Path
) -> None:
    """The server can speak it, which a client without our rule shows first."""
    context = server_context(authority.issue_cert("127.0.0.1"))
    lenient = client_context(authority)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for old in (context, lenient):
            old.minimum_version = ssl.TLSVersion.TLSv1
            old.set_ciphers("ALL:@SECLEVEL=0")
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    server, client = serve_tls(answering(), context, ssl_context=lenient)
    assert ask(client).fields == FIELDS
    machine(monkeypatch, roots, roots.with_name("none"))
    strict = default_tls_context()
    strict.set_ciphers("ALL:@SECLEVEL=0")
    base_url = f"https://127.0.0.1:{server.port}"
    assert "SSLError" in unavailable(
        GatewayClient(base_url, PARTNER, ssl_context=strict), how="tls"
    )
    assert len(server.requests) == 1


def test_by_default_the_roots_of_the_machine_are_trusted_and_no_keys_are_logged(
    serve_tls: Serve, monkeypatch: pytest.MonkeyPatch, roots: Path
) -> None:
    """SSLKEYLOGFILE in the environment must not make our traffic readable."""
    keys = roots.with_name("keys")
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    machine(monkeypatch, roots, roots.with_name("none"))
    server, _ = serve_tls(answering())
    keys.unlink(missing_ok=True)
    assert ask(GatewayClient(f"https://127.0.0.1:{server.port}", PARTNER)).fields == FIELDS
    assert not keys.exists()


def test_no_variable_of_the_environment_adds_a_root(
    serve_tls: Serve, monkeypatch: pytest.MonkeyPatch, roots: Path
) -> None:
    """OpenSSL knows two that would: whom to trust is not decided there."""
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    monkeypatch.setenv("SSL_CERT_DIR", str(roots.parent))
    server, _ = serve_tls(answering())
    assert "SSLCert" in unavailable(GatewayClient(f"https://127.0.0.1:{server.port}", PARTNER))
    assert server.requests == []


def test_a_python_without_roots_gets_those_of_the_aws_sdk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As Python.org's on macOS is, until somebody installs certificates."""
    machine(monkeypatch, tmp_path / "none", tmp_path / "none")
    context = default_tls_context()
    assert context.cert_store_stats()["x509_ca"] > 50
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
