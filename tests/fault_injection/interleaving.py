"""Runs concurrent calls one step at a time, in a random order that a seed repeats."""

from collections.abc import Callable, Sequence
from random import Random
from threading import Semaphore, Thread, get_ident


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
