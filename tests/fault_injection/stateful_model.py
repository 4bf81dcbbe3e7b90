"""C6: hypothesis drives the system step by step, and compares it with a model of 20 lines."""

from contextlib import suppress
from random import Random
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.fault_injection.fake_aws import Call, Crash
from tests.fault_injection.fake_gateway import BROKEN, DAY, DOWN, HOUR, MINUTE, SECOND, Answer, told
from tests.fault_injection.oracle import Verdict
from tests.fault_injection.results import Outcome, Tick
from tests.fault_injection.simulation import Stage, Wrap, ours

STEPS = 50
RANKS = {"PENDING": 10, "UNRESOLVED": 15, "FAILED": 20, "REVIEW": 25, "SUCCEEDED": 30}
SAID = ("waiting", "success", "cheap", "fail", "garbage", "down", "other")
PAUSES = (0, SECOND, MINUTE, HOUR, DAY)

pay_ids = st.sampled_from(("pay-1", "pay-2", "pay-3"))


class Model:
    """What must hold of the system at any time: the reference."""

    def __init__(self) -> None:
        self.says: dict[str, str] = {}
        self.priced: set[str] = set()
        self.paid: set[str] = set()
        self.ranks: dict[str, int] = {}

    def told(self, pay_id: str) -> None:
        """The gateway answered: with the right amount, or where none is registered, it is paid."""
        said = self.says.get(pay_id, "waiting")
        if said == "success" or (said == "cheap" and pay_id not in self.priced):
            self.paid.add(pay_id)

    def check(self, status: dict[str, str], events: set[str]) -> None:
        """No status falls, no event without a payment, no success without an event's cause."""
        for pay_id, name in status.items():
            assert RANKS[name] >= self.ranks.get(pay_id, 0), f"{pay_id} fell to {name}"
            self.ranks[pay_id] = RANKS[name]
            assert name != "SUCCEEDED" or pay_id in self.paid, f"{pay_id} is not paid"
        assert events <= self.paid, f"told of {events - self.paid}"
        assert events <= {key for key, name in status.items() if name == "SUCCEEDED"}


class System(RuleBasedStateMachine):
    """The stage, and the model beside it."""

    wrap: Wrap = staticmethod(ours)
    tally = 0

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.stage = Stage(self._script, Random(1), wrap=type(self).wrap)  # noqa: S311 - to be repeated
        self.crash_after = -1
        self.stage.before = self._before

    @rule(pay_id=pay_ids, said=st.sampled_from(SAID))
    def says(self, pay_id: str, said: str) -> None:
        """The gateway says something else from now on."""
        self.model.says[pay_id] = said

    @rule(pay_id=pay_ids, copies=st.integers(0, 2))
    def order(self, pay_id: str, copies: int) -> None:
        """An order service sends a message; SQS may deliver it again."""
        self.stage.queue.echoes = lambda: [SECOND] * copies
        self.stage.order(pay_id)

    @rule(pay_id=pay_ids)
    def put(self, pay_id: str) -> None:
        """The amount is registered."""
        with suppress(Crash):
            if self.stage.put(pay_id, expectedAmount="19.99") == 202:
                self.model.priced.add(pay_id)

    @rule(pay_id=pay_ids)
    def get(self, pay_id: str) -> None:
        """An app asks."""
        with suppress(Crash):
            self.stage.get(pay_id)

    @rule()
    def deliver(self) -> None:
        """Messages are delivered, if any is visible."""
        if self.stage.queue.next_at() <= self.stage.now:
            self.stage.deliver()

    @rule()
    def stream(self) -> None:
        """The stream delivers."""
        if self.stage.stream:
            self.stage.deliver_stream()

    @rule()
    def sweep(self) -> None:
        """A minute is over."""
        with suppress(ClientError):
            self.stage.sweep()

    @rule(pause=st.sampled_from(PAUSES))
    def wait(self, pause: int) -> None:
        """Time passes, and nothing comes of it yet."""
        self.stage.now += pause

    @rule(pause=st.sampled_from(PAUSES))
    def run(self, pause: int) -> None:
        """Time passes, and everything that is due is done."""
        self.stage.run(pause)

    @rule(calls=st.integers(0, 12))
    def arm(self, calls: int) -> None:
        """An invocation ends in so many calls."""
        self.crash_after = calls

    @rule(code=st.sampled_from((None, "timeout", "ThrottlingException")))
    def bus(self, code: str | None) -> None:
        """PutEvents fails from now on, or works again."""
        self.stage.bus.fails = lambda: code

    @invariant()
    def agrees(self) -> None:
        """The model agrees."""
        items = {item["payId"]["S"]: item for item in self.stage.table.items.values()}
        status = {pay_id: item["status"]["S"] for pay_id, item in items.items()}
        for pay_id, item in items.items():  # what was registered before a crash counts too
            if "expectedAmount" in item:
                self.model.priced.add(pay_id)
        verdict = self.stage.verdict()
        self.model.check(status, _told(self.stage))
        assert not verdict.split + verdict.crooked, verdict

    def teardown(self) -> None:
        """All is mended, and comes to its end: nobody who was told of a payment forgot it."""
        type(self).tally += self.stage.faults
        self.crash_after = -1
        self.stage.bus.fails = lambda: None
        followed = {key for key, rank in self.model.ranks.items() if rank < RANKS["UNRESOLVED"]}
        self.stage.settle()
        self.agrees()
        assert not self.stage.verdict().stuck
        items = self.stage.table.items.values()
        succeeded = {item["payId"]["S"] for item in items if item["status"]["S"] == "SUCCEEDED"}
        assert succeeded <= _told(self.stage), "settled, and nobody told"
        settled_by_now = {key for key in followed if self.model.says.get(key) == "success"}
        assert settled_by_now <= succeeded, "paid, and not found out"

    def _script(self, pay_id: str, _asked: int, _now: int) -> Answer:
        self.model.told(pay_id)
        said = self.model.says.get(pay_id, "waiting")
        if said == "cheap":
            return told(pay_id, "success", payAmount="$1.00")
        special = {"garbage": BROKEN, "down": DOWN, "other": told("other", "success")}
        return special.get(said) or told(pay_id, said)

    def _before(self, _call: Call) -> None:
        self.crash_after -= 1
        if self.crash_after == 0:
            self.stage.crash()


def _told(stage: Stage) -> set[str]:
    details = [detail for _, detail in stage.bus.log]
    return {detail.partition('"payId":"')[2].partition('"')[0] for detail in details}


def machine(size: int, dice: Random, tick: Tick, wrap: Wrap = ours) -> Outcome:
    """Run *size* stories of up to 50 steps."""
    tick(0)

    class Seeded(System):
        pass

    Seeded.wrap = staticmethod(wrap)
    # 256 bits of our dice: hypothesis has its own, and these make it repeat itself.
    chosen: Any = seed(dice.getrandbits(256))(Seeded)
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
        return Outcome(size, Seeded.tally, Verdict(), (f"{error}",))
    return Outcome(size, Seeded.tally, Verdict())
