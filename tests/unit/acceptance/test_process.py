"""Contract of the acceptance run: a signal ends it once, and on the emulator no setting counts."""

import os
import signal
from collections.abc import Iterator
from unittest import mock

import boto3
import pytest
from botocore.utils import get_environ_proxies

from acceptance.process import STOP_SIGNALS, ignore_settings, stop_on_signals

LOOPBACK = "http://127.0.0.1:4566"


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Put the handlers of this process back."""
    before = {each: signal.getsignal(each) for each in STOP_SIGNALS}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_run_like_ctrl_c_and_the_next_one_does_nothing(
    number: signal.Signals,
) -> None:
    """The stack is being set back."""
    stop_on_signals()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)
    for each in STOP_SIGNALS:
        os.kill(os.getpid(), each)


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
