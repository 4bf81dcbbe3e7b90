"""`payresult check` and `payresult list`: many payments at a glance."""

import json
from typing import Any

import pytest

from payresult_cli.http_api import HttpResponse
from tests.support.factories import DAY, HOUR, PAY_ID, reply
from tests.support.tables import Table
from tests.support.world import World
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


# check


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


# list


@pytest.fixture
def world(table: Table) -> World:
    """What follows payments: p-old and p-new are pending, p-paid is paid, a day later."""
    world = World(table)
    world.order("p-old")
    world.run(0)
    world.now += DAY
    world.order("p-new", orderId="A-1")
    world.run(0)
    world.says = lambda pay_id: reply(payId=pay_id)
    world.order("p-paid")
    world.run(0)
    return world


def listed(bench: CommandLine, *options: str) -> set[str]:
    """Return the payIds that are listed."""
    ran = bench.run("list", "--json", *options)
    assert ran.code == 0
    assert ran.err == f"{len(ran.records)} payments\n"
    return {record["payId"] for record in ran.records}


def test_payments_are_listed_by_status_and_age(bench: CommandLine, world: World) -> None:
    """Each condition narrows it."""
    bench.now = world.now + HOUR
    assert listed(bench) == {"p-old", "p-new", "p-paid"}
    assert listed(bench, "--status", "PENDING") == {"p-old", "p-new"}
    assert listed(bench, "--status", "PENDING", "--status", "SUCCEEDED", "--older-than", "30m") == {
        "p-old",
        "p-new",
        "p-paid",
    }
    assert listed(bench, "--older-than", "2h") == {"p-old"}
    assert listed(bench, "--status", "REVIEW") == set()


def test_payments_of_another_partner_are_not_listed(bench: CommandLine, world: World) -> None:
    """A table that two stacks share, say; with a condition as well as without one."""
    world.table.put(world.table.item("p-old") | {"pk": "OTHER#p-old", "payId": "other-1"})
    assert "other-1" not in listed(bench) | listed(bench, "--status", "PENDING")


def test_a_listed_payment_is_a_line(bench: CommandLine, world: World) -> None:
    """For people; machines get its times too."""
    bench.now = world.now
    ran = bench.run("list", "--older-than", "2h")
    assert ran.out == "p-old                     PENDING         24 h old  checked 2 times\n"
    [record] = bench.run("list", "--older-than", "2h", "--json").records
    assert record["createdAt"] == "2026-11-22T10:00:00.123Z"
    assert record["checks"] == 2
    assert "orderId" not in record


def test_an_item_that_lacks_something_is_listed_nevertheless(
    bench: CommandLine, table: Table
) -> None:
    """A hand was in the table: just this wants to be seen."""
    table.put({"pk": f"P000818#{PAY_ID}", "payId": PAY_ID})
    assert (
        bench.run("list").out == f"{PAY_ID}            ?            unknown old  checked 0 times\n"
    )


@pytest.mark.parametrize("options", [["--status", "PAID"], ["--older-than", "yesterday"], ["x"]])
def test_list_wants_what_it_knows(bench: CommandLine, options: list[str]) -> None:
    """One line, exit code 2."""
    ran = bench.run("list", *options)
    assert ran.code == 2
    assert len(ran.err.splitlines()) == 1
