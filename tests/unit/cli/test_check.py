"""Contract of `payresult check`: a signed query of the API, and one line for each payment."""

import json
from typing import Any

import pytest

from payresult_cli.http_api import HttpResponse
from tests.support.factories import SECOND
from tests.unit.cli.cli_runner import API_URL, CommandLine

PAID = {"status": "SUCCEEDED", "payRst": "success", "payAmount": "$19.99", "checks": 1}
STALE = "  (the gateway did not answer: this is the stored result)"
PROBLEM = {"title": "The gateway is unavailable", "detail": "it did not answer"}


def answer_with(cli: CommandLine, results: dict[str, dict[str, Any]]) -> None:
    """Make the API answer with *results* by payId, in the order asked."""
    cli.api = lambda body: HttpResponse(
        200,
        json.dumps(
            {"results": [{"payId": pay_id} | results[pay_id] for pay_id in body["payIds"]]}
        ).encode(),
    )


def test_check_is_a_signed_query_of_the_api(cli: CommandLine) -> None:
    """Each payId is asked for once and is one line; control characters are escaped."""
    stale = {"status": "PENDING", "checks": 0, "stale": True}
    answer_with(cli, {"p-1": PAID | {"payRst": "success\x1b"}, "p-2": stale})
    result = cli.run("check", "p-1", "p-2", "p-1")
    assert result.code == 0
    assert result.out.splitlines() == [
        'p-1                       SUCCEEDED   payRst "success\\x1b", $19.99, checked 1 time',
        f"{'p-2':<24}  PENDING     no answer yet, checked 0 times{STALE}",
    ]
    [request] = cli.requests
    assert (request.method, request.url) == ("POST", f"{API_URL}/payments/query")
    assert "/execute-api/aws4_request" in str(request.headers["Authorization"])


def test_payment_without_a_result_is_shown_as_a_problem(cli: CommandLine) -> None:
    """Exit code 1; --json writes the problem document."""
    answer_with(cli, {"p-1": PAID, "p-2": {"problem": PROBLEM}})
    result = cli.run("check", "p-1", "p-2", "--json")
    assert result.code == 1
    assert result.records == [{"payId": "p-1"} | PAID, {"payId": "p-2", "problem": PROBLEM}]
    assert "The gateway is unavailable: it did not" in cli.run("check", "p-1", "p-2").out


def test_more_than_100_pay_ids_are_asked_for_in_several_requests(cli: CommandLine) -> None:
    """100 is the limit of the API."""
    pay_ids = [f"p-{number}" for number in range(250)]
    answer_with(cli, dict.fromkeys(pay_ids, PAID))
    result = cli.run("check", *pay_ids, "--json")
    assert [record["payId"] for record in result.records] == pay_ids
    assert len(cli.requests) == 3


def test_request_that_comes_too_soon_is_repeated(cli: CommandLine) -> None:
    """Where many follow each other, API Gateway takes two a second; for ten seconds it is asked."""
    answer_with(cli, {"p-1": PAID})
    answer, before = cli.api, cli.now
    cli.api = lambda body: (
        answer(body) if cli.now - before >= 2 * SECOND else HttpResponse(429, b"{}")
    )
    assert cli.run("check", "p-1").code == 0
    assert len(cli.requests) == 3
    cli.api = lambda _: HttpResponse(429, b"{}")
    assert cli.run("check", "p-1").code == 2
    assert cli.now - before == (2 + 9) * SECOND


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (HttpResponse(403, b'{"message": "Forbidden"}'), "may not call the API"),
        (HttpResponse(429, b"{}"), "too many"),
        (HttpResponse(400, b'{"detail": "payIds: is odd"}'), "HTTP 400: payIds: is odd"),
        (HttpResponse(500, b'{"message": "Internal"}'), "HTTP 500: Internal"),
        (HttpResponse(502, b"<html>"), "HTTP 502 ("),
        (HttpResponse(200, b"[]"), "HTTP 200 ("),
    ],
)
def test_error_is_one_line(cli: CommandLine, response: HttpResponse, expected: str) -> None:
    """Exit code 2, and nothing on stdout."""
    cli.api = lambda _: response
    result = cli.run("check", "p-1")
    assert (result.code, result.out) == (2, "")
    assert expected in result.err
    assert len(result.err.splitlines()) == 1
