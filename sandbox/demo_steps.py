"""The steps that the demo is made of: each does one thing, prints a line and checks the result."""

import time
from typing import Any, NamedTuple

from sandbox.audit import Arrival, AuditQueueReader
from sandbox.client import Client, HttpResponse, SweepFailed
from sandbox.console import Console
from sandbox.environment import Sandbox

WORDS = {
    "paid": "paid",
    "pending": "not paid",
    "wrong": "paid, another amount",
    "refusing": "no answer",
}
"""What the gateway answers, in words."""


class DemoSteps(NamedTuple):
    """A console, the running sandbox, and the client and event reader that use it."""

    console: Console
    sandbox: Sandbox
    client: Client
    audit: AuditQueueReader

    def put(self, pay_id: str, **registration: str) -> None:
        """Register a payment over HTTP."""
        status = self.client.put(pay_id, **registration).status
        self.console.line(
            "order service", f"PUT {pay_id}, {described(registration)}: HTTP {status}"
        )
        self.console.check(f"{pay_id} is registered: 202", ok=status == 202)

    def get_until(self, pay_id: str, **members: object) -> None:
        """GET a payment until the response has *members*.

        Repeated, because only one of the calls within 2 s asks the gateway.
        """

        def matching_response() -> HttpResponse | None:
            response = self.client.get(pay_id)
            matches = response.status == 200 and members.items() <= response.body.items()
            return response if matches else None

        found = self.console.expect(f"GET {pay_id} has {members}", matching_response)
        self._show_response("GET", found or self.client.get(pay_id), pay_id)

    def wait(self, pay_id: str, status: str) -> None:
        """Call the route that waits for the result of a payment."""
        started = time.monotonic()
        response = self.client.call("GET", f"/payments/{pay_id}/wait?seconds=20")
        self._show_response(
            "GET", response, f"{pay_id}/wait", f", after {time.monotonic() - started:.1f} s"
        )
        found = response.body.get("status")
        self.compare(f"the app that waits for {pay_id} gets {status}", found, status)

    def send(self, message: dict[str, Any]) -> None:
        """Send a message to the checks queue."""
        self.client.send(message)
        named = message.get("payId") or ", ".join(message["payIds"])
        rest = described({name: text for name, text in message.items() if name not in _PAY_IDS})
        self.console.line("order service", f"SQS message: {named}{rest and f', {rest}'}")

    def sweep(self) -> None:
        """Run the sweeper, and check that it ends without an error."""
        try:
            self.client.sweep()
        except SweepFailed as failed:
            self.console.check("the sweeper runs", ok=False, note=str(failed))

    def expect_status(self, pay_id: str, status: str, seconds: float = 20) -> None:
        """Wait for *status* in the table, then print the gateway's answers and the status."""
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
        members = {name: data[name] for name in _SHOWN_OF_EVENT if name in data}
        text = ", ".join(filter(None, [f"PaymentSucceeded {pay_id}", described(members)]))
        self.console.line("event", f"{text}: {first.latency:.2f} s after the answer")
        return first

    def expect_no_event(self, pay_id: str) -> None:
        """Check that no event of *pay_id* has arrived, and that none is unsent in the table."""
        none = not self.audit.arrivals(pay_id) and "eventId" not in self.client.item(pay_id)
        self.console.check(f"there is no event of {pay_id}", ok=none)
        self.console.line("event", "none")

    def show(self, pay_id: str) -> None:
        """Print what the gateway answered about a payment, and its status."""
        if self.sandbox.gateway:
            answers = [each.answer for each in self.sandbox.gateway.requests(pay_id)]
            self.console.line("gateway", f"{pay_id}: {grouped(answers) or 'not asked'}")
        status = self.client.item(pay_id).get("status")
        self.console.line("payresult", f"{pay_id} is {status or 'not stored'}")

    def compare(self, statement: str, found: object, expected: object) -> None:
        """Check that *found* equals *expected*; print both if it does not."""
        self.console.check(statement, ok=found == expected, note=f"{found!r}, not {expected!r}")

    def _show_response(
        self, method: str, response: HttpResponse, path: str, note: str = ""
    ) -> None:
        body = response.body
        amount = described({name: body[name] for name in ("amount", "currency") if name in body})
        told = [body.get("status") or body.get("detail"), amount, body.get("stale") and "stale"]
        text = ", ".join(filter(None, told))
        self.console.line("app", f"{method} {path}: HTTP {response.status}, {text}{note}")


_PAY_IDS = ("payId", "payIds")
_SHOWN_OF_EVENT = ("orderId", "amount", "currency", "duplicateOf")


def described(values: dict[str, str]) -> str:
    """`order demo-1, 19.99 USD`: a registration, or the same of an event, as a reader says it."""
    amount = values.get("amount") or values.get("expectedAmount")
    duplicate = values.get("duplicateOf")
    return ", ".join(
        filter(
            None,
            [
                f"order {values['orderId']}" if "orderId" in values else "",
                " ".join(filter(None, [amount, values.get("currency")])) if amount else "",
                f"duplicateOf {duplicate}" if duplicate else "",
            ],
        )
    )


def grouped(answers: list[str]) -> str:
    """`not paid (2 times), paid`: equal neighbours counted."""
    groups: list[tuple[str, int]] = []
    for answer in answers:
        word = WORDS.get(answer, answer)
        last = groups.pop()[1] if groups and groups[-1][0] == word else 0
        groups.append((word, last + 1))
    return ", ".join(word if times == 1 else f"{word} ({times} times)" for word, times in groups)
