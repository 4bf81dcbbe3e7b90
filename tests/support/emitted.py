"""Support: the metrics (EMF) that the four real handlers write, over all their cases."""

import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from threading import Thread
from types import ModuleType
from typing import Any, NamedTuple
from unittest import mock

import boto3
from moto import mock_aws

from payresult.resources import FORBIDDEN
from payresult.services.sweeper import COUNT_INTERVAL_MS
from tests.support.template import MADE, ROOT, deployed_environment, properties

CREATED = {"AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode"}
ON_THE_COUNT = 1_795_341_600_000 // COUNT_INTERVAL_MS * COUNT_INTERVAL_MS / 1000
"""A time in seconds at which the sweeper counts the followed payments."""

REPLIES: dict[str, tuple[int, dict[str, str]]] = {
    "paid": (200, {"payRst": "success", "payAmount": "$19.99"}),
    "fail": (200, {"payRst": "fail"}),
    "wait": (200, {"payRst": "wait"}),
    "odd": (200, {}),
    "down": (503, {}),
}
"""The gateway's answers, by the first part of the payId."""


class Series(NamedTuple):
    """What identifies a metric in CloudWatch, and its unit."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    unit: str


class _Gateway(BaseHTTPRequestHandler):
    """A gateway that gives each kind of answer."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, said = REPLIES[asked["payId"].split("-")[0]]
        about = {"payId": asked["payId"], "partnerCode": asked["partnerCode"]}
        body = json.dumps(about | said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def _gateway() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Gateway)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextmanager
def _deployment(gateway: str) -> Iterator[None]:
    """The template's table, queue and bus, and the environment of its functions."""
    chosen = {"GatewayBaseUrl": gateway, "FailedPayRstValues": "fail"}
    environment = deployed_environment(**chosen) | {"AWS_DEFAULT_REGION": "eu-central-1"}
    own = {name: value for name, value in os.environ.items() if name.upper() not in FORBIDDEN}
    table = {name: it for name, it in properties("Table").items() if name in CREATED}
    with mock.patch.dict(os.environ, own | environment, clear=True), mock_aws():
        boto3.client("dynamodb").create_table(TableName=MADE["Table"], **table)
        boto3.client("sqs").create_queue(QueueName="checks")
        boto3.client("events").create_event_bus(Name=MADE["EventBus"])
        yield


@cache
def emitted() -> frozenset[Series]:
    """Return every metric that the functions write."""
    with _gateway() as address, _deployment(address):
        return frozenset(series for line in _all_cases() for series in _series(line))


def _all_cases() -> Iterator[dict[str, Any]]:
    """Register, check, look up, publish and sweep; yield the metric lines."""
    yield from _lines("api", _request("PUT", "paid-less", {"expectedAmount": "5.00"}))
    _put_unreadable("paid-odd")
    asked = ["paid-1", "paid-less", "paid-odd", "fail-1", "wait-1", "odd-1", "down-1"]
    records = [{"messageId": pay_id, "body": json.dumps({"payId": pay_id})} for pay_id in asked]
    malformed = {"messageId": "m", "body": "{"}
    yield from _lines("checks", {"Records": [*records, malformed]})
    yield from _lines("api", _request("GET", "wait-2"))
    yield from _lines("publisher", {"Records": [_became_paid("paid-1")]})
    with mock.patch("time.time", return_value=ON_THE_COUNT):
        yield from _lines("sweeper", {})


def _request(method: str, pay_id: str, body: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {
        "routeKey": f"{method} /payments/{{payId}}",
        "pathParameters": {"payId": pay_id},
        "body": json.dumps(body),
    }


def _key(pay_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"P000818#{pay_id}"}}


def _put_unreadable(pay_id: str) -> None:
    """Put an item that no version of payresult can read."""
    boto3.client("dynamodb").put_item(TableName=MADE["Table"], Item=_key(pay_id))


def _became_paid(pay_id: str) -> dict[str, Any]:
    """Return the stream record of the write that stored the payment's event."""
    found = boto3.client("dynamodb").get_item(TableName=MADE["Table"], Key=_key(pay_id))
    return {"dynamodb": {"SequenceNumber": "1", "NewImage": found["Item"]}}


def _load(name: str) -> ModuleType:
    """Return a function's module, loaded again in the current environment."""
    spec = spec_from_file_location(f"started_{name}", ROOT / "functions" / name / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _lines(name: str, event: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the metric lines that the function *name* writes for *event*."""
    function = _load(name)
    with redirect_stdout(io.StringIO()) as written:
        function.handler(event, object())
    return [json.loads(line) for line in written.getvalue().splitlines() if '"_aws"' in line]


def _series(line: dict[str, Any]) -> Iterator[Series]:
    for it in line["_aws"]["CloudWatchMetrics"]:
        for dimensions in it["Dimensions"]:
            values = tuple((key, line[key]) for key in dimensions)
            for metric in it["Metrics"]:
                yield Series(it["Namespace"], metric["Name"], values, metric["Unit"])
