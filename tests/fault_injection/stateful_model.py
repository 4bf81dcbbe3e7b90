"""C6: a hypothesis state machine compares the simulated system with a model, step by step."""

from contextlib import suppress
from random import Random
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.fault_injection.results import CampaignRun, OnProgress
from tests.support.fake_aws import Call, Crash
from tests.support.fake_gateway import (
    DAY,
    HOUR,
    HTML_PAGE,
    MINUTE,
    SECOND,
    UNAVAILABLE,
    GatewayResponse,
    json_response,
)
from tests.support.oracle import Verdict
from tests.support.simulation import ClientWrapper, Simulation, unwrapped

STEPS = 50
RANKS = {"PENDING": 10, "UNRESOLVED": 15, "FAILED": 20, "REVIEW": 25, "SUCCEEDED": 30}
REPLIES = ("waiting", "success", "wrong amount", "fail", "invalid", "unavailable", "other")
PAUSES = (0, SECOND, MINUTE, HOUR, DAY)

pay_ids = st.sampled_from(("pay-1", "pay-2", "pay-3"))


class Model:
    """The reference: which payments are paid, and the highest status of each so far.

    ``replies`` has the gateway's current reply by payId, ``with_amount`` the payments whose
    expected amount is registered.
    """

    def __init__(self) -> None:
        self.replies: dict[str, str] = {}
        self.with_amount: set[str] = set()
        self.paid: set[str] = set()
        self.ranks: dict[str, int] = {}

    def record_reply(self, pay_id: str) -> None:
        """Record a query: "success" with the expected amount, or any amount if none is expected."""
        reply = self.replies.get(pay_id, "waiting")
        unexpected = reply == "wrong amount" and pay_id in self.with_amount
        if reply in {"success", "wrong amount"} and not unexpected:
            self.paid.add(pay_id)

    def check(self, status: dict[str, str], events: set[str]) -> None:
        """Assert that no status decreases, and that successes and events are of paid payments."""
        for pay_id, name in status.items():
            assert RANKS[name] >= self.ranks.get(pay_id, 0), f"{pay_id} went back to {name}"
            self.ranks[pay_id] = RANKS[name]
            assert name != "SUCCEEDED" or pay_id in self.paid, f"{pay_id} is not paid"
        assert events <= self.paid, f"events of unpaid {events - self.paid}"
        assert events <= {key for key, name in status.items() if name == "SUCCEEDED"}


class SimulatedSystem(RuleBasedStateMachine):
    """The simulation and the model; ``faults`` counts the injected faults of all examples."""

    wrap: ClientWrapper = staticmethod(unwrapped)
    faults = 0

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.simulation = Simulation(self._script, Random(1), wrap=type(self).wrap)  # noqa: S311 - repeatable
        self.crash_after = -1
        self.simulation.on_call = self._crash_when_due

    @rule(pay_id=pay_ids, reply=st.sampled_from(REPLIES))
    def change_reply(self, pay_id: str, reply: str) -> None:
        """Change the gateway's reply for a payment."""
        self.model.replies[pay_id] = reply

    @rule(pay_id=pay_ids, copies=st.integers(0, 2))
    def send_order(self, pay_id: str, copies: int) -> None:
        """Send a message as an order service does; SQS may deliver it again."""
        self.simulation.queue.redeliver_after = lambda: [SECOND] * copies
        self.simulation.send_order(pay_id)

    @rule(pay_id=pay_ids)
    def put_payment(self, pay_id: str) -> None:
        """Register the expected amount by the API."""
        with suppress(Crash):
            if self.simulation.put_payment(pay_id, expectedAmount="19.99") == 202:
                self.model.with_amount.add(pay_id)

    @rule(pay_id=pay_ids)
    def get_payment(self, pay_id: str) -> None:
        """Look a payment up by the API."""
        with suppress(Crash):
            self.simulation.get_payment(pay_id)

    @rule()
    def deliver_messages(self) -> None:
        """Deliver a batch if a message is visible."""
        if self.simulation.queue.next_visible_at() <= self.simulation.now:
            self.simulation.deliver_messages()

    @rule()
    def deliver_changes(self) -> None:
        """Deliver changes of the table to the publisher."""
        if self.simulation.stream:
            self.simulation.deliver_changes()

    @rule()
    def sweep(self) -> None:
        """Invoke the sweeper."""
        with suppress(ClientError):
            self.simulation.sweep()

    @rule(pause=st.sampled_from(PAUSES))
    def wait(self, pause: int) -> None:
        """Advance the clock without any delivery."""
        self.simulation.now += pause

    @rule(pause=st.sampled_from(PAUSES))
    def run(self, pause: int) -> None:
        """Run the simulation for a while."""
        self.simulation.run(pause)

    @rule(calls=st.integers(0, 12))
    def crash_later(self, calls: int) -> None:
        """Let an invocation crash after a number of calls."""
        self.crash_after = calls

    @rule(code=st.sampled_from((None, "timeout", "ThrottlingException")))
    def change_bus(self, code: str | None) -> None:
        """Let PutEvents fail, or succeed again."""
        self.simulation.bus.call_error = lambda: code

    @invariant()
    def agrees(self) -> None:
        """Compare the system with the model."""
        items = {item["payId"]["S"]: item for item in self.simulation.dynamodb.items.values()}
        status = {pay_id: item["status"]["S"] for pay_id, item in items.items()}
        for pay_id, item in items.items():  # includes registrations before a crash
            if "expectedAmount" in item:
                self.model.with_amount.add(pay_id)
        verdict = self.simulation.verdict()
        self.model.check(status, _pay_ids_of_events(self.simulation))
        assert not verdict.differing + verdict.inconsistent, verdict

    def teardown(self) -> None:
        """Run to completion without faults; each successful payment must have its event."""
        type(self).faults += self.simulation.faults
        self.crash_after = -1
        self.simulation.bus.call_error = lambda: None
        followed = {key for key, rank in self.model.ranks.items() if rank < RANKS["UNRESOLVED"]}
        self.simulation.run_to_completion()
        self.agrees()
        assert not self.simulation.verdict().stuck
        items = self.simulation.dynamodb.items.values()
        succeeded = {item["payId"]["S"] for item in items if item["status"]["S"] == "SUCCEEDED"}
        assert succeeded <= _pay_ids_of_events(self.simulation), "successful without an event"
        paid = {key for key in followed if self.model.replies.get(key) == "success"}
        assert paid <= succeeded, "paid, but not detected"

    def _script(self, pay_id: str, _earlier_queries: int, _now: int) -> GatewayResponse:
        self.model.record_reply(pay_id)
        reply = self.model.replies.get(pay_id, "waiting")
        if reply == "wrong amount":
            return json_response(pay_id, "success", payAmount="$1.00")
        special = {
            "invalid": HTML_PAGE,
            "unavailable": UNAVAILABLE,
            "other": json_response("other", "success"),
        }
        return special.get(reply) or json_response(pay_id, reply)

    def _crash_when_due(self, _call: Call) -> None:
        self.crash_after -= 1
        if self.crash_after == 0:
            self.simulation.crash()


def _pay_ids_of_events(simulation: Simulation) -> set[str]:
    details = [detail for _, detail in simulation.bus.log]
    return {detail.partition('"payId":"')[2].partition('"')[0] for detail in details}


def compare_with_model(
    size: int, rng: Random, on_progress: OnProgress, wrap: ClientWrapper = unwrapped
) -> CampaignRun:
    """Run *size* examples of up to 50 steps."""
    on_progress(0)

    class Seeded(SimulatedSystem):
        pass

    Seeded.wrap = staticmethod(wrap)
    # hypothesis has its own random numbers; this seed makes its run repeatable
    chosen: Any = seed(rng.getrandbits(256))(Seeded)
    checks = settings(
        max_examples=size,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=False,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(chosen, settings=checks)
    except AssertionError as error:
        return CampaignRun(size, Seeded.faults, Verdict(), (f"{error}",))
    return CampaignRun(size, Seeded.faults, Verdict())
