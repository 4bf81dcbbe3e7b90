"""P1, P2: C5 twelve concurrent invocations for one payId, interleaved in random orders."""

from collections.abc import Callable, Sequence
from random import Random
from threading import Semaphore, Thread, get_ident

from tests.fault_injection.results import Run
from tests.support.fake_aws import Call
from tests.support.fake_gateway import MINUTE, SECOND, GatewayResponse, json_response
from tests.support.memory_table import InMemoryDynamoDB
from tests.support.simulation import Simulation

RESULTS = ("waiting", "success", "success", "fail")


def races(run: Run) -> None:
    """Run a race for each of *size* payments."""
    for number in run.numbers():
        run.judge(race(run, f"pay-{number}"))


def race(
    run: Run, pay_id: str, table: Callable[..., InMemoryDynamoDB] = InMemoryDynamoDB
) -> Simulation:
    """Run twelve concurrent invocations for one payment; return the completed simulation."""

    def script(pay_id: str, _earlier_queries: int, _now: int) -> GatewayResponse:
        return json_response(pay_id, run.rng.choice(RESULTS))

    simulation = run.simulate(script, table=table)
    simulation.queue.batch_size = 1
    scheduler = InterleavingScheduler(run.rng)

    def switch(_: Call) -> None:
        simulation.faults += 1
        simulation.now += run.rng.choice((0, 0, 0, 1, 2 * SECOND, MINUTE))
        scheduler.yield_turn()

    simulation.on_call = switch
    for _ in range(4):
        simulation.send_order(pay_id, expectedAmount="19.99")
    scheduler.run(
        [
            *[simulation.deliver_messages] * 5,
            *[lambda: simulation.get_payment(pay_id)] * 3,
            lambda: simulation.put_payment(pay_id, orderId="A-17"),
            simulation.deliver_changes,
            *[simulation.sweep] * 2,
        ]
    )
    simulation.run_to_completion()
    return simulation


class InterleavingScheduler:
    """Lets one of several threads run at a time; a thread can be switched at ``yield_turn``."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._scheduler = Semaphore(0)
        self._turns: dict[int, Semaphore] = {}

    def run(self, calls: Sequence[Callable[[], object]]) -> None:
        """Run all *calls* to their end, one step of a random one at a time."""
        self._turns = {}
        threads = [Thread(target=self._run, args=(call,), daemon=True) for call in calls]
        for thread in threads:
            thread.start()
            self._scheduler.acquire()  # the thread waits for its turn now
        while self._turns:
            self._rng.choice(list(self._turns.values())).release()
            self._scheduler.acquire()
        for thread in threads:
            thread.join()

    def yield_turn(self) -> None:
        """Let the scheduler choose the next thread; does nothing outside of ``run``."""
        turn = self._turns.get(get_ident())
        if turn is not None:
            self._scheduler.release()
            turn.acquire()

    def _run(self, call: Callable[[], object]) -> None:
        turn = self._turns[get_ident()] = Semaphore(0)
        self._scheduler.release()
        turn.acquire()
        try:
            call()
        finally:
            del self._turns[get_ident()]
            self._scheduler.release()
