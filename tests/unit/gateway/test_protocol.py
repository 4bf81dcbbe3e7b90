"""What an HTTP answer means: a reply, an answer without a meaning, or "later"."""

import json
import time
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payresult.domain.reply import Reply
from payresult.errors import GatewayUnavailable, InvalidReply
from payresult.gateway.protocol import MAX_BODY, HttpResponse, read_reply

NOW = 1_790_000_000.0
PAID = {
    "partnerCode": "P000818",
    "payId": "20190321192436",
    "payRst": "success",
    "payAmount": "$19.99",
    "payResultDate": "2020-09-17 18:11:10",
    "orderPeriod": "1",
    "packageType": "2",
    "servicePlanShowName": "Singapore 2G 30-Days",
}

FULL_WIDTH = {ord("0") + digit: chr(0xFF10 + digit) for digit in range(10)}
ARABIC = {ord("0") + digit: chr(0x0660 + digit) for digit in range(10)}


def read(
    body: bytes | str | object, *, status: int = 200, headers: dict[str, str] | None = None
) -> Reply:
    """Read an answer with *body* (an object becomes JSON) as the reply to the paid query."""
    if not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    data = body if isinstance(body, bytes) else body.encode()
    if headers is None:
        headers = {"content-type": "application/json"}
    return read_reply(
        HttpResponse(status, headers, data),
        pay_id="20190321192436",
        partner_code="P000818",
        now=NOW,
    )


def bad(body: bytes | str | object, **answer: object) -> InvalidReply:
    """Return the InvalidReply that reading *body* raises."""
    with pytest.raises(InvalidReply) as caught:
        read(body, **answer)  # type: ignore[arg-type]  # passed on as given
    assert caught.value.pay_id == "20190321192436"
    return caught.value


def test_the_documented_answer_is_a_reply() -> None:
    """All eight fields come, raw."""
    assert read(PAID).fields == PAID
    assert read(PAID).pay_rst == "success"


def test_only_the_three_that_decide_are_needed() -> None:
    """Absent and null mean the same for the rest: the field is not there."""
    needed = {name: PAID[name] for name in ("partnerCode", "payId", "payRst")}
    assert read(needed).fields == needed
    assert read({**needed, "payAmount": None, "orderPeriod": None}).fields == needed


def test_unknown_keys_are_ignored() -> None:
    """The provider may add fields; sign, message and the like are none of ours."""
    assert read({**PAID, "sign": "x", "\ud800": [1], "data": {"payRst": "fail"}}).fields == PAID


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        ("19.90", "19.90"),
        ("1e400", "1e400"),
        ("9" * 5_000, "9" * 5_000),
        ("true", "true"),
        ("false", "false"),
        ('{ "a" : [1.0, "ü", null] }', '{"a":[1.0,"ü",null]}'),
        ("[]", "[]"),
        ('""', ""),
        (r'"plan \ud83d"', r"plan \ud83d"),
        (r'["plan \ud83d"]', r'["plan \ud83d"]'),
        (r'"plan \ud83d\ude00"', "plan 😀"),
        (r'"a\u0000b"', "a\x00b"),
        ('"\uff11\uff19"', "\uff11\uff19"),
    ],
)
@pytest.mark.parametrize(
    "name", ["payAmount", "payResultDate", "orderPeriod", "packageType", "servicePlanShowName"]
)
def test_an_odd_value_never_costs_the_reply(name: str, literal: str, text: str) -> None:
    """What came is kept as text that a store takes, whatever its type was."""
    body = json.dumps({**PAID, name: 0}).replace(f'"{name}": 0', f'"{name}": {literal}')
    fields = read(body).fields
    assert fields == {**PAID, name: text}
    fields[name].encode()


@pytest.mark.parametrize(
    "pay_rst", ["", "SUCCESS", " success", "success\n", "\u017fuccess", "0", "WAIT", "失败"]
)
def test_any_text_is_a_pay_rst(pay_rst: str) -> None:
    """What it means is decided elsewhere; it comes raw."""
    assert read({**PAID, "payRst": pay_rst}).pay_rst == pay_rst


@pytest.mark.parametrize("name", ["payId", "partnerCode"])
@pytest.mark.parametrize(
    "value",
    [
        "20190321192437",
        "p000818",
        "20190321192436 ",
        "20190321192436\n",
        "20190321192436".translate(FULL_WIDTH),
        "20190321192436".translate(ARABIC),
        "",
        20190321192436,
        None,
        True,
        ["20190321192436"],
        {"payId": "20190321192436"},
    ],
)
def test_a_reply_about_another_payment_is_bad(name: str, value: object) -> None:
    """Both echoes have to be strings and equal, character by character."""
    assert str(bad({**PAID, name: value})) == f"HTTP 200: {name} is not the one asked for"


@pytest.mark.parametrize("name", ["payId", "partnerCode", "payRst"])
def test_a_reply_without_a_field_that_decides_is_bad(name: str) -> None:
    """Nothing is guessed: an error envelope with HTTP 200 is no reply."""
    bad({key: value for key, value in PAID.items() if key != name})


@pytest.mark.parametrize("value", [0, 1.5, True, False, None, [], ["success"], {}])
def test_a_pay_rst_that_is_no_string_is_bad(value: object) -> None:
    """The documents say string, and 0000 or true may mean anything."""
    assert str(bad({**PAID, "payRst": value})) == "HTTP 200: payRst is not a string"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"null", id="null"),
        pytest.param(b'"success"', id="a string"),
        pytest.param(json.dumps([PAID]).encode(), id="in an array"),
        pytest.param(json.dumps({"data": PAID}).encode(), id="in an envelope"),
        pytest.param(b'{"operateCode":"E","message":"sign error"}', id="an error envelope"),
        pytest.param(b"<html>success</html>", id="HTML"),
        pytest.param(json.dumps(PAID).encode("utf-16"), id="UTF-16"),
        pytest.param(b"\xef\xbb\xbf" + json.dumps(PAID).encode(), id="byte order mark"),
        pytest.param(json.dumps(PAID).encode()[:-1], id="cut off"),
        pytest.param(json.dumps(PAID).encode() * 2, id="twice"),
        pytest.param(b'{"payRst":"fail",' + json.dumps(PAID).encode()[1:], id="duplicate key"),
        pytest.param(b'{"x":NaN,' + json.dumps(PAID).encode()[1:], id="NaN in an unknown key"),
        pytest.param(
            b'{"x":{"y":1,"y":1},' + json.dumps(PAID).encode()[1:], id="duplicate in an unknown key"
        ),
        pytest.param(b"[" * 60_000, id="60,000 brackets"),
        pytest.param(
            json.dumps(PAID)[:-1].encode() + b',"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
            id="deep in an unknown key",
        ),
        pytest.param("سuccess".encode("cp1256"), id="another charset"),
    ],
)
def test_a_body_that_is_not_one_plain_object_is_bad(body: bytes) -> None:
    """Strict UTF-8, one JSON object, one meaning."""
    assert bad(body).http_status == 200


def test_a_body_may_have_65536_bytes_and_not_one_more() -> None:
    """The limit is on bytes as they came."""
    text = json.dumps(PAID).encode()
    assert read(text.ljust(MAX_BODY)).fields == PAID
    assert MAX_BODY == 65_536
    assert str(bad(text.ljust(MAX_BODY + 1))) == "HTTP 200: the body is larger than 65536 bytes"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json;charset=UTF-8",
        "application/json ; charset=gbk",
        "\tapplication/json; a=b; c",
    ],
)
def test_the_media_type_counts_and_its_parameters_do_not(content_type: str) -> None:
    """JSON is UTF-8, whatever a charset parameter says."""
    assert read(PAID, headers={"content-type": content_type}).fields == PAID


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": ""},
        {"content-type": "text/json"},
        {"content-type": "application/json-seq"},
        {"content-type": "application/problem+json"},
        {"content-type": "text/html; application/json"},
        {"content-type": "application/json, text/html"},
        {"content-type": "application/json\xa0"},
    ],
)
def test_another_content_type_is_bad(headers: dict[str, str]) -> None:
    """A proxy's error page may well contain the word success."""
    assert str(bad(PAID, headers=headers)) == "HTTP 200: the content type is not application/json"


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "", "x"])
def test_an_encoded_body_is_bad(encoding: str) -> None:
    """Nobody asked for it, so nothing is inflated."""
    headers = {"content-type": "application/json", "content-encoding": encoding}
    assert "encoded" in str(bad(PAID, headers=headers))


@pytest.mark.parametrize("encoding", ["identity", "Identity"])
def test_the_identity_encoding_is_none(encoding: str) -> None:
    """Some servers say it."""
    headers = {"content-type": "application/json", "content-encoding": encoding}
    assert read(PAID, headers=headers).fields == PAID


@pytest.mark.parametrize(
    "status", [201, 202, 204, 206, 301, 302, 304, 400, 401, 403, 404, 418, 499, 600]
)
def test_another_status_is_bad_even_with_a_perfect_body(status: int) -> None:
    """Only 200 answers a query; the status is kept for the operator."""
    error = bad(PAID, status=status)
    assert error.http_status == status
    assert str(error) == f"HTTP {status}: not an answer to a query"


@pytest.mark.parametrize("status", [429, 500, 501, 502, 503, 504, 520, 599])
def test_too_many_requests_and_server_errors_mean_later(status: int) -> None:
    """They are no answer, so they cost the payment no attempt."""
    with pytest.raises(GatewayUnavailable, match=f"^HTTP {status}$") as caught:
        read(PAID, status=status)
    assert caught.value.retry_after is None
    assert caught.value.pay_id == "20190321192436"


def at(seconds: float) -> datetime:
    """The moment *seconds* after NOW."""
    return datetime.fromtimestamp(NOW + seconds, UTC)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("007", 7.0),
        ("9" * 12, 1e10),
        ("9" * 5_000, 1e10),
        (format_datetime(at(90), usegmt=True), 90.0),
        (format_datetime(at(0), usegmt=True), 0.0),
        (at(90).strftime("%A, %d-%b-%y %H:%M:%S GMT"), 90.0),
        (at(90).strftime("%a %b %d %H:%M:%S %Y"), 90.0),
        (format_datetime(at(90).astimezone(timezone(timedelta(hours=8)))), 90.0),
        (format_datetime(at(-1), usegmt=True), None),
        ("Sun, 06 Nov 1994 08:49:37 GMT", None),
        ("-1", None),
        ("+5", None),
        ("1.5", None),
        ("1e3", None),
        ("5 s", None),
        ("", None),
        ("soon", None),
        ("\u0665", None),
        ("\uff15", None),
        ("5, 6", None),
        ("NaN", None),
        ("inf", None),
        ("Wed, 99 Foo 2099 99:99:99 GMT", None),
        ("Wed, 21 Oct 99999999999 07:28:00 GMT", None),
        ("Wed, 21 Oct 2099 07:28:00 +99999999999999999999", None),
        ("Wed, 21 Oct 2099 07:28:00 -0000", pytest.approx(4096250880.0 - NOW)),
    ],
)
def test_retry_after_is_read_in_all_its_forms(
    status: int, header: str, seconds: float | None
) -> None:
    """Seconds or a date become seconds from now; nonsense and the past become nothing."""
    with pytest.raises(GatewayUnavailable) as caught:
        read(b"", status=status, headers={"retry-after": header})
    assert caught.value.retry_after == seconds


def test_a_date_without_a_zone_is_gmt_wherever_the_machine_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """RFC 9110 has two old forms of a date, and all three are GMT."""
    monkeypatch.setenv("TZ", "UTC-8")
    time.tzset()
    try:
        with pytest.raises(GatewayUnavailable) as caught:
            read(b"", status=503, headers={"retry-after": at(90).strftime("%a %b %d %H:%M:%S %Y")})
    finally:
        monkeypatch.undo()
        time.tzset()
    assert caught.value.retry_after == 90.0


@given(
    st.text(st.characters(max_codepoint=255), max_size=40)
    | st.from_regex(r"\A\w{3}, \d+ [JFMASOND][a-z]+ \d+ \d+:\d+:\d+ [+-]?\w+\Z")
)
def test_no_retry_after_breaks_the_reading(header: str) -> None:
    """Whatever the header says, a number of seconds or nothing comes out."""
    with pytest.raises(GatewayUnavailable) as caught:
        read(b"", status=429, headers={"retry-after": header})
    wait = caught.value.retry_after
    assert wait is None or 0 <= wait < 1e12


@given(st.binary(max_size=400), st.integers(0, 300), st.integers(0, 3))
def test_no_body_breaks_the_reading(noise: bytes, start: int, cut: int) -> None:
    """A reply damaged anywhere is a reply to this query or a InvalidReply, and nothing else."""
    text = json.dumps(PAID).encode()
    try:
        fields = read(text[:start] + noise[: cut * 100] + text[start + cut :]).fields
    except InvalidReply:
        return
    assert fields["payId"] == "20190321192436"
    assert fields["partnerCode"] == "P000818"


def test_errors_quote_nothing_of_the_answer() -> None:
    """Neither their text nor their visible cause carries what the gateway sent."""
    canary = "CANARY"
    for body in (f'{{"payId":"{canary}"}}', canary, json.dumps({**PAID, "payRst": [canary]})):
        error = bad(body)
        assert canary not in str(error)
        assert error.__suppress_context__
