"""Contract of FORWARD_TO: each event reaches a program, whatever the program answers at first."""

import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from sandbox.console import Console
from sandbox.forwarding import Forwarder
from sandbox.waiting import wait_for
from tests.integration.conftest import System
from tests.support.json_server import Request, free_port, json_server


class Program:
    """A user's program: answers with *statuses*, one after the other, and then with 200."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.received: list[Request] = []

    def answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        """Keep the request."""
        self.received.append(request)
        return self.statuses.pop(0) if self.statuses else 200, {}

    def events(self, pay_id: str) -> list[dict[str, Any]]:
        """The envelopes about *pay_id* so far."""
        all_events = [json.loads(request.body) for request in self.received]
        return [each for each in all_events if each["detail"]["data"]["payId"] == pay_id]


@contextmanager
def program(port: int, *statuses: int) -> Iterator[Program]:
    """The program while it runs."""
    made = Program(*statuses)
    with json_server(made.answer, port=port):
        yield made


@pytest.fixture
def port() -> int:
    """A port at which nothing listens."""
    return free_port()


class _Output(Console):
    """Keeps what is printed."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def line(self, label: str, text: str) -> None:
        """Keep the line."""
        self.lines.append(text)
        super().line(label, text)

    def wait_for(self, part: str) -> None:
        """Wait for a line with *part*."""
        wait_for(part, lambda: any(part in line for line in self.lines), 30)

    def count(self, part: str) -> int:
        """The lines with *part*."""
        return sum(part in line for line in self.lines)


@contextmanager
def forwarding(system: System, port: int, max_tries: int = 15) -> Iterator[_Output]:
    """Events are posted to a program at *port*; what the console says about it."""
    output, url = _Output(), f"http://127.0.0.1:{port}/hook?a=b"
    with closing(Forwarder(system.sandbox, url, output, max_tries=max_tries)):
        yield output


def arrive(server: Program, pay_id: str, times: int = 1) -> list[dict[str, Any]]:
    """Wait for the events of a payment."""
    wait_for(f"{pay_id} at the program", lambda: len(server.events(pay_id)) >= times, 30)
    return server.events(pay_id)


def test_an_event_is_posted_as_a_target_gets_it(system: System, port: int) -> None:
    """The envelope that the audit queue has; once, if the program answers 2xx."""
    with program(port) as server, forwarding(system, port) as output:
        system.client.get("paid-forwarded")
        (event,) = arrive(server, "paid-forwarded")
        time.sleep(2)  # longer than the first delay: it would have come again

        assert event == system.audit.arrivals("paid-forwarded")[0].envelope
        assert len(server.events("paid-forwarded")) == 1
        assert {request.path for request in server.received} == {"/hook?a=b"}
        types = {request.headers["Content-Type"] for request in server.received}
        assert types == {"application/json; charset=utf-8"}
        output.wait_for("posted paid-forwarded")


def test_an_event_is_posted_until_the_program_takes_it(system: System, port: int) -> None:
    """It is down, then fails, then redirects; the console says so once each."""
    with forwarding(system, port) as output:
        system.client.get("paid-retried")
        output.wait_for("does not answer (ConnectionRefusedError)")
        with program(port, 500, 302) as server:
            events = arrive(server, "paid-retried", 3)
            output.wait_for("posted paid-retried")

    assert events == [events[0]] * 3
    told = ("does not answer", "answers HTTP 500", "answers HTTP 302", "answers 2xx again")
    assert [output.count(text) for text in told] == [1, 1, 1, 1]


def test_an_event_that_is_never_taken_is_given_up_and_told(system: System, port: int) -> None:
    """And does not hold up the next one."""
    with program(port, 500, 500) as server, forwarding(system, port, max_tries=2) as output:
        system.client.get("paid-refused")
        output.wait_for("gave up paid-refused after 2 tries")
        output.wait_for("cli/payresult republish paid-refused --sandbox")
        system.client.get("paid-next")
        arrive(server, "paid-next")

        assert len(server.events("paid-refused")) == 2
