"""`payresult check`: a signed query of the API, a line for each payment."""

import json
from typing import Any

import pytest

from payresult_cli.http_api import HttpResponse
from tests.support.tables import Table
from tests.unit.cli.cli_runner import API, CommandLine

PAID = {"status": "SUCCEEDED", "payRst": "success", "payAmount": "$19.99", "checks": 1}
STALE = "  (the gateway did not answer: this is what was known before)"
PROBLEM = {"title": "The gateway is unavailable", "detail": "it did not answer"}


@pytest.fixture
def bench(table: Table) -> CommandLine:
    """A system to run commands on."""
    return CommandLine(table)


def answering(bench: CommandLine, results: dict[str, dict[str, Any]]) -> None:
    """Let the API answer so, in the order asked."""
    bench.answer = lambda body: HttpResponse(
        200,
        json.dumps(
            {"results": [{"payId": pay_id} | results[pay_id] for pay_id in body["payIds"]]}
        ).encode(),
    )


def test_a_check_is_a_signed_query_of_the_api(bench: CommandLine) -> None:
    """Each payId once, a line for each."""
    answering(bench, {"p-1": PAID, "p-2": {"status": "PENDING", "checks": 0, "stale": True}})

    ran = bench.run("check", "p-1", "p-2", "p-1")

    assert ran.code == 0
    assert ran.out.splitlines() == [
        'p-1                       SUCCEEDED   payRst "success", $19.99, checked 1 time',
        f"{'p-2':<24}  PENDING     no answer yet, checked 0 times{STALE}",
    ]
    [request] = bench.requests
    assert (request.method, request.url) == ("POST", f"{API}/payments/query")
    assert "/execute-api/aws4_request" in str(request.headers["Authorization"])


def test_a_payment_of_which_nothing_is_known_is_a_problem(bench: CommandLine) -> None:
    """Exit code 1; machines get the problem document."""
    answering(bench, {"p-1": PAID, "p-2": {"problem": PROBLEM}})
    ran = bench.run("check", "p-1", "p-2", "--json")
    assert ran.code == 1
    assert ran.records == [{"payId": "p-1"} | PAID, {"payId": "p-2", "problem": PROBLEM}]
    assert "The gateway is unavailable: it did not" in bench.run("check", "p-1", "p-2").out


def test_more_than_a_hundred_are_asked_in_hundreds(bench: CommandLine) -> None:
    """The API takes no more at a time."""
    pay_ids = [f"p-{number}" for number in range(250)]
    answering(bench, dict.fromkeys(pay_ids, PAID))
    ran = bench.run("check", *pay_ids, "--json")
    assert [record["payId"] for record in ran.records] == pay_ids
    assert len(bench.requests) == 3


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (HttpResponse(403, b'{"message": "Forbidden"}'), "may not call the API"),
        (HttpResponse(429, b"{}"), "too often"),
        (HttpResponse(400, b'{"detail": "payIds: is odd"}'), "HTTP 400: payIds: is odd"),
        (HttpResponse(500, b'{"message": "Internal"}'), "HTTP 500: Internal"),
        (HttpResponse(502, b"<html>"), "HTTP 502 ("),
        (HttpResponse(200, b"[]"), "HTTP 200 ("),
    ],
)
def test_an_api_that_does_not_answer_well_is_one_line(
    bench: CommandLine, answer: HttpResponse, said: str
) -> None:
    """Exit code 2, and nothing on stdout."""
    bench.answer = lambda _: answer
    ran = bench.run("check", "p-1")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1


def test_text_of_the_gateway_does_not_reach_the_terminal_as_it_is(bench: CommandLine) -> None:
    """It might give the terminal orders."""
    answering(bench, {"p-1": PAID | {"payRst": "\x1b[2J"}})
    assert 'payRst "\\x1b[2J"' in bench.run("check", "p-1").out


@pytest.mark.parametrize("arguments", [[], ["two words"], ["p-1", ""], ["x" * 65]])
def test_check_wants_pay_ids(bench: CommandLine, arguments: list[str]) -> None:
    """One line, exit code 2, and nobody is asked."""
    ran = bench.run("check", *arguments)
    assert ran.code == 2
    assert len(ran.err.splitlines()) == 1
    assert bench.requests == []
