"""P4, soon: C29 a bulk of payIds that `follow` sends beside customers, who do not wait behind it.

The command's own sending runs on the virtual clock, and the queue handles as much at a time as its
event source mapping allows. `bulk` runs the functions; `large_bulk` plays what they do with the
real schedule, a hundred times faster: each check that is later than SQS can delay is sent by the
sweep of its minute.
"""

from collections.abc import Callable
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import boto3

from payresult.domain.payment import CheckMessage
from payresult_cli.context import Context, Dependencies
from payresult_cli.follow_requests import FollowRequest
from payresult_cli.pace import DEFAULT_RATE, Pace
from payresult_cli.sending import send_batches
from payresult_cli.stack import Stack
from tests.fault_injection.bulk_systems import (
    OnAsked,
    PlayedFunctions,
    RealFunctions,
    System,
    of_customer,
)
from tests.fault_injection.results import CampaignRun, OnProgress
from tests.support.fake_gateway import PARTNER, SECOND
from tests.support.oracle import Verdict

CUSTOMER_EVERY_MS = 47 * SECOND
"""No divisor of a minute: customers come at each second between two sweeps."""

MAX_WAIT_MS = 10 * SECOND


class Customers:
    """Lets a customer come every CUSTOMER_EVERY_MS; ``waits`` has who was asked about, and when."""

    def __init__(self, make: Callable[[Random, OnAsked], System], rng: Random) -> None:
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

    def problems(self) -> tuple[str, ...]:
        """Return who waited too long, or was never asked about."""
        slow = {name: wait for name, wait in self.waits.items() if wait > MAX_WAIT_MS}
        unheard = sorted(self.come.keys() - self.waits.keys())
        return (
            *(f"{name} waited {wait} ms" for name, wait in slow.items()),
            *(f"{name} was never asked about" for name in unheard),
        )

    def _asked(self, pay_id: str, now: int) -> None:
        if of_customer(pay_id):
            self.waits.setdefault(pay_id, now - self.come[pay_id])

    def _run_until(self, end: int) -> None:
        self.system.run(end - self.system.now)
        self.system.now = end


def bulk(
    size: int,
    rng: Random,
    on_progress: OnProgress,
    rate: float = DEFAULT_RATE,
    make: Callable[[Random, OnAsked], System] = RealFunctions,
) -> CampaignRun:
    """Follow *size* payIds, none of them paid; a customer who is not asked about is a problem.

    So is one whose first question comes over 10 s after the message.
    """
    customers = Customers(make, rng)
    context = _context(customers)
    requests = [_request(f"bulk-{number}") for number in range(size)]
    sent = 0
    pace = Pace(context, rate, lambda: False)
    for taken in send_batches(context, requests, lambda _: None, pace):
        sent += taken
        on_progress(sent / size)
    customers.pass_time(3600)
    customers.pass_time(0.001 * MAX_WAIT_MS)
    problems = customers.problems() if sent == size else (f"{sent} sent",)
    return CampaignRun(size, 0, Verdict(), problems)


def large_bulk(
    size: int, rng: Random, on_progress: OnProgress, rate: float = DEFAULT_RATE
) -> CampaignRun:
    """The same with the times of the functions only."""
    return bulk(size, rng, on_progress, rate, PlayedFunctions)


class _Session:
    """A session whose only client is that of the system's queue."""

    def __init__(self, customers: Customers) -> None:
        self._system = customers.system

    def client(self, service: str, **_: Any) -> Any:
        assert service == "sqs"
        return SimpleNamespace(send_message_batch=self._send)

    def _send(self, **request: Any) -> dict[str, Any]:
        self._system.send(request["Entries"])
        return {"Successful": [{"Id": entry["Id"]} for entry in request["Entries"]]}


def _request(pay_id: str) -> FollowRequest:
    return FollowRequest(f'{{"payId": "{pay_id}"}}', CheckMessage(pay_id))


def _context(customers: Customers) -> Context:
    stack = Stack(
        name="payresult",
        partner_code=PARTNER,
        table_name="table",
        queue_url="queue",
        dead_letter_queue_url="dead",
        api_url="https://api.invalid",
        check_delays="",
        failed_pay_rst_values="",
        retention_days=0,
        session=cast("boto3.Session", _Session(customers)),
    )
    dependencies = Dependencies(
        load_stack=lambda _name, *, sandbox: stack,  # noqa: ARG005 - the keyword of load_stack
        clock=lambda: customers.system.now / 1000,
        sleep=customers.pass_time,
    )
    return Context("payresult", sandbox=False, as_json=False, dependencies=dependencies)
