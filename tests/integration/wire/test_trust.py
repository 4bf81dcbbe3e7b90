"""Whom the client trusts, over TLS with certificates made for the test."""

import datetime as dt
import ssl
import warnings
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


def test_a_certificate_for_another_host_is_refused(serve_tls: Serve) -> None:
    """And not a byte of a request is sent."""
    assert serve_tls.authority is not None
    certificate = serve_tls.authority.issue_cert("other.example", "127.0.0.2")
    server, client = serve_tls(answering(), server_context(certificate))
    assert "SSLCertVerificationError" in unavailable(client, how="tls")
    assert server.requests == []


def test_an_expired_certificate_is_refused(serve_tls: Serve) -> None:
    """One day is enough."""
    assert serve_tls.authority is not None
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    certificate = serve_tls.authority.issue_cert("127.0.0.1", not_after=yesterday)
    server, client = serve_tls(answering(), server_context(certificate))
    assert "SSLCertVerificationError" in unavailable(client, how="tls")
    assert server.requests == []


def test_a_certificate_of_an_unknown_authority_is_refused(serve_tls: Serve) -> None:
    """With the right host name in it, as any attacker would have."""
    certificate = trustme.CA().issue_cert("127.0.0.1")
    server, client = serve_tls(answering(), server_context(certificate))
    assert "SSLCertVerificationError" in unavailable(client, how="tls")
    assert server.requests == []


def test_tls_1_1_is_refused(
    serve_tls: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The server can speak it, which a client without our rule shows first."""
    assert serve_tls.authority is not None
    context = server_context(serve_tls.authority.issue_cert("127.0.0.1"))
    lenient = client_context(serve_tls.authority)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for old in (context, lenient):
            old.minimum_version = ssl.TLSVersion.TLSv1
            old.set_ciphers("ALL:@SECLEVEL=0")
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    server, client = serve_tls(answering(), context, ssl_context=lenient)
    assert ask(client).fields == FIELDS
    serve_tls.authority.cert_pem.write_to_path(tmp_path / "roots.pem")
    machine(monkeypatch, tmp_path / "roots.pem", tmp_path / "none")
    strict = default_tls_context()
    strict.set_ciphers("ALL:@SECLEVEL=0")
    base_url = f"https://127.0.0.1:{server.port}"
    assert "SSLError" in unavailable(
        GatewayClient(base_url, PARTNER, ssl_context=strict), how="tls"
    )
    assert len(server.requests) == 1


def test_by_default_the_roots_of_the_machine_are_trusted_and_no_keys_are_logged(
    serve_tls: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """SSLKEYLOGFILE in the environment must not make our traffic readable."""
    keys, roots = tmp_path / "keys", tmp_path / "roots.pem"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    assert serve_tls.authority is not None
    serve_tls.authority.cert_pem.write_to_path(roots)
    machine(monkeypatch, roots, tmp_path / "none")
    server, _ = serve_tls(answering())
    keys.unlink(missing_ok=True)
    assert ask(GatewayClient(f"https://127.0.0.1:{server.port}", PARTNER)).fields == FIELDS
    assert not keys.exists()


def test_no_variable_of_the_environment_adds_a_root(
    serve_tls: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """OpenSSL knows two that would: whom to trust is not decided there."""
    assert serve_tls.authority is not None
    serve_tls.authority.cert_pem.write_to_path(tmp_path / "roots.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "roots.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
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
