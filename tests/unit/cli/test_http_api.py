"""Contract of the CLI with the HTTP API: requests are signed, or not sent."""

import boto3
import pytest
from botocore.exceptions import BotoCoreError, NoCredentialsError, NoRegionError

from payresult_cli import http_api
from payresult_cli.stack import Stack

MISSING = [
    (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), NoCredentialsError),
    (("AWS_REGION", "AWS_DEFAULT_REGION"), NoRegionError),
]


@pytest.mark.parametrize(("variables", "error"), MISSING)
def test_request_is_not_sent_unsigned(
    variables: tuple[str, ...], error: type[BotoCoreError], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signing needs credentials and a region."""
    for name in variables:
        monkeypatch.delenv(name)
    stack = Stack(
        name="mine",
        partner_code="P000818",
        table_name="payments",
        queue_url="https://sqs.invalid/checks",
        dead_letter_queue_url="https://sqs.invalid/dead",
        api_url="https://api.invalid",
        check_delays="5,10",
        failed_pay_rst_values="",
        retention_days=0,
        session=boto3.Session(),
    )
    with pytest.raises(error):
        http_api.signed_post(stack, "/payments/query", {})
