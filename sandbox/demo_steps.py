"""The steps that the demo is made of: each does one thing, prints it and checks the result."""

import json
from typing import Any, NamedTuple

from sandbox.audit import Arrival, AuditQueueReader
from sandbox.client import Client
from sandbox.console import Console
from sandbox.environment import Sandbox


class DemoSteps(NamedTuple):
    """A console, the running sandbox, and the client and event reader that use it."""

    console: Console
    sandbox: Sandbox
    client: Client
    audit: AuditQueueReader

    def put(self, pay_id: str, **registration: str) -> None:
        """Register a payment over HTTP."""
        response = self.client.put(pay_id, **registration)
        self.console.line("HTTP in", f"PUT /payments/{pay_id} {json.dumps(registration)}")
        self.console.check(f"{pay_id} is registered: 202", ok=response.status == 202)

    def get_until(self, pay_id: str, **members: object) -> None:
        """GET a payment until the response has *members*.

        Repeated, because only one of the calls within 2 s asks the gateway.
        """

        def matching_body() -> Any:
            status, _, body = self.client.get(pay_id)
            return status == 200 and members.items() <= body.items() and body

        self.console.line("HTTP in", f"GET /payments/{pay_id}")
        body = self.console.expect(f"the response has {json.dumps(members)}", matching_body)
        self.console.line("HTTP out", summary(body or self.client.get(pay_id).body))

    def send(self, message: object) -> None:
        """Send a message to the checks queue."""
        self.client.send(message)
        text = message if isinstance(message, str) else json.dumps(message)
        self.console.line("SQS in", text)

    def expect_status(self, pay_id: str, status: str, seconds: float = 20) -> None:
        """Wait for *status* in the table, then print the gateway's answers and the item."""
        self.console.expect(
            f"{pay_id} is {status} in the table",
            lambda: self.client.status(pay_id) == status,
            seconds,
        )
        self.show(pay_id)

    def expect_event(self, pay_id: str, seconds: float = 20) -> Arrival | None:
        """Wait for the event of *pay_id* in the audit queue."""
        arrivals = self.console.expect(
            f"the event of {pay_id} arrives", lambda: self.audit.arrivals(pay_id), seconds
        )
        if not arrivals:
            return None
        first = arrivals[0]
        data = first.detail["data"]
        members = [data[name] for name in ("orderId", "amount", "currency") if name in data]
        text = " ".join([first.envelope["detail-type"], pay_id, *members])
        self.console.line("event out", f"{text}, {first.latency:.3f} s after the gateway's reply")
        self.console.line("", f"eventId {first.event_id}")
        return first

    def expect_no_event(self, pay_id: str) -> None:
        """Check that no event of *pay_id* has arrived, and that none is unsent in the table."""
        none = not self.audit.arrivals(pay_id) and "eventId" not in self.client.item(pay_id)
        self.console.check(f"there is no event of {pay_id}", ok=none)

    def show(self, pay_id: str) -> None:
        """Print what the gateway answered about a payment, and what is stored."""
        if self.sandbox.gateway:
            answers = [each.answer for each in self.sandbox.gateway.requests(pay_id)]
            self.console.line("gateway", f"{pay_id}: {grouped(answers) or 'not asked'}")
        item = self.client.item(pay_id)
        names = ("status", "checks", "expectedAmount", "eventState")
        stored = ", ".join(f"{name} {item[name]}" for name in names if name in item)
        self.console.line("stored", f"{pay_id}: {stored or 'nothing'}")

    def compare(self, statement: str, found: object, expected: object) -> None:
        """Check that *found* equals *expected*; print both if it does not."""
        note = "" if found == expected else f"{found!r}, not {expected!r}"
        self.console.check(statement, ok=found == expected, note=note)


def summary(body: dict[str, Any]) -> str:
    """The main members of a response body, as one line of JSON."""
    names = ("status", "amount", "currency", "payRst", "checks", "stale", "type", "detail")
    return json.dumps({name: body[name] for name in names if name in body})


def grouped(words: list[str]) -> str:
    """`pending x2, paid`: equal neighbours counted."""
    groups: list[tuple[str, int]] = []
    for word in words:
        last = groups.pop()[1] if groups and groups[-1][0] == word else 0
        groups.append((word, last + 1))
    return ", ".join(word if times == 1 else f"{word} x{times}" for word, times in groups)
