"""Support: the metrics (EMF) that the four real handlers write, over all their cases."""

import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from functools import cache
from typing import Any, NamedTuple
from unittest import mock

from payresult.services.sweeper import COUNT_INTERVAL_MS
from tests.support.functions import CONTEXT
from tests.support.moto_deployment import Deployment, running
from tests.support.template import MADE

ON_THE_COUNT = 1_795_341_600_000 // COUNT_INTERVAL_MS * COUNT_INTERVAL_MS
"""A time in milliseconds at which the sweeper counts the followed payments."""

ANSWERS: dict[str, tuple[int, dict[str, str]]] = {
    "fail-1": (200, {"payRst": "fail"}),
    "wait-1": (200, {"payRst": "wait"}),
    "wait-2": (200, {"payRst": "wait"}),
    "odd-1": (200, {}),
    "down-1": (503, {}),
    "down-2": (503, {}),
}
"""What the gateway says by payId; all others are paid."""
METRICS_ON = {"POWERTOOLS_METRICS_DISABLED": "false"}


class Series(NamedTuple):
    """What identifies a metric in CloudWatch, and its unit."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    unit: str


@cache
def emitted() -> frozenset[Series]:
    """Return every metric that the functions write."""
    with running() as world, mock.patch.dict(os.environ, METRICS_ON):
        world.environ |= {"FAILED_PAY_RST_VALUES": "fail", "CHECK_DELAYS": "1"}
        world.gateway.answers |= ANSWERS
        return frozenset(series for line in _all_cases(world) for series in _series(line))


def _all_cases(world: Deployment) -> Iterator[dict[str, Any]]:
    """Register, check, look up, publish and sweep; yield the metric lines."""
    yield from _lines(world, "api", _request("PUT", "paid-less", {"expectedAmount": "5.00"}))
    world.table.put_item(TableName=MADE["Table"], Item=_key("paid-odd"))  # unreadable
    asked = ["paid-1", "paid-less", "paid-odd", "fail-1", "wait-1", "odd-1", "down-1"]
    records = [{"messageId": pay_id, "body": json.dumps({"payId": pay_id})} for pay_id in asked]
    malformed = {"messageId": "m", "body": "{"}
    yield from _lines(world, "checks", {"Records": [*records, malformed]})
    world.now += 31 * 60_000  # unpaid for over half an hour
    # The last check, which makes the payment EXPIRED, and one of a payment that is erased.
    follow_ups = {pay_id: {"payId": pay_id, "step": 2} for pay_id in ("wait-1", "erased-1")}
    records = [{"messageId": key, "body": json.dumps(it)} for key, it in follow_ups.items()]
    yield from _lines(world, "checks", {"Records": records})
    for pay_id in ("wait-2", "down-2", "paid-odd"):
        yield from _lines(world, "api", _request("GET", pay_id))
    yield from _lines(world, "publisher", {"Records": [_became_paid(world, "paid-1")]})
    world.now = ON_THE_COUNT
    yield from _lines(world, "sweeper", {})


def _request(method: str, pay_id: str, body: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {
        "routeKey": f"{method} /payments/{{payId}}",
        "pathParameters": {"payId": pay_id},
        "body": json.dumps(body),
    }


def _key(pay_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"P000818#{pay_id}"}}


def _became_paid(world: Deployment, pay_id: str) -> dict[str, Any]:
    """Return the stream record of the write that stored the payment's event."""
    found = world.table.get_item(TableName=MADE["Table"], Key=_key(pay_id))
    return {"dynamodb": {"SequenceNumber": "1", "NewImage": found["Item"]}}


def _lines(world: Deployment, name: str, event: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the metric lines that the function *name* writes for *event*."""
    function = world.app(name)
    with redirect_stdout(io.StringIO()) as written:
        function.handler(event, CONTEXT)
    return [json.loads(line) for line in written.getvalue().splitlines() if '"_aws"' in line]


def _series(line: dict[str, Any]) -> Iterator[Series]:
    for it in line["_aws"]["CloudWatchMetrics"]:
        for dimensions in it["Dimensions"]:
            values = tuple((key, line[key]) for key in dimensions)
            for metric in it["Metrics"]:
                yield Series(it["Namespace"], metric["Name"], values, metric["Unit"])
