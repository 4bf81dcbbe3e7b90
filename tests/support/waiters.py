"""Callers who wait at the same time, on the virtual clock of a simulation."""

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from itertools import count
from threading import Semaphore, Thread

from tests.support.simulation import Simulation


class Waiters:
    """Runs each caller until it sleeps, then whoever wakes first; the system goes on meanwhile.

    One thread runs at a time, so that a run is repeatable.
    """

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._asleep: list[tuple[int, int, Semaphore]] = []
        self._numbers = count()
        self._scheduler = Semaphore(0)

    def run(self, callers: Iterable[tuple[int, Callable[[], object]]]) -> None:
        """Run callers to their end, each from its time on (milliseconds)."""
        simulation = self._simulation
        threads = []
        for at, call in callers:
            turn = self._turn(at)
            threads.append(Thread(target=self._run, args=(call, turn), daemon=True))
            threads[-1].start()
        outside, simulation.pass_time = simulation.pass_time, self._sleep
        while self._asleep:
            at, _, turn = heappop(self._asleep)
            simulation.run(max(at - simulation.now, 0))
            simulation.now = max(at, simulation.now)
            turn.release()
            self._scheduler.acquire()
        simulation.pass_time = outside
        for thread in threads:
            thread.join()

    def _turn(self, at: int) -> Semaphore:
        turn = Semaphore(0)
        heappush(self._asleep, (at, next(self._numbers), turn))
        return turn

    def _run(self, call: Callable[[], object], turn: Semaphore) -> None:
        turn.acquire()
        try:
            call()
        finally:
            self._scheduler.release()

    def _sleep(self, seconds: float) -> None:
        turn = self._turn(self._simulation.now + round(seconds * 1000))
        self._scheduler.release()
        turn.acquire()
