"""`payresult_cli.http_api`: no request is sent unsigned."""

from collections.abc import Callable
from typing import cast

import boto3
import pytest
from botocore import exceptions as aws

from payresult_cli import http_api
from payresult_cli.stack import Stack


@pytest.mark.parametrize("missing", ["get_credentials", "region_name"])
def test_a_call_is_not_sent_unsigned(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials or without a region there is nothing to sign with."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        if missing == "get_credentials":
            monkeypatch.delenv(name)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if missing == "region_name":
            monkeypatch.delenv(name)
    unsigned = Stack(
        name="mine",
        partner_code="P000818",
        table="payments",
        queue_url="https://sqs.invalid/checks",
        dead_letter_url="https://sqs.invalid/dead",
        api_url="https://api.invalid",
        check_delays="5,10",
        failed_pay_rst_values="",
        session=boto3.Session(),
    )
    expected: Callable[..., Exception] = (
        aws.NoCredentialsError if missing == "get_credentials" else aws.NoRegionError
    )
    with pytest.raises(cast("type[Exception]", expected)):
        http_api.post(unsigned, "/payments/query", {})
