"""P2, contract of the inputs: messages of the checks queue and bodies of the HTTP API."""
# ruff: noqa: RUF001 - digits that only look like ASCII are what is tested here

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from payresult.aws.sqs import QueuedCheck
from payresult.domain.payment import CheckMessage, Registration
from payresult.errors import InvalidInput
from payresult.schemas.requests import (
    MAX_BODY_BYTES,
    parse_message,
    parse_pay_id,
    parse_pay_ids,
    parse_registration,
    parse_wait_seconds,
)

BAD_PAY_IDS = [
    *("", " ", "a b", "a#b", "#", "a/b", "../a", "a\n", "\na", "a\x00", "a" * 129, "é", "支付"),
    *("１２", "٣", "a%20", "a%3Ab", "a?b", "a+b", "a=b", "a,b", "a;b", "a@b", "a\\b", "a|b"),
    *("\u200ba", "<a>", "'--", "-", "--yes", "-1", ".", "..", ".a", ":", ":a", "~", "~a"),
    *("a\u2024b", "a\uff1ab", "a$b", "a&b", "a*b", "a(b", "a'b", 'a"b', "a!b"),
]
GOOD_PAY_IDS = [
    *("2", "20190321192436", "a_b-C", "_", "a" * 64, "0" * 128, "_.:~-", "a..b", "a--", "PAY:1"),
    *("urn:uuid:0b9c", "pi_3Nxy~1", "ch.1-2", "9.", "A:", "order", "order:A-17"),
]


Parse = Callable[[Any], object]


def refused(parse: Parse, value: object) -> InvalidInput:
    """Return the error that *parse* raises for *value*; an object becomes JSON."""
    with pytest.raises(InvalidInput) as caught:
        parse(value if value is None or isinstance(value, (str, bytes)) else json.dumps(value))
    assert str(caught.value) == f"{caught.value.field}: {caught.value.rule}"
    return caught.value


@pytest.mark.parametrize("text", GOOD_PAY_IDS)
def test_takes_a_pay_id(text: str) -> None:
    """1 to 128 characters that no URL escapes; the provider promises no form."""
    assert parse_pay_id(text) == text
    assert parse_message(json.dumps({"payId": text})) == CheckMessage(text)
    assert parse_pay_ids(json.dumps({"payIds": [text]})) == [text]
    assert quote(text, safe=":") == text


@pytest.mark.parametrize("value", [*BAD_PAY_IDS, None, 5, 5.0, True, [], ["1"], {}, {"a": 1}])
def test_refuses_every_other_pay_id(value: object) -> None:
    """By name, wherever it stands. A number may have lost its zeros."""
    assert refused(parse_message, {"payId": value}).field == "payId"
    if value is None or isinstance(value, str):
        assert refused(parse_pay_id, value).field == "payId"


@pytest.mark.parametrize(
    ("parse", "text", "field"),
    [
        (parse_message, '{"payId": %s}', "payId"),
        (parse_message, '{"payId": %s, "step": 2}', "payId"),
        (parse_message, '{"payId": "1", "orderId": %s}', "orderId"),
        (parse_message, '{"payId": "1", "expectedAmount": %s}', "expectedAmount"),
        (parse_message, '{"payId": "1", "currency": %s}', "currency"),
        (parse_message, '{"payIds": ["1", %s]}', "payIds[1]"),
        (parse_registration, '{"orderId": %s}', "orderId"),
        (parse_registration, '{"expectedAmount": %s}', "expectedAmount"),
        (parse_registration, '{"currency": %s}', "currency"),
        (parse_pay_ids, '{"payIds": [%s]}', "payIds[0]"),
    ],
)
@pytest.mark.parametrize("number", ["5", "19.99", "1e3", "-1", "0", "9" * 5000])
def test_a_number_is_no_text(parse: Parse, text: str, field: str, number: str) -> None:
    """Also one whose characters would be right between quotes: it may have passed a float."""
    error = refused(parse, text % number)
    assert (error.field, error.rule) == (field, "must be a string")


# Messages


@pytest.mark.parametrize(
    ("fields", "registration"),
    [
        ({}, Registration()),
        ({"orderId": "A-17"}, Registration("A-17")),
        ({"expectedAmount": "19.99"}, Registration(None, "19.99")),
        ({"currency": "USD"}, Registration(currency="USD")),
        (
            {"orderId": "A-17", "expectedAmount": "0.01", "currency": "USD"},
            Registration("A-17", "0.01", "USD"),
        ),
        ({"orderId": None, "expectedAmount": None, "currency": None}, Registration()),
        ({"orderId": "!" * 128}, Registration("!" * 128)),
        ({"expectedAmount": "999999999999.99"}, Registration(None, "999999999999.99")),
        ({"expectedAmount": "19.9900"}, Registration(None, "19.9900")),
        *(
            (
                {"expectedAmount": amount, "currency": currency},
                Registration(None, amount, currency),
            )
            for amount, currency in (("1.234", "KWD"), ("1.2345", "CLF"), ("1000.00", "JPY"))
        ),
    ],
)
def test_reads_an_order_s_fields(fields: dict[str, str | None], registration: Registration) -> None:
    """On the queue and over HTTP."""
    message = json.dumps({"payId": "20190321192436", **fields})
    assert parse_message(message) == CheckMessage("20190321192436", registration)
    body = json.dumps(fields)
    assert parse_registration(body) == registration
    assert parse_registration(body.encode()) == registration


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (QueuedCheck("1", 7, 900).body(), CheckMessage("1", step=7)),
        (QueuedCheck("1").body(), CheckMessage("1")),
        ('{"payId": "1", "step": 1}', CheckMessage("1", step=1)),
        ('{"payId": "1", "step": 999999999}', CheckMessage("1", step=999_999_999)),
    ],
)
def test_reads_our_own_follow_ups(body: str, message: CheckMessage) -> None:
    """As the queue sends them."""
    assert parse_message(body) == message


@pytest.mark.parametrize("count", [1, 2, 100])
def test_reads_a_list(count: int) -> None:
    """Of 1 to 100 payIds."""
    pay_ids = [str(number) for number in range(count)]
    text = json.dumps({"payIds": pay_ids})
    assert parse_message(text) == pay_ids
    assert parse_pay_ids(text) == pay_ids


@pytest.mark.parametrize(
    ("pay_ids", "field"),
    [
        *(([], "payIds"), (["1"] * 101, "payIds"), ("1", "payIds"), (None, "payIds")),
        *(({}, "payIds"), ({"0": "1"}, "payIds"), (["1", ""], "payIds[1]")),
        *((["1", "2", "a b"], "payIds[2]"), ([1], "payIds[0]"), ([None], "payIds[0]")),
        *(([["1"]], "payIds[0]"), ([True], "payIds[0]")),
    ],
)
def test_a_list_with_anything_bad_is_refused_whole(pay_ids: object, field: str) -> None:
    """Half a list would be guessing."""
    for parse in (parse_message, parse_pay_ids):
        assert refused(parse, {"payIds": pay_ids}).field == field


@pytest.mark.parametrize(
    ("message", "field"),
    [
        *(({"payId": "1", "orderid": "A"}, "orderid"), ({"payId": "1", "pay_id": "1"}, "pay_id")),
        *(({"payId": "1", "": 1}, ""), ({"payId": "1", "amount": "5"}, "amount")),
        *(({"payIds": ["1"], "payId": "1"}, "payId"), ({"payIds": ["1"], "step": 1}, "step")),
        *(({"payIds": ["1"], "orderId": "A"}, "orderId"), ({"payid": "1"}, "payId")),
        *(({"payId": "1", "step": 1, "orderId": "A"}, "orderId"), ({}, "payId")),
        ({"payId": "1", "order_id": "A"}, "order_id"),
    ],
)
def test_unknown_keys_are_refused_not_guessed_at(message: dict[str, Any], field: str) -> None:
    """Also known ones in the wrong company, and the wrong spelling of known ones."""
    assert refused(parse_message, message).field == field


@pytest.mark.parametrize(
    "step",
    ["0", "-1", "1.0", "1.5", "1e3", '"1"', "true", "null", "[]", "9" * 5000, "1" + "0" * 12],
)
def test_a_step_is_a_whole_number(step: str) -> None:
    """From 1 on, and never another one than was written."""
    assert refused(parse_message, f'{{"payId": "1", "step": {step}}}').field == "step"


BAD_VALUES: dict[str, list[object]] = {
    "orderId": ["\ud800", "", " ", "a b", "a\n", "é", "a" * 129, "\x7f", 5, True, []],
    "expectedAmount": [
        *("$19.99", "19,99", "1,234.50", "-5", "+5", "0", "0.00", "5.999", "1e3", "05", ""),
        *("0.0000", "5.99999", "USD 5", "5 USD", "5."),
        *("٥", "５", "5\n", " 5", "NaN", "9" * 13, 19.99, 5, True, [], {}),
    ],
    "currency": ["usd", "US", "USDT", "U S", "USD\n", "ＵＳＤ", "", 840, []],
}
BAD_FIELDS = [(field, value) for field, values in BAD_VALUES.items() for value in values]


@pytest.mark.parametrize(("field", "value"), BAD_FIELDS)
def test_a_bad_field_is_refused_by_name(field: str, value: object) -> None:
    """On the queue and over HTTP; amounts are strings, for a number may pass through a float."""
    assert refused(parse_message, {"payId": "1", field: value}).field == field
    assert refused(parse_registration, {field: value}).field == field


NO_OBJECTS = [
    *("", " ", "null", "1", '"1"', "[]", '["1"]', "true", "{", "{}}", "{'payId': '1'}"),
    *('{"payId": "1"', '{"payId": "1",}', '{"payId": "1"} x', "payId=1", "<payId>1</payId>"),
    *('{"payId": "1", "payId": "2"}', '{"payId": "1", "orderId": NaN}', "\ufeff{}"),
    *("[" * 5000, '{"a":' * 3000, '{"payId": "\t"}'),
]


@pytest.mark.parametrize("text", NO_OBJECTS, ids=lambda text: text[:20])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    """With one kind of error, whatever is wrong with it."""
    for parse in (parse_message, parse_registration):
        assert str(refused(parse, text)).startswith("body: must be ")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xff\xfe{\x00}\x00", id="UTF-16"),
        pytest.param(b'{"orderId": "\xe9"}', id="Latin-1"),
        pytest.param(b"\xef\xbb\xbf{}", id="a byte order mark"),
        pytest.param('{"orderId": "\ud800"}', id="half a character"),
    ],
)
def test_a_body_is_utf_8_without_a_mark(data: bytes | str) -> None:
    """Nothing is replaced by anything else."""
    assert str(refused(parse_registration, data)).startswith("body: must be JSON")


TEXT = "must be a string"
LIST = "must be a list of 1 to 100 payIds"
ORDER_ID = "must be 1 to 128 visible ASCII characters without blanks"
AMOUNT = 'must be more than zero and look like "19.99"'
STEP = "must be a whole number of at most 9 digits"
PAY_ID = "must be 1 to 128 of A-Z a-z 0-9 _ . : ~ - and begin with a letter, digit or '_'"
NO_CURRENCY = "must have at most 2 decimals (no currency is named)"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ("", "payId: is required"),
        ('"payId": "1", "amount": "5"', "amount: is not a known field"),
        ('"payId": 5', f"payId: {TEXT}"),
        ('"payId": "a b"', f"payId: {PAY_ID}"),
        ('"payId": "-a"', f"payId: {PAY_ID}"),
        ('"payId": "1", "expectedAmount": "1.234"', f"expectedAmount: {NO_CURRENCY}"),
        (
            '"payId": "1", "expectedAmount": "1.5", "currency": "JPY"',
            "expectedAmount: must have at most 0 decimals (JPY)",
        ),
        (
            '"payId": "1", "expectedAmount": "1.2345", "currency": "KWD"',
            "expectedAmount: must have at most 3 decimals (KWD)",
        ),
        ('"payId": "1", "orderId": ""', f"orderId: {ORDER_ID}"),
        ('"payId": "1", "expectedAmount": "0"', f"expectedAmount: {AMOUNT}"),
        ('"payId": "1", "currency": "usd"', 'currency: must be an ISO 4217 code such as "USD"'),
        ('"payId": "1", "step": 1.0', f"step: {STEP}"),
        ('"payId": "1", "step": 1000000000', f"step: {STEP}"),
        (f'"payId": "1", "step": {"9" * 5000}', f"step: {STEP}"),
        ('"payIds": "1"', f"payIds: {LIST}"),
        ('"payIds": []', f"payIds: {LIST}"),
        ('"payIds": [' + '"1", ' * 100 + '"1"]', f"payIds: {LIST}"),
        ('"payIds": ["1", true]', f"payIds[1]: {TEXT}"),
    ],
)
def test_a_refusal_names_the_field_and_the_rule(fields: str, text: str) -> None:
    """In our words: pydantic's are for programmers. The first broken field is named."""
    assert str(refused(parse_message, f"{{{fields}}}")) == text


SNS = "is an SNS notification: enable raw message delivery for the subscription"
EVENT = "is an EventBridge event: give the target an InputPath or an InputTransformer"
ORDER = json.dumps({"payId": "1", "expectedAmount": "19.99"})
NOTIFICATION = {
    "Type": "Notification",
    "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
    "TopicArn": "arn:aws:sns:eu-west-1:123456789012:orders",
    "Message": ORDER,
    "Timestamp": "2026-11-26T10:00:00.000Z",
}
BUS_EVENT = {
    "version": "0",
    "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    "detail-type": "OrderPlaced",
    "source": "orders",
    "detail": json.loads(ORDER),
}


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        (NOTIFICATION, SNS),
        (NOTIFICATION | {"Subject": "x", "MessageAttributes": {}}, SNS),
        (NOTIFICATION | {"Type": "SubscriptionConfirmation", "Token": "x"}, SNS),
        (NOTIFICATION | {"Message": json.dumps(BUS_EVENT)}, SNS),
        (NOTIFICATION | {"payId": "1"}, SNS),
        ({"Type": "Notification", "TopicArn": "arn", "Message": "{}"}, SNS),
        (BUS_EVENT, EVENT),
        (BUS_EVENT | {"detail": {"payIds": ["1"]}}, EVENT),
        ({"detail-type": "x", "detail": None, "payId": "1"}, EVENT),
    ],
)
def test_an_envelope_is_refused_with_the_remedy(message: dict[str, Any], rule: str) -> None:
    """It is not opened: whoever wraps messages by mistake should hear of it."""
    assert str(refused(parse_message, message)) == f"body: {rule}"


@pytest.mark.parametrize(
    "keys",
    [
        *(("Type", "Message"), ("Type", "TopicArn"), ("TopicArn", "Message"), ("Message",)),
        *(("detail",), ("detail-type",)),
    ],
)
def test_part_of_an_envelope_is_none(keys: tuple[str, ...]) -> None:
    """Such a key is unknown, and the refusal names it or what is missing."""
    assert refused(parse_message, dict.fromkeys(keys, "x")).field == "payId"


@pytest.mark.parametrize("character", ["x", "é", "支"])
def test_a_body_has_at_most_16_kib(character: str) -> None:
    """Counted in bytes, as it came."""
    size = len(character.encode())
    fits = '{"orderId": "A"}' + " " * (MAX_BODY_BYTES - 16)
    assert parse_registration(fits).order_id == "A"
    long = f'{{"orderId": "{character * (MAX_BODY_BYTES // size)}"}}'
    for body in (long, long.encode(), fits + " "):
        assert refused(parse_registration, body).rule == "must have at most 16384 bytes"


def test_a_message_names_a_stranger_s_key_in_short() -> None:
    """A key is text of the sender: it is named, but not at length, and in ASCII."""
    error = refused(parse_message, {"payId": "1", "支" * 5000: 1})
    assert len(error.field) == 100
    assert error.field.isascii()


def test_takes_seconds_to_wait() -> None:
    """Up to the most that the deployment allows."""
    texts = ("1", "9", "10", "20")
    assert [parse_wait_seconds(text, 20) for text in texts] == [1, 9, 10, 20]
    with pytest.raises(InvalidInput, match=r"from 1 to 5$"):
        parse_wait_seconds("6", 5)


@pytest.mark.parametrize(
    "text", [None, "", "abc", "-1", "0", "21", "999", "1.5", "05", "1,2", " 5", "5\n", "+5", "٥"]
)
def test_refuses_other_seconds_to_wait(text: str | None) -> None:
    """Absent, empty, no number, too long, and a repeated parameter: field and rule are named."""
    with pytest.raises(InvalidInput) as error:
        parse_wait_seconds(text, 20)
    assert str(error.value) == "seconds: must be one whole number from 1 to 20"
