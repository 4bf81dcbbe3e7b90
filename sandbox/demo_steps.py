"""What every chapter of the story is made of: do it, show it, check what was promised."""

import json
from typing import Any, NamedTuple

from sandbox.audit import Arrival, Audit
from sandbox.client import Client
from sandbox.console import Console
from sandbox.environment import Sandbox


class DemoSteps(NamedTuple):
    """The hands, eyes and mouth of the story."""

    console: Console
    sandbox: Sandbox
    visitor: Client
    audit: Audit

    def put(self, pay_id: str, **registration: str) -> None:
        """Register a payment over HTTP, and show it."""
        answer = self.visitor.put(pay_id, **registration)
        self.console.say("HTTP in", f"PUT /payments/{pay_id} {json.dumps(registration)}")
        self.console.check(f"{pay_id} is registered: 202", kept=answer.status == 202)

    def get_until(self, pay_id: str, **wanted: object) -> None:
        """Ask for a payment over HTTP until the answer has the members *wanted*, and show it.

        More than once, for of calls within 2 s only one asks the gateway.
        """

        def asked() -> Any:
            answer = self.visitor.get(pay_id)
            return answer.status == 200 and wanted.items() <= answer.body.items() and answer.body

        self.console.say("HTTP in", f"GET /payments/{pay_id}")
        body = self.console.expect(f"the answer has {json.dumps(wanted)}", asked)
        self.console.say("HTTP out", shown(body or self.visitor.get(pay_id).body))

    def send(self, message: object) -> None:
        """Put a message on the checks queue, and show it."""
        self.visitor.send(message)
        text = message if isinstance(message, str) else json.dumps(message)
        self.console.say("SQS in", text)

    def expect_status(self, pay_id: str, status: str, seconds: float = 20) -> None:
        """Wait until the table says *status*, then show what gateway and table say."""
        self.console.expect(
            f"{pay_id} is {status} in the table",
            lambda: self.visitor.status(pay_id) == status,
            seconds,
        )
        self.show(pay_id)

    def expect_event(self, pay_id: str, seconds: float = 20) -> Arrival | None:
        """Wait for the event of *pay_id* in the audit queue, and show it."""
        arrivals = self.console.expect(
            f"the event of {pay_id} arrives", lambda: self.audit.arrivals(pay_id), seconds
        )
        if not arrivals:
            return None
        first = arrivals[0]
        data = first.detail["data"]
        told = [data.get(name) for name in ("orderId", "amount", "currency") if name in data]
        text = " ".join([first.envelope["detail-type"], pay_id, *told])
        self.console.say("event out", f"{text}, {first.latency:.3f} s after the gateway's answer")
        self.console.say("", f"eventId {first.event_id}")
        return first

    def expect_no_event(self, pay_id: str) -> None:
        """Check that no event of *pay_id* has arrived, nor is one waiting in the table."""
        silent = not self.audit.arrivals(pay_id) and "eventId" not in self.visitor.item(pay_id)
        self.console.check(f"there is no event of {pay_id}", kept=silent)

    def show(self, pay_id: str) -> None:
        """Show what the gateway said about a payment, and what is stored."""
        if self.sandbox.gateway:
            said = runs([seen.answer for seen in self.sandbox.gateway.requests(pay_id)])
            self.console.say("gateway", f"{pay_id}: {said or 'not asked'}")
        item = self.visitor.item(pay_id)
        names = ("status", "checks", "expectedAmount", "eventState")
        kept = ", ".join(f"{name} {item[name]}" for name in names if name in item)
        self.console.say("stored", f"{pay_id}: {kept or 'nothing'}")

    def compare(self, promise: str, found: object, wanted: object) -> None:
        """Check that *found* is *wanted*, and show it otherwise."""
        note = "" if found == wanted else f"{found!r}, not {wanted!r}"
        self.console.check(promise, kept=found == wanted, note=note)


def shown(payment: dict[str, Any]) -> str:
    """The members of an answer that tell the story, in one line."""
    names = ("status", "amount", "currency", "payRst", "checks", "stale", "type", "detail")
    return json.dumps({name: payment[name] for name in names if name in payment})


def runs(words: list[str]) -> str:
    """`pending x2, paid`: equal neighbours counted."""
    counted: list[tuple[str, int]] = []
    for word in words:
        last = counted.pop()[1] if counted and counted[-1][0] == word else 0
        counted.append((word, last + 1))
    return ", ".join(word if times == 1 else f"{word} x{times}" for word, times in counted)
