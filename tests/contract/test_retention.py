"""Contract of RetentionDays: an item may be deleted after its end, by the real handlers."""

from typing import Any

from tests.support.factories import DAY
from tests.support.moto_deployment import Deployment, running
from tests.support.template import MADE

IN_30_DAYS = {"RETENTION_DAYS": "30"}


def _get(deployment: Deployment, pay_id: str) -> dict[str, Any]:
    key = {"pk": {"S": f"P000818#{pay_id}"}}
    return deployment.table.get_item(TableName=MADE["Table"], Key=key)["Item"]


def _check(deployment: Deployment, pay_id: str) -> None:
    message = {"messageId": "1", "body": f'{{"payId": "{pay_id}"}}'}
    checks = deployment.app("checks", **IN_30_DAYS)
    assert checks.handler({"Records": [message]}, None) == {"batchItemFailures": []}


def test_a_paid_payment_may_be_deleted_once_its_event_is_sent() -> None:
    """Never before."""
    with running() as deployment:
        _check(deployment, "paid-1")
        assert "expiresAt" not in _get(deployment, "paid-1")
        records = deployment.stream_records()
        deployment.app("publisher", **IN_30_DAYS).handler({"Records": records}, None)
        expected = str((deployment.now + 30 * DAY) // 1000)
        assert _get(deployment, "paid-1")["expiresAt"] == {"N": expected}
