"""Contract of the acceptance run: on the emulator no setting of the caller counts."""

import os
from unittest import mock

import boto3
import pytest
from botocore.utils import get_environ_proxies

from acceptance.process import ignore_settings

LOOPBACK = "http://127.0.0.1:4566"


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_on_the_emulator_no_profile_counts_and_no_proxy_is_asked(name: str) -> None:
    """The proxy stays for others: pip may need it for the sandbox's first start."""
    given = {"AWS_PROFILE": "unknown", "HTTP_PROXY": "http://proxy.invalid:3128", name: "a.example"}
    with mock.patch.dict(os.environ, given):
        ignore_settings()
        client = boto3.Session("key", "secret", region_name="eu-central-1").client("sqs")
        assert client.meta.region_name == "eu-central-1"
        assert get_environ_proxies(LOOPBACK) == get_environ_proxies("http://a.example") == {}
        assert get_environ_proxies("http://packages.example")["http"] == given["HTTP_PROXY"]
