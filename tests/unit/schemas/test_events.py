"""P3, contract of the event: the PaymentSucceeded document and its id."""

import json
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payresult.domain.event import Event, event_id
from payresult.domain.payment import Registration, to_iso8601
from payresult.domain.reply import Reply, truncate
from payresult.schemas.events import payment_succeeded
from tests.support.factories import NOW, PARTNER, PAY_ID, reply

PAID = reply(
    payAmount="$19.99",
    payResultDate="2020-09-17 18:11:10",
    packageType="2",
    orderPeriod="1",
    servicePlanShowName="欧洲 30 天",
)
LIMIT = 8 * 1024


def event(said: Reply = PAID, registered: Registration | None = None, zone: str = "") -> Event:
    """Return the event of a payment of the environment ``prod``, observed at NOW."""
    return payment_succeeded(
        said,
        registered or Registration(),
        environment="prod",
        zone=ZoneInfo(zone) if zone else None,
        observed_at=NOW,
    )


def test_is_the_document_of_the_design_with_its_keys_in_order() -> None:
    """Every field that there is, as section 8 shows it, without blanks."""
    registered = Registration("A-17", "19.99", "USD")
    expected = {
        "metadata": {
            "eventId": str(
                uuid5(NAMESPACE_URL, "payresult:PaymentSucceeded:1:prod:P000818:20190321192436")
            ),
            "schemaVersion": "1",
            "environment": "prod",
            "idempotencyKey": "PaymentSucceeded:prod:P000818:20190321192436",
        },
        "data": {
            "partnerCode": "P000818",
            "payId": "20190321192436",
            "orderId": "A-17",
            "amount": "19.99",
            "currency": "USD",
            "payAmount": "$19.99",
            "payRst": "success",
            "payResultDate": "2020-09-17 18:11:10",
            "paidAt": "2020-09-17T18:11:10+08:00",
            "observedAt": "2026-11-22T10:00:00.123Z",
            "packageType": "2",
            "packageUnit": "month",
            "orderPeriod": "1",
            "servicePlanShowName": "欧洲 30 天",
        },
    }
    made = event(PAID, registered, "Asia/Shanghai")
    assert made.detail == json.dumps(expected, ensure_ascii=False, separators=(",", ":"))
    assert (made.pay_id, made.event_id) == (PAY_ID, expected["metadata"]["eventId"])


def test_a_duplicate_names_the_payment_that_was_first() -> None:
    """After the order, and that is all that differs: version 1 gains an optional field."""
    first = event(PAID, Registration("A-17"))
    second = payment_succeeded(
        PAID,
        Registration("A-17"),
        environment="prod",
        zone=None,
        observed_at=NOW,
        duplicate_of="p-1",
    )
    added = '"orderId":"A-17","duplicateOf":"p-1",'
    assert second.detail == first.detail.replace('"orderId":"A-17",', added)


def test_the_id_is_this_one_for_ever() -> None:
    """Subscribers de-duplicate by it: it must never change, whoever computes it."""
    assert event_id("prod", PARTNER, PAY_ID) == "14b5e130-c446-5f11-a536-4cea1c63337a"


def test_the_id_depends_on_nothing_but_which_payment_it_is() -> None:
    """Not on amount, time, order or anything else that a reply may write otherwise (P3)."""
    other = reply("SUCCESS", payAmount="USD 19.99", packageType="5")
    assert event(other, Registration("B-1", "19.99")).event_id == event().event_id
    # an event of a test stack is never taken for one of production
    parts = [("prod", "P1", "1"), ("test", "P1", "1"), ("prod", "P2", "1"), ("prod", "P1", "2")]
    assert len({event_id(*each) for each in parts}) == 4


def test_what_is_unknown_is_absent() -> None:
    """The least that a reply may have: never null, never empty."""
    data = json.loads(event(reply()).detail)["data"]
    assert list(data) == ["partnerCode", "payId", "payRst", "observedAt"]


@pytest.mark.parametrize(
    ("fields", "absent"),
    [
        ({"payAmount": "19,99"}, {"amount", "currency"}),
        ({"payResultDate": "2020-02-31 10:00:00"}, {"paidAt"}),
        ({"packageType": "7"}, {"packageUnit"}),
    ],
)
def test_an_odd_field_is_kept_raw(fields: dict[str, str], absent: set[str]) -> None:
    """Its useful form is absent, and the event goes out."""
    data = json.loads(event(reply(**fields), zone="Asia/Shanghai").detail)["data"]
    assert fields.items() <= data.items()
    assert not absent & set(data)


@pytest.mark.parametrize(
    ("registered", "paid", "currency"),
    [
        *((None, "$5", None), ("CNY", "¥5", "CNY"), ("EUR", "19,99", "EUR")),
    ],
)
def test_the_currency_of_an_event(registered: str | None, paid: str, currency: str | None) -> None:
    """A dollar sign alone names none."""
    data = json.loads(event(reply(payAmount=paid), Registration(currency=registered)).detail)
    assert data["data"].get("currency") == currency


CHARACTERS = "".join(chr(code) for code in (*range(0xD800), *range(0xE000, 0x110000, 97)))
AWKWARD = [
    *(CHARACTERS[start : start + 190] for start in range(0, len(CHARACTERS), 190)),
    *("\x00\b\t\n\f\r\x1b\x7f\x85", '"\\/', "\ufeff\u2028\u2029\uffff"),
    *("😀👨\u200d👩\u200d👧", r"half \ud83d, \u00e9, \\"),
]


def test_the_text_is_that_of_json_dumps_to_the_byte() -> None:
    """Events of earlier releases lie in tables and archives: escapes and order are the same."""
    for text in AWKWARD:
        made = event(reply(servicePlanShowName=text, payAmount="$1"), Registration("\"'\\<&>"))
        document = json.loads(made.detail)
        assert made.detail == json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        assert document["data"]["servicePlanShowName"] == text


def test_an_odd_registration_does_not_keep_the_event_from_being_sent() -> None:
    """What goes out was checked when it came in; a table may hold what no release would take."""
    data = json.loads(event(PAID, Registration("a b", "x", "usd")).detail)["data"]
    assert (data["orderId"], data["currency"]) == ("a b", "usd")


@pytest.mark.parametrize("character", ["x", '"', "\\", "\x01", "\x7f", "欧", "😀", "\u2028", "/"])
def test_has_at_most_8_kib_under_the_worst_input(character: str) -> None:
    """Every field as long as a reply can have it, every name as long as it may be."""
    long = character * 60_000
    said = Reply(
        {"partnerCode": "P" * 32, "payId": "1" * 64, "payRst": "SUCCESS"}
        | dict.fromkeys(
            ("payAmount", "payResultDate", "orderPeriod", "packageType", "servicePlanShowName"),
            long,
        )
    )
    made = payment_succeeded(
        said,
        Registration('"' * 128, "999999999999.99", "USD"),
        environment="e" * 32,
        zone=ZoneInfo("America/Argentina/ComodRivadavia"),
        observed_at=NOW,
    )
    assert len(made.detail.encode()) <= LIMIT
    assert json.loads(made.detail)["data"]["orderPeriod"].startswith(character * 100)


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(["payAmount", "payResultDate", "packageType"]), st.text()))
def test_every_reply_makes_a_document(fields: dict[str, str]) -> None:
    """JSON, small enough, with the raw fields as they came (the long ones cut)."""
    made = event(reply(**fields), zone="Asia/Shanghai")
    assert len(made.detail.encode()) <= LIMIT
    data = json.loads(made.detail)["data"]
    assert {name: data[name] for name in fields} == {k: truncate(v, 200) for k, v in fields.items()}


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        *((NOW - NOW % 1000 + ms, f"2026-11-22T10:00:00.{ms:03}Z") for ms in (0, 1, 57, 999)),
    ],
)
def test_no_millisecond_is_lost(at: int, text: str) -> None:
    """Times are shown in UTC; zero is a time as any other."""
    assert to_iso8601(at) == text
