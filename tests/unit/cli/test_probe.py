"""P2, contract of `payresult probe --reply`: an answer is judged by the rules of the layer."""

import json
from pathlib import Path
from typing import Any

import pytest

from payresult_cli.context import Dependencies
from payresult_cli.probe_report import MAX_BODY_CHARACTERS
from tests.support.commands import CommandResult, run
from tests.support.factories import NOW

FIELDS = {"partnerCode": "P000818", "payId": "x1", "payRst": "success", "payAmount": "$19.99"}
REPLY = json.dumps(FIELDS).encode()
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"


@pytest.fixture
def answer(tmp_path: Path) -> Path:
    """The file that holds an answer."""
    return tmp_path / "answer.txt"


def probe(answer: Path, data: bytes, *more: str) -> CommandResult:
    """Judge *data* as an answer about the payment of FIELDS."""
    answer.write_bytes(data)
    arguments = ["x1", "--partner-code", "P000818", "--reply", answer, *more]
    return run("probe", *arguments, dependencies=Dependencies(clock=lambda: NOW / 1000))


def judged(answer: Path, data: bytes, *more: str) -> dict[str, Any]:
    """Return what --json writes about *data*; the exit code has to agree with it."""
    result = probe(answer, data, "--json", *more)
    [record] = result.records
    assert result.code == (0 if record["verdict"]["understood"] else 1)
    assert result.err == ""
    return record


@pytest.mark.parametrize(
    "data",
    [
        *(REPLY, b"\xef\xbb\xbf" + REPLY, OK + REPLY, OK.replace(b"\r\n", b"\n") + REPLY),
        b"HTTP/2 200 \r\ncontent-type: text/plain\r\n\r\n" + REPLY,
        b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + OK + REPLY,
    ],
)
def test_a_reply_is_understood_in_every_form_that_is_saved(answer: Path, data: bytes) -> None:
    """A body, or what `curl -i` writes over HTTP/1 and 2, with blocks of headers before."""
    record = judged(answer, data)
    assert record["verdict"]["understood"]
    assert (record["verdict"]["status"], record["answer"]["status"]) == ("SUCCEEDED", 200)
    assert "request" not in record


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b'{"operateCode":"F","message":"no such order"}', "payId is not the one asked for"),
        (json.dumps(FIELDS | {"payRst": 1}).encode(), "payRst is not a string"),
        (json.dumps(FIELDS | {"payId": "x2"}).encode(), "payId is not the one asked for"),
        (b"<html>login</html>", "the body: not JSON in UTF-8"),
        (b"", "the body: not JSON in UTF-8"),
        (b"HTTP/1.1 404 Not Found\n\n" + REPLY, "the status is not 200"),
        (b"HTTP/1.1 503 Busy\nRetry-After: 90\n\n" + REPLY, "the status asks for another try"),
        (OK + b" " * 70_000 + REPLY, "the body is larger than 65536 bytes"),
    ],
)
def test_what_is_no_reply_is_told_by_its_rule(answer: Path, data: bytes, rule: str) -> None:
    """The status stays PENDING, and the next lines say what to do."""
    verdict = judged(answer, data)["verdict"]
    assert not verdict["understood"]
    assert verdict["status"] == "PENDING"
    assert verdict["rule"].startswith(rule)


@pytest.mark.parametrize(
    ("reported", "amount", "status", "rule"),
    [
        ("$19.99", "19.99", "SUCCEEDED", ""),
        ("$19.99", "19.9900", "SUCCEEDED", ""),
        ("$19.99", "18.00", "REVIEW", ""),
        ("19,99 €", "19.99", "REVIEW", 'payAmount "19,99 €" cannot be read as one amount'),
    ],
)
def test_the_amount_is_compared(
    answer: Path, reported: str, amount: str, status: str, rule: str
) -> None:
    """Decimals that the currency has not are refused only where they are no zeros."""
    data = json.dumps(FIELDS | {"payAmount": reported}).encode()
    more = ("--expected-amount", amount, "--currency", "USD")
    verdict = judged(answer, data, *more)["verdict"]
    assert verdict["status"] == status
    assert verdict["rule"].startswith(rule)


def test_the_open_questions_are_answered_as_far_as_this_answer_goes(answer: Path) -> None:
    """Another payRst, a time that cannot be UTC, the shape of an error, a limit."""
    fields = FIELDS | {"payRst": "paying", "payResultDate": "2026-11-26 18:00:00"}
    head = b"HTTP/1.1 200 OK\nDate: Thu, 26 Nov 2026 10:00:00 GMT\nX-RateLimit-Limit: 5\n\n"
    record = judged(answer, head + json.dumps(fields).encode())
    assert record["verdict"]["status"] == "PENDING"
    questions = record["questions"]
    assert '"paying"' in questions["payRst"]
    assert "8 h after the Date header" in questions["payResultDate"]
    assert "x-ratelimit-limit: 5" in questions["rateLimit"]
    error = judged(answer, b'HTTP/1.1 429 Busy\nRetry-After: 90\n\n{"code":1,"message":"m"}')
    assert "a JSON object of: code, message" in error["questions"]["errorBody"]
    assert error["questions"]["rateLimit"] == "HTTP 429, retry-after: 90."
    assert "asks again after 90 s" in " ".join(error["next"])
    none = judged(answer, json.dumps(FIELDS | {"payResultDate": "soon"}).encode())
    assert "not of the known form" in none["questions"]["payResultDate"]


@pytest.mark.parametrize("body", [b"[1]", b"\xff\xfe", b'{"a":1,"a":2}'])
def test_each_error_body_has_a_description(answer: Path, body: bytes) -> None:
    """Also what is no object and no text; access is a guess only for 401 and 403."""
    questions = judged(answer, b"HTTP/1.1 403 No\n\n" + body)["questions"]
    assert questions["errorBody"].startswith("HTTP 403, no content type, ")
    assert questions["access"].startswith("HTTP 403")


def test_what_the_gateway_sent_cannot_act_on_the_terminal(answer: Path) -> None:
    """Control characters are escaped, in head, body and verdict, and a long body is cut."""
    fields = FIELDS | {"payRst": "\x1b[2Jx", "servicePlanShowName": "y" * 9000}
    data = b"HTTP/1.1 200 OK\nX-A: \x1b[31m\n\n\r\n\x1b" + json.dumps(fields).encode()
    result = probe(answer, data)
    assert "\x1b" not in result.out
    assert "\\x1b[31m" in result.out
    assert "[cut]" in result.out
    assert "y" * MAX_BODY_CHARACTERS not in result.out
    shown = probe(answer, OK + json.dumps(fields).encode())
    assert shown.code == 0
    assert 'payRst is "\\x1b[2Jx", not "success"' in shown.out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "either --base-url or --reply"),
        (["--base-url", "https://x.invalid", "--reply", "-"], "either --base-url or --reply"),
        (["--reply", "no/such/file"], "No such file"),
        (["--base-url", "http://x.invalid"], "--base-url: must start with https://"),
        (["--base-url", "https://x.invalid/resultQuery/"], "leave out /resultQuery"),
        (["--base-url", "https://x.invalid", "--currency", "usd"], "currency: must be an ISO"),
        (["--base-url", "https://x.invalid", "--partner-code", "a b"], "--partner-code: must be"),
    ],
)
def test_a_bad_command_line_is_refused_at_once(arguments: list[str], text: str) -> None:
    """One line that names the option, and exit code 2."""
    result = run("probe", "x1", "--partner-code", "P1", *arguments, dependencies=Dependencies())
    assert (result.code, result.out) == (2, "")
    assert text in result.err
    assert result.err.count("\n") == 1


def test_a_head_that_does_not_end_is_refused(answer: Path) -> None:
    """It was not saved as a whole."""
    result = probe(answer, b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
    assert result.code == 2
    assert "no empty line after the headers" in result.err
