"""Contract: the samples and schemas in events/ agree with what the code accepts and sends."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from payresult.domain.payment import CheckMessage, Registration
from payresult.errors import InvalidInput
from payresult.gateway.protocol import HttpResponse, read_reply
from payresult.schemas.events import payment_succeeded
from payresult.schemas.requests import parse_message
from tests.contract.documents import documents
from tests.support.functions import CONTEXT
from tests.support.moto_deployment import Deployment, running
from tests.support.samples import sample
from tests.support.schemas import EVENT, EVENTS, closed, errors, load

PAY_ID, SECOND = "20190321192436", "20190321192440"
MESSAGES = {
    "order": CheckMessage(PAY_ID, Registration("A-17", "19.99", "USD")),
    "list": ["20190321192437", "20190321192438"],
    "follow-up": CheckMessage("20190321192439", step=2),
}


@pytest.fixture
def world() -> Iterator[Deployment]:
    """The environment in which the handlers run."""
    with running() as world:
        yield world


def test_the_generated_documents_are_those_checked_in() -> None:
    """To fix: run ``make documents``."""
    generated = documents()
    assert generated == {path: (EVENTS / path).read_text(encoding="utf-8") for path in generated}


# Inputs


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_sample_fits_its_schema_and_says_what_it_is_there_for(name: str) -> None:
    """The text is as ``aws sqs send-message --message-body file://…`` sends it."""
    text = (EVENTS / "messages" / f"{name}.json").read_text(encoding="utf-8")
    assert errors(load(f"schemas/{name}-message.json"), json.loads(text)) == []
    assert parse_message(text) == MESSAGES[name]


# At and beyond each limit that a field has, and of each type.
EDGES: list[Any] = [
    *(None, True, 0, 1, 2, -1, 0.5, 10**15, {}, [], [None], [PAY_ID, 1], ["P\n"], [[PAY_ID]]),
    *("", " ", "P", "P\n", "A b", "a-_Z9", "!~", "\x7f", "é", "\u0663", "USD", "US", "usd", "USDX"),
    *("0", "0.0", "0.00", "0.01", "007", "1.", ".5", "1.9", "1.99", "1.999", "1,000", "1e3", "-1"),
    *("9" * 12, "9" * 13, "9" * 12 + ".99", "1\n", "$1", "\u0661", "\uff11"),
    *("1.2345", "1.23456", "0.0000", "a.b:c~d-_", "-a", ".a", ":a", "~a", "a#b", "a/b", "a%3Ab"),
    *("x" * length for length in (64, 65, 128, 129)),
    *([PAY_ID] * length for length in (1, 2, 100, 101)),
]
BASES: list[dict[str, Any]] = [{}, {"payId": PAY_ID}, {"payId": PAY_ID, "step": 2}]


@pytest.mark.parametrize(
    "field", ["payId", "orderId", "expectedAmount", "currency", "step", "payIds", "more"]
)
def test_the_schemas_take_what_the_code_takes(field: str) -> None:
    """And nothing else: a message is valid for the code and one schema, or for neither."""
    schemas = [load(f"schemas/{name}-message.json") for name in MESSAGES]
    for body in [base | {field: edge} for base in BASES for edge in EDGES]:
        fitting = [schema for schema in schemas if not errors(schema, body)]
        rule = refusal(body)
        if rule is None:
            assert len(fitting) == 1, body
        elif "decimals" not in rule:  # how many a currency has is said in words only
            assert fitting == [], body


def refusal(message: dict[str, Any]) -> str | None:
    """Return the rule that *message* breaks, or None."""
    try:
        parse_message(json.dumps(message))
    except InvalidInput as error:
        return error.rule
    return None


@pytest.mark.parametrize("field", ["orderId", "expectedAmount", "currency"])
def test_null_says_as_little_as_absent(field: str) -> None:
    """A null field of the registration is the same as an absent one."""
    assert parse_message(f'{{"payId": "P-1", "{field}": null}}') == CheckMessage("P-1")


def test_the_batch_holds_the_message_samples() -> None:
    """Each with the digest that SQS computes."""
    records = sample("checks")["Records"]
    assert [parse_message(each["body"]) for each in records] == list(MESSAGES.values())
    digests = [hashlib.md5(each["body"].encode(), usedforsecurity=False) for each in records]
    assert [each["md5OfBody"] for each in records] == [each.hexdigest() for each in digests]


def test_the_batch_is_followed(world: Deployment) -> None:
    """The order and the follow-up are checked, and each payId of the list is queued.

    The payment of the follow-up is stored; otherwise it would be dropped.
    """
    checks = world.app("checks")
    stored = {"messageId": "0", "body": '{"payId": "20190321192439"}'}
    world.gateway.answers["20190321192439"] = (200, {"payRst": "waiting"})
    checks.handler({"Records": [stored]}, None)
    world.queue.purge_queue(QueueUrl=world.environ["QUEUE_URL"])
    world.gateway.asked.clear()
    assert checks.handler(sample("checks"), None) == {"batchItemFailures": []}
    assert sorted(world.gateway.asked) == [PAY_ID, "20190321192439"]
    queue = world.environ["QUEUE_URL"]
    queued = world.queue.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    bodies = [json.loads(message["Body"]) for message in queued]
    assert bodies == [{"payId": pay_id} for pay_id in load("messages/list.json")["payIds"]]


def test_the_schedule_sweeps(world: Deployment) -> None:
    """A check whose message was lost is sent to the queue."""
    queue = world.environ["QUEUE_URL"]
    world.app("api").handler(sample("api-put"), None)
    world.queue.purge_queue(QueueUrl=queue)
    world.now += 16 * 60 * 1000
    world.app("sweeper").handler(sample("sweeper"), CONTEXT)
    [message] = world.queue.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"]) == {"payId": PAY_ID, "step": 1}


# Outputs


@pytest.mark.parametrize(
    ("sample_name", "pay_id", "duplicate_of"),
    [("payment-succeeded", PAY_ID, None), ("payment-succeeded-duplicate", SECOND, PAY_ID)],
)
def test_the_event_samples_fit_their_schemas(
    sample_name: str, pay_id: str, duplicate_of: str | None
) -> None:
    """With the documented id; the second payment of an order names the first one."""
    envelope = load(f"{sample_name}.json")
    assert envelope["detail"]["data"].get("duplicateOf") == duplicate_of
    assert errors(closed(load("schemas/payment-succeeded-envelope.json")), envelope) == []
    assert errors(EVENT, envelope["detail"]) == []
    name = f"payresult:PaymentSucceeded:1:prod:P000818:{pay_id}"
    assert envelope["detail"]["metadata"]["eventId"] == str(uuid5(NAMESPACE_URL, name))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=300),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=5,
)
DATES = st.datetimes().map(lambda at: at.isoformat(" ", "seconds"))
AMOUNTS = st.from_regex(r"\A([$€£¥￥]|[A-Z]{3} )?[0-9]{1,3}(,[0-9]{3})*(\.[0-9]{1,2})?\Z")
REPLIES = st.fixed_dictionaries(
    {"payRst": st.sampled_from(["success", "SUCCESS", "Success"])},
    optional={
        "payAmount": AMOUNTS | JSON,
        "payResultDate": DATES | JSON,
        "packageType": st.sampled_from("01234567") | JSON,
        "orderPeriod": JSON,
        "servicePlanShowName": JSON,
    },
)
REGISTRATIONS = st.builds(
    Registration,
    st.none() | st.from_regex(r"\A[\x21-\x7e]{1,128}\Z"),
    st.none() | st.just("19.99"),
    st.none() | st.from_regex(r"\A[A-Z]{3}\Z"),
)
ZONES = st.sampled_from([None, *map(ZoneInfo, ("Asia/Shanghai", "America/St_Johns", "UTC"))])


OLD = {"payRst": "success", "payResultDate": "1900-01-01 00:00:00"}  # at +08:05:43
LONG = {"payRst": "success", "payAmount": "9" * 999, "servicePlanShowName": "套" * 999}


@example(OLD, Registration(), ZoneInfo("Asia/Shanghai"), 0)
@example(LONG, Registration(), None, 0)
@given(REPLIES, REGISTRATIONS, ZONES, st.integers(0, 253_402_300_799_999))
def test_every_event_fits_the_schema(
    fields: dict[str, Any], registered: Registration, zone: ZoneInfo | None, at: int
) -> None:
    """Whatever other fields the gateway sends with ``success``."""
    body = json.dumps({"partnerCode": "P000818", "payId": PAY_ID} | fields).encode()
    answer = HttpResponse(200, {"content-type": "application/json"}, body)
    reply = read_reply(answer, pay_id=PAY_ID, partner_code="P000818", now=0)
    event = payment_succeeded(reply, registered, environment="prod", zone=zone, observed_at=at)
    assert errors(EVENT, json.loads(event.detail)) == []
    assert len(event.detail.encode()) <= 8 * 1024


def test_the_least_event_has_what_is_required_and_nothing_else() -> None:
    """So each optional field can be absent."""
    body = f'{{"partnerCode": "P000818", "payId": "{PAY_ID}", "payRst": "success"}}'.encode()
    answer = HttpResponse(200, {"content-type": "application/json"}, body)
    reply = read_reply(answer, pay_id=PAY_ID, partner_code="P000818", now=0)
    event = payment_succeeded(reply, Registration(), environment="prod", zone=None, observed_at=0)
    assert list(json.loads(event.detail)["data"]) == EVENT["properties"]["data"]["required"]
