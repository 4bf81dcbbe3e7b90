"""Contract: a proxy of the user's is asked for what is on AWS, and not for what is here."""

import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import trustme
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ProxyConnectionError

from payresult_cli import http_api
from payresult_cli.stack import Stack
from sandbox.credentials import Credentials
from sandbox.running import aws_environment
from tests.support.json_server import free_port, json_server

TABLES = {"TableNames": ["payments"]}
KEYS = ("key", "secret")


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An emulator that has one table, beside a proxy that nobody reaches."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with json_server(lambda _: (200, TABLES)) as url:
        yield url


def tables(client: Any) -> Any:
    """Return the names of the tables."""
    return client.list_tables()["TableNames"]


def test_the_sandbox_reaches_its_emulator(endpoint: str) -> None:
    """By its own clients."""
    assert tables(Credentials(endpoint, *KEYS).client("dynamodb")) == ["payments"]


def test_a_command_reaches_the_sandbox(endpoint: str) -> None:
    """That is a stack with an endpoint of its own."""
    stack = Stack(
        name="payresult",
        partner_code="P000818",
        table_name="payments",
        queue_url="",
        dead_letter_queue_url="",
        api_url="",
        check_delays="5",
        failed_pay_rst_values="",
        retention_days=0,
        session=boto3.Session(*KEYS, region_name="eu-central-1"),
        endpoint_url=endpoint,
    )
    assert tables(stack.client("dynamodb")) == ["payments"]


def test_the_aws_cli_reaches_the_sandbox(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its environment, which is also that of the commands whose answers the page shows."""
    monkeypatch.setenv("NO_PROXY", "shop.example")
    outputs = dict(zip(("accessKeyId", "secretAccessKey"), KEYS, strict=True))
    os.environ.update(aws_environment(outputs | {"region": "eu-central-1"}))
    assert tables(boto3.Session().client("dynamodb", endpoint_url=endpoint)) == ["payments"]


def get(url: str) -> int:
    """Return the status of a request to the HTTP API, or for a layer."""
    return http_api.send(AWSRequest("GET", url).prepare()).status


def test_the_api_is_reached_by_the_proxy(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As AWS is; but not the sandbox's, which alone is reached by HTTP."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ProxyConnectionError):
        get("https://api.invalid")
    assert get(endpoint) == 200


def test_the_api_may_have_a_certificate_of_the_users_own_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a proxy that looks into TLS has."""
    authority, bundle = trustme.CA(), tmp_path / "bundle.pem"
    authority.cert_pem.write_to_path(str(bundle))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with json_server(lambda _: (200, {}), context=context) as url:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
        assert get(url) == 200
