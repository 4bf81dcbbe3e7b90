"""P4, soon: C29 a bulk of payIds that `follow` sends beside customers, who do not wait behind it.

The command's own sending runs on the virtual clock, and the queue handles as much at a time as its
event source mapping allows. `bulk` runs the functions; `large_bulk` plays what they do with the
real schedule, a hundred times faster: each check that is later than SQS can delay is sent by the
sweep of its minute.
"""

from collections.abc import Callable
from heapq import heappop, heappush, heapreplace
from itertools import count
from random import Random
from types import SimpleNamespace
from typing import Any

from payresult.domain.payment import CheckMessage
from payresult.domain.schedule import MAX_QUEUE_DELAY, Schedule, jitter
from payresult_cli.context import Context, Dependencies
from payresult_cli.follow_requests import FollowRequest
from payresult_cli.pace import DEFAULT_RATE, Pace
from payresult_cli.sending import send_batches
from tests.fault_injection.results import Run
from tests.support.factories import DELAYS
from tests.support.fake_aws import NEVER
from tests.support.fake_gateway import HOUR, MINUTE, SECOND, GatewayResponse, json_response
from tests.support.simulation import START, Simulation
from tests.support.template import TEMPLATE

CONCURRENCY: int = TEMPLATE["Parameters"]["MaximumConcurrency"]["Default"]
BATCH_MS = 1300
"""A gateway that answers within a second, and 0.3 s for the table, as in payresult_cli.pace."""

CUSTOMER_EVERY_MS = 47 * SECOND
"""No divisor of a minute: customers come at each second between two sweeps."""

MAX_WAIT_MS = 10 * SECOND
OnAsked = Callable[[str, int], None]
"""Called with payId and time of each question."""


class RealFunctions(Simulation):
    """The functions, with a mapping that has CONCURRENCY batches at a time, BATCH_MS each."""

    def __init__(self, rng: Random, on_asked: OnAsked) -> None:
        def script(pay_id: str, _earlier: int, now: int) -> GatewayResponse:
            on_asked(pay_id, now)
            return json_response(pay_id, "success" if _of_customer(pay_id) else "waiting")

        super().__init__(script, rng)
        self._free_at = [self.now] * CONCURRENCY

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        """Take messages, as SQS does."""
        self.queue.send_message_batch(**request)
        return _taken(request)

    def deliver_messages(self) -> None:
        """Handle a batch, which keeps one of the places busy."""
        heapreplace(self._free_at, self.now + BATCH_MS)
        super().deliver_messages()

    def _next_message(self) -> int:
        visible = super()._next_message()
        return visible if visible == NEVER else max(visible, self._free_at[0])


class PlayedFunctions:
    """The same, of which only the times are played."""

    def __init__(self, rng: Random, on_asked: OnAsked) -> None:
        self.now = START
        self._rng = rng
        self._on_asked = on_asked
        self._numbers = count()
        self._waiting: list[tuple[int, int, str, int]] = []
        self._free_at = [START] * CONCURRENCY
        self._schedule = Schedule(DELAYS)

    def send_order(self, pay_id: str) -> None:
        """Send the message of a customer's payment."""
        self._put(self.now, pay_id, 1)

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        """Take messages, as SQS does."""
        for entry in request["Entries"]:
            self._put(self.now + entry["DelaySeconds"] * SECOND, entry["MessageBody"], 1)
        return _taken(request)

    def run(self, duration: int) -> None:
        """Handle batches until *duration* milliseconds have passed."""
        end = self.now + duration
        while self._waiting:
            at = max(self._waiting[0][0], self._free_at[0])
            if at > end:
                break
            heapreplace(self._free_at, at + BATCH_MS)
            for _ in range(10):
                if not self._waiting or self._waiting[0][0] > at:
                    break
                self._check(at, *heappop(self._waiting)[2:])
        self.now = end

    def _check(self, at: int, pay_id: str, attempt: int) -> None:
        self._on_asked(pay_id, at)
        delay = self._schedule.after(attempt)
        if _of_customer(pay_id) or delay is None:
            return
        due = at + int(jitter(delay, self._rng.random()) * 1000)
        swept = delay > MAX_QUEUE_DELAY
        self._put(-(-due // MINUTE) * MINUTE if swept else due, pay_id, attempt + 1)

    def _put(self, visible_at: int, pay_id: str, attempt: int) -> None:
        heappush(self._waiting, (visible_at, next(self._numbers), pay_id, attempt))


class _Customers:
    """Lets a customer come every CUSTOMER_EVERY_MS; ``waits`` has who was asked about, and when."""

    def __init__(self, make: type[RealFunctions | PlayedFunctions], rng: Random) -> None:
        self.system = make(rng, self._asked)
        self.come: dict[str, int] = {}
        self.waits: dict[str, int] = {}
        self._next_at = self.system.now

    def pass_time(self, seconds: float) -> None:
        """Let time pass, in which customers come."""
        end = self.system.now + round(seconds * 1000)
        while self._next_at <= end:
            self._run_until(self._next_at)
            name = f"customer-{len(self.come)}"
            self.come[name] = self.system.now
            self.system.send_order(name)
            self._next_at += CUSTOMER_EVERY_MS
        self._run_until(end)

    def _asked(self, pay_id: str, now: int) -> None:
        if _of_customer(pay_id):
            self.waits.setdefault(pay_id, now - self.come[pay_id])

    def _run_until(self, end: int) -> None:
        self.system.run(end - self.system.now)
        self.system.now = end


def bulk(run: Run, make: type[RealFunctions | PlayedFunctions] = RealFunctions) -> None:
    """Follow payIds, none of them paid; a customer who is not asked about is a problem.

    So is one whose first question comes over 10 s after the message. The design is another rate.
    """
    customers = _Customers(make, run.rng)
    stack: Any = SimpleNamespace(queue_url="queue", client=lambda _sqs: customers.system)
    dependencies = Dependencies(
        load_stack=lambda _name, *, sandbox: stack,  # noqa: ARG005 - the keyword of load_stack
        clock=lambda: customers.system.now / 1000,
        sleep=customers.pass_time,
    )
    context = Context("payresult", sandbox=False, as_json=False, dependencies=dependencies)
    requests = [
        FollowRequest(f'{{"payId": "bulk-{number}"}}', CheckMessage(f"bulk-{number}"))
        for number in range(run.size)
    ]
    pace, sent = Pace(context, run.design or DEFAULT_RATE, lambda: False), 0
    for taken in send_batches(context, requests, lambda _: None, pace):
        sent += taken
        run.on_progress(sent / run.size)
    customers.pass_time((HOUR + MAX_WAIT_MS) / SECOND)
    slow = {name: wait for name, wait in customers.waits.items() if wait > MAX_WAIT_MS}
    run.problems += [f"{name} waited {wait} ms" for name, wait in slow.items()]
    unheard = sorted(customers.come.keys() - customers.waits.keys())
    run.problems += [f"{name} was never asked about" for name in unheard]
    run.problems += [f"{sent} sent"] if sent < run.size else []


def large_bulk(run: Run) -> None:
    """The same with the times of the functions only."""
    bulk(run, PlayedFunctions)


def _taken(request: dict[str, Any]) -> dict[str, Any]:
    return {"Successful": [{"Id": entry["Id"]} for entry in request["Entries"]]}


def _of_customer(pay_id: str) -> bool:
    """Return True for the payment of a customer, False for one of the bulk."""
    return pay_id.startswith("customer-")
