"""P1, P2, P7: what an HTTP answer means: a reply, an answer without a meaning, or "later"."""

import json
import time
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payresult.domain.reply import Reply
from payresult.errors import GatewayError, GatewayUnavailable, InvalidReply
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


def read(body: object, *, status: int = 200, **headers: str) -> Reply:
    """Read an answer with *body* (bytes, or an object as JSON) as the reply to the paid query."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = HttpResponse(status, {"content-type": "application/json"} | named, data)
    return read_reply(response, pay_id="20190321192436", partner_code="P000818", now=NOW)


Refusal = TypeVar("Refusal", bound=GatewayError)


def refused(kind: type[Refusal], body: object, **answer: Any) -> Refusal:
    """Return the error of this very *kind* that reading *body* raises; its rule is fit for a log.

    InvalidReply: JSON that means nothing. GatewayUnavailable: nothing to understand.
    """
    with pytest.raises(GatewayError) as caught:
        read(body, **answer)
    error = caught.value
    assert type(error) is kind
    assert (error.pay_id, error.http_status) == ("20190321192436", answer.get("status", 200))
    assert str(error) == f"HTTP {error.http_status}: {error.rule}"
    assert error.__suppress_context__  # which may quote the answer
    return error


NEEDED = {name: PAID[name] for name in ("partnerCode", "payId", "payRst")}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        pytest.param(PAID, PAID, id="all documented fields, raw"),
        pytest.param(NEEDED, NEEDED, id="only the three that decide"),
        pytest.param(NEEDED | {"payAmount": None}, NEEDED, id="null means absent"),
        pytest.param(
            PAID | {"sign": "x", "\ud800": [1], "data": {"payRst": "fail"}}, PAID, id="unknown keys"
        ),
    ],
)
def test_the_documented_fields_are_the_reply(body: object, fields: dict[str, str]) -> None:
    """The provider may add fields; sign, message and the like are none of ours."""
    assert read(body).fields == fields


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        *((text, text) for text in ("19.90", "1e400", "9" * 5_000, "true", "false", "[]")),
        ('{ "a" : [1.0, "ü", null] }', '{"a":[1.0,"ü",null]}'),
        (r'"plan \ud83d"', r"plan \ud83d"),
        (r'["plan \ud83d"]', r'["plan \ud83d"]'),
        (r'"plan \ud83d\ude00"', "plan 😀"),
        *((r'"a\u0000b"', "a\x00b"), ('""', ""), ('"\uff11\uff19"', "\uff11\uff19")),
    ],
)
@pytest.mark.parametrize(
    "name", ["payAmount", "payResultDate", "orderPeriod", "packageType", "servicePlanShowName"]
)
def test_an_odd_value_never_costs_the_reply(name: str, literal: str, text: str) -> None:
    """What came is kept as text that a store takes, whatever its type was."""
    body = json.dumps({**PAID, name: 0}).replace(f'"{name}": 0', f'"{name}": {literal}')
    fields = read(body.encode()).fields
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
        *("20190321192437", "p000818", "20190321192436 ", "20190321192436\n", "", 20190321192436),
        *("20190321192436".translate(table) for table in (FULL_WIDTH, ARABIC)),
        *(None, True, ["20190321192436"], {"payId": "20190321192436"}),
    ],
)
def test_a_reply_about_another_payment_is_bad(name: str, value: object) -> None:
    """Both echoes have to be strings and equal, character by character."""
    error = refused(InvalidReply, {**PAID, name: value})
    assert error.rule == f"{name} is not the one asked for"
    assert error.how == ("other_payment" if isinstance(value, str) else "not_a_reply")


@pytest.mark.parametrize("value", [0, 1.5, True, False, None, [], ["success"], {}])
def test_a_pay_rst_that_is_no_string_is_bad(value: object) -> None:
    """The documents say string, and 0000 or true may mean anything."""
    error = refused(InvalidReply, {**PAID, "payRst": value})
    assert (error.rule, error.how) == ("payRst is not a string", "not_a_reply")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(None, id="null"),
        pytest.param(404, id="a number"),
        pytest.param("success", id="a string"),
        pytest.param([PAID], id="in an array"),
        pytest.param({"data": PAID}, id="in an envelope"),
        pytest.param({"operateCode": "E", "message": "sign error"}, id="an error envelope"),
        *(
            pytest.param({key: PAID[key] for key in PAID if key != name}, id=f"without {name}")
            for name in NEEDED
        ),
    ],
)
def test_json_that_is_no_reply_is_bad(body: object) -> None:
    """It was understood, and says nothing of the payment: nothing is guessed."""
    assert refused(InvalidReply, body).how == "not_a_reply"


MARK = b"\xef\xbb\xbf"
TEXT = json.dumps(PAID).encode()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>success</html>", id="HTML"),
        pytest.param(MARK + b"<html>success</html>", id="HTML with a byte order mark"),
        pytest.param(json.dumps(PAID).encode("utf-16"), id="UTF-16"),
        pytest.param(b"\xff\xfe" + TEXT, id="the mark of UTF-16 before UTF-8"),
        pytest.param(MARK, id="a byte order mark alone"),
        pytest.param(MARK + MARK + TEXT, id="two byte order marks"),
        pytest.param(b" " + MARK + TEXT, id="a blank before the byte order mark"),
        pytest.param(TEXT + MARK, id="a byte order mark at the end"),
        pytest.param(MARK[:2] + TEXT, id="half a byte order mark"),
        pytest.param(b"\\ufeff" + TEXT, id="an escaped byte order mark"),
        pytest.param(TEXT[:-1], id="cut off"),
        pytest.param(b'{"payRst":"fail",' + TEXT[1:], id="duplicate key"),
        pytest.param(b'{"x":{"y":1,"y":1},' + TEXT[1:], id="duplicate in an unknown key"),
    ],
)
def test_what_is_no_json_is_no_answer(body: bytes) -> None:
    """A maintenance page with HTTP 200 says as little as silence. More of it: test_strict_json."""
    assert refused(GatewayUnavailable, body).how == "not_json"


@pytest.mark.parametrize("after", [b"", b" ", b"\r\n"])
def test_one_byte_order_mark_is_allowed(after: bytes) -> None:
    """Some servers write it before their UTF-8, and JSON parsers may ignore it (RFC 8259, 8.1)."""
    assert read(MARK + after + TEXT).fields == PAID


def test_a_body_may_have_65536_bytes_and_not_one_more() -> None:
    """The limit is on bytes as they came, with the byte order mark."""
    assert MAX_BODY == 65_536
    for text in (TEXT, MARK + TEXT):
        assert read(text.ljust(MAX_BODY)).fields == PAID
        error = refused(GatewayUnavailable, text.ljust(MAX_BODY + 1))
        assert (error.rule, error.how) == ("the body is larger than 65536 bytes", "not_json")


def test_json_without_a_content_type_is_read() -> None:
    """As some servers send it."""
    response = HttpResponse(200, {}, TEXT)
    assert (
        read_reply(response, pay_id=PAID["payId"], partner_code="P000818", now=NOW).fields == PAID
    )


@pytest.mark.parametrize(
    "content_type",
    [
        *("application/json", "Application/JSON", "application/json;charset=UTF-8"),
        *("application/json ; charset=gbk", "\tapplication/json; a=b; c"),
        *("text/json", "text/plain", "TEXT/PLAIN; charset=iso-8859-1", "", " ", "; a=b"),
    ],
)
@pytest.mark.parametrize("encoding", ["identity", "Identity"])
def test_json_may_be_called_plain_text_or_nothing(content_type: str, encoding: str) -> None:
    """Its parameters do not count: JSON is UTF-8, whatever a charset parameter says."""
    assert read(PAID, content_type=content_type, content_encoding=encoding).fields == PAID


@pytest.mark.parametrize(
    "content_type",
    [
        *("text/html", "text/html; application/json", "text/javascript", "text/plaintext", "json"),
        *("application/json-seq", "application/problem+json", "application/octet-stream"),
        *("application/json, text/html", "application/json\xa0", "text/plain, text/html"),
    ],
)
def test_json_that_is_called_something_else_is_bad(content_type: str) -> None:
    """A proxy's page may well contain the word success."""
    error = refused(InvalidReply, PAID, content_type=content_type)
    assert (error.rule, error.how) == ("the content type is not JSON or plain text", "not_a_reply")


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "", "x"])
def test_an_encoded_body_is_no_answer(encoding: str) -> None:
    """Nobody asked for it, so nothing is inflated."""
    error = refused(GatewayUnavailable, PAID, content_encoding=encoding)
    assert (error.rule, error.how) == ("the content is encoded, which nobody asked for", "not_json")


STATUSES = [201, 202, 204, 206, 301, 302, 304, 400, 401, 403, 404, 418, 428, 430, 499, 600]


@pytest.mark.parametrize("status", STATUSES)
def test_another_status_is_bad_even_with_a_perfect_body(status: int) -> None:
    """Only 200 answers a query; the status is kept for the operator."""
    error = refused(InvalidReply, PAID, status=status)
    assert (error.rule, error.how) == ("the status is not 200", "http")


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("body", [b"", b"<html>Forbidden</html>", b"Not Found", b"x" * 70_000])
def test_another_status_without_json_is_no_answer(status: int, body: bytes) -> None:
    """A firewall's 403, a load balancer's 404, a redirect to a page: not the gateway's words."""
    assert refused(GatewayUnavailable, body, status=status, content_type="text/html").how == "http"


@pytest.mark.parametrize("content_type", ["application/problem+json", "text/html"])
def test_an_error_in_json_is_bad_whatever_its_content_type(content_type: str) -> None:
    """It was understood, and it says nothing of the payment."""
    error = refused(InvalidReply, {"title": "gone"}, status=404, content_type=content_type)
    assert error.how == "http"


@pytest.mark.parametrize("status", [429, 500, 501, 502, 503, 504, 520, 599])
@pytest.mark.parametrize("body", [PAID, b"", b"<html>"])
def test_too_many_requests_and_server_errors_mean_later(status: int, body: object) -> None:
    """They are no answer, whatever their body is."""
    error = refused(GatewayUnavailable, body, status=status)
    assert (error.rule, error.how) == ("the status asks for another try later", "http")
    assert error.retry_after is None


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<html>under maintenance</html>", GatewayUnavailable),
        (403, b"<html>slow down</html>", GatewayUnavailable),
        (302, b"", GatewayUnavailable),
        (404, b'{"message": "slow down"}', InvalidReply),
        (200, b'{"message": "slow down"}', InvalidReply),
        (200, json.dumps({**PAID, "payId": "2"}).encode(), InvalidReply),
    ],
)
def test_refusals_have_their_retry_after(
    status: int, body: bytes, kind: type[GatewayError]
) -> None:
    """A maintenance page says when it ends, and so does a firewall."""
    assert refused(kind, body, status=status, retry_after="120").retry_after == 120.0


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
        *(
            (text, None)
            for text in ("-1", "+5", "1.5", "1e3", "5 s", "", "soon", "\u0665", "\uff15")
        ),
        *((text, None) for text in ("5, 6", "NaN", "inf", "Wed, 99 Foo 2099 99:99:99 GMT")),
        ("Wed, 21 Oct 99999999999 07:28:00 GMT", None),
        ("Wed, 21 Oct 2099 07:28:00 +99999999999999999999", None),
        ("Wed, 21 Oct 2099 07:28:00 -0000", pytest.approx(4096250880.0 - NOW)),
    ],
)
def test_retry_after_in_all_its_forms(status: int, header: str, seconds: float | None) -> None:
    """Seconds or a date become seconds from now; nonsense and the past become nothing."""
    error = refused(GatewayUnavailable, b"", status=status, retry_after=header)
    assert error.retry_after == seconds


def test_a_date_without_a_zone_is_gmt_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 9110 has two old forms of a date, and all three are GMT."""
    monkeypatch.setenv("TZ", "UTC-8")
    time.tzset()
    try:
        date = at(90).strftime("%a %b %d %H:%M:%S %Y")
        error = refused(GatewayUnavailable, b"", status=503, retry_after=date)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert error.retry_after == 90.0


LATIN_1 = st.characters(max_codepoint=255)
"""What a header is decoded as."""


@settings(max_examples=30)
@given(
    st.text(LATIN_1, max_size=40)
    | st.from_regex(
        r"\w{3}, \d+ [JFMASOND][a-z]+ \d+ \d+:\d+:\d+ [+-]?\w+", fullmatch=True, alphabet=LATIN_1
    )
)
def test_no_retry_after_breaks_the_reading(header: str) -> None:
    """Whatever the header says, a number of seconds or nothing comes out."""
    wait = refused(GatewayUnavailable, b"", status=429, retry_after=header).retry_after
    assert wait is None or 0 <= wait < 1e12


@given(st.binary(max_size=400), st.integers(0, 300), st.integers(0, 3))
def test_no_body_breaks_the_reading(noise: bytes, start: int, cut: int) -> None:
    """A reply damaged anywhere is a reply to this query or a GatewayError, and nothing else."""
    try:
        fields = read(TEXT[:start] + noise[: cut * 100] + TEXT[start + cut :]).fields
    except GatewayError:
        return
    assert fields["payId"] == "20190321192436"
    assert fields["partnerCode"] == "P000818"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (InvalidReply, {"payId": "CANARY"}),
        (GatewayUnavailable, b"CANARY"),
        (InvalidReply, {**PAID, "payRst": ["CANARY"]}),
    ],
)
def test_errors_quote_nothing_of_the_answer(kind: type[GatewayError], body: object) -> None:
    """Their text is about the rule that was broken (P8)."""
    assert "CANARY" not in str(refused(kind, body))
