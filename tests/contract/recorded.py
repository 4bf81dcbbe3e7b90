"""What the real handlers answer and send, on a simulated AWS: the examples of the documents."""

import json
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

from tests.support.moto_deployment import REGION, Deployment, running
from tests.support.samples import GET, PUT, QUERY, SAMPLES, WAIT, sample

Event = dict[str, Any]

PAY_ID, OTHER, WRONG, ODD = "20190321192436", "20190321192437", "20190321192438", "20190321192439"
SECOND = "20190321192440"
DOWN = (500, {"message": "internal error"})

# What is AWS's own in each sample, made up once and for all.
RECORD: Event = {
    "eventID": "c4ca4238a0b923820dcc509a6f75849b",
    "awsRegion": REGION,
    "eventSourceARN": f"arn:aws:dynamodb:{REGION}:123456789012:table/payresult-Table-1A2B3C4D5E6F"
    "/stream/2026-11-01T00:00:00.000",
}
CHANGE: Event = {
    "ApproximateCreationDateTime": 1795341600.0,
    "SequenceNumber": "1100000000017454423011",
    "SizeBytes": 2628,
}
ENVELOPE: Event = {
    "version": None,
    "id": "17793124-05d4-b198-2fde-7ededc63b103",
    "detail-type": None,
    "source": None,
    "account": "123456789012",
    "time": "2026-11-22T10:00:00Z",
    "region": REGION,
    "resources": None,
    "detail": None,
}
"""In the order of EventBridge; what is None comes from the event that was sent."""


class Example(NamedTuple):
    """An answer to one call: *body* is its parsed JSON."""

    route: str
    name: str
    summary: str
    status: int
    headers: dict[str, str]
    body: Event


@cache
def examples() -> tuple[Example, ...]:
    """Return an answer of each kind, in the order in which the documents show them."""
    with running() as world:
        return (*_life_of_a_payment(world), *_lists_and_troubles(world))


def _call(
    app: ModuleType,
    route: str,
    name: str,
    summary: str,
    pay_id: str | None = None,
    body: object = None,
    **query: str,
) -> Example:
    """Send the sample request of *route*, changed where told, to the api function."""
    event = sample(SAMPLES[route])
    if query:
        event["queryStringParameters"] = query
    if pay_id is not None:
        event["pathParameters"] = {"payId": pay_id}
    if body is not None:
        event["body"] = json.dumps(body)
    sent = app.handler(event, None)
    return Example(
        route, name, summary, sent["statusCode"], sent["headers"], json.loads(sent["body"])
    )


def _life_of_a_payment(world: Deployment) -> Iterator[Example]:
    app, checks = world.app("api"), world.app("checks")
    world.gateway.answers[PAY_ID] = (200, {"payRst": "waiting"})
    yield _call(app, PUT, "registered", "Registered, and followed from now on", PAY_ID)
    _check(checks, PAY_ID)
    world.now += 3000
    yield _call(app, GET, "pending", "Not paid yet", PAY_ID)
    world.now += 3000
    yield _call(app, WAIT, "still-pending", "Waited, and not paid yet: call again", PAY_ID)
    world.now += 3000
    world.gateway.answers[PAY_ID] = DOWN
    yield _call(app, GET, "stale", "The gateway is down: what was known before", PAY_ID)
    world.now += 3000
    del world.gateway.answers[PAY_ID]
    yield _call(app, GET, "settled", "Paid", PAY_ID)
    other = {"expectedAmount": "9.99"}
    summary = "Registered with another amount"
    yield _call(app, PUT, "registration-conflict", summary, PAY_ID, other)
    order = {"orderId": "A-17", "expectedAmount": "29.99", "currency": "USD"}
    _call(app, PUT, "", "", WRONG, order)
    _check(checks, WRONG)
    yield _call(app, GET, "review", "Paid, but another amount", WRONG)


def _check(checks: ModuleType, pay_id: str) -> None:
    message = {"messageId": "1", "body": json.dumps({"payId": pay_id})}
    assert checks.handler({"Records": [message]}, None) == {"batchItemFailures": []}


def _lists_and_troubles(world: Deployment) -> Iterator[Example]:
    app = world.app("api")
    world.gateway.answers |= {OTHER: DOWN, ODD: (404, {"message": "not found"})}
    both = {"payIds": [PAY_ID, OTHER]}
    yield _call(app, QUERY, "results", "One is paid, of the other nothing is known", body=both)
    rule = "A value breaks a rule"
    yield _call(app, GET, "invalid-get", rule, "2019 0321")
    yield _call(app, WAIT, "invalid-wait", rule, seconds="999")
    yield _call(app, PUT, "invalid-put", rule, body={"expectedAmount": "19.999"})
    yield _call(app, QUERY, "invalid-query", rule, body={"payIds": []})
    yield _call(app, GET, "gateway-unavailable", "The gateway is down", OTHER)
    yield _call(app, GET, "gateway-bad-reply", "The gateway answers nonsense", ODD)
    hasty = world.app("api", MAX_WAIT_SECONDS="0")
    yield _call(hasty, WAIT, "waiting-off", "This deployment lets nobody wait", OTHER)
    strict = world.app("api", REQUIRE_REGISTRATION="true")
    yield _call(strict, GET, "not-registered", "Nobody registered it", OTHER)
    unreadable: Any = {"pk": {"S": f"P000818#{ODD}"}, "schemaVersion": {"N": "2"}}
    world.table.put_item(TableName=world.environ["TABLE_NAME"], Item=unreadable)
    yield _call(app, GET, "try-again", "Not at the moment", ODD)
    broken = world.app("api", TABLE_NAME="not-there")
    yield _call(broken, GET, "internal-error", "Something broke on our side")


def stream_event_and_envelopes() -> tuple[Event, Event, Event]:
    """Return the stream's event about the paid order, and what a subscriber then receives.

    The last one is what it receives about a second payment of the same order.
    """
    with running() as world:
        inbox = subscribe(world, {"source": ["payresult"]})
        stream_event, first = _sent(world, inbox, sample("checks"), PAY_ID)
        message = {"messageId": "1", "body": json.dumps({"payId": SECOND, "orderId": "A-17"})}
        _, second = _sent(world, inbox, {"Records": [message]}, SECOND)
        return stream_event, first, second


def _sent(world: Deployment, inbox: str, batch: Event, pay_id: str) -> tuple[Event, Event]:
    """Have *batch* checked and the event of a payment sent; return the stream's event and it."""
    assert world.app("checks").handler(batch, None) == {"batchItemFailures": []}
    key, records = {"S": f"P000818#{pay_id}"}, world.stream_records()
    paid = [each for each in records if each["dynamodb"]["NewImage"]["pk"] == key][-1]
    paid["dynamodb"] |= CHANGE
    stream_event = {"Records": [paid | RECORD]}
    assert world.app("publisher").handler(stream_event, None) == {"batchItemFailures": []}
    [sent] = received(world, inbox)
    return stream_event, {name: made or sent[name] for name, made in ENVELOPE.items()}


def subscribe(world: Deployment, pattern: Event) -> str:
    """Return the URL of a new queue to which the bus sends what fits *pattern*."""
    bus, url = world.environ["EVENT_BUS_NAME"], world.queue.create_queue(QueueName="inbox")
    arn = f"arn:aws:sqs:{REGION}:123456789012:inbox"
    world.bus.put_rule(Name="inbox", EventBusName=bus, EventPattern=json.dumps(pattern))
    world.bus.put_targets(Rule="inbox", EventBusName=bus, Targets=[{"Id": "1", "Arn": arn}])
    return url["QueueUrl"]


def received(world: Deployment, inbox: str) -> list[Event]:
    """Return the events in the queue *inbox*."""
    messages = world.queue.receive_message(QueueUrl=inbox, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in messages.get("Messages", [])]
