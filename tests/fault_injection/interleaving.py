"""Threads that take turns: a run of concurrent work that the dice decide, and can decide again."""

from collections.abc import Callable, Sequence
from random import Random
from threading import Semaphore, Thread, get_ident


class Turns:
    """Lets one of several threads go on at a time; each hands over where it calls ``pass_on``."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._referee = Semaphore(0)
        self._gates: dict[int, Semaphore] = {}

    def play(self, acts: Sequence[Callable[[], object]]) -> None:
        """Do all *acts*, in turns, to their end."""
        self._gates = {}
        threads = [Thread(target=self._act, args=(act,), daemon=True) for act in acts]
        for thread in threads:
            thread.start()
            self._referee.acquire()  # it stands at its gate now
        while self._gates:
            self._dice.choice(list(self._gates.values())).release()
            self._referee.acquire()
        for thread in threads:
            thread.join()

    def pass_on(self) -> None:
        """Let somebody else go on, perhaps; nothing happens outside of a play."""
        gate = self._gates.get(get_ident())
        if gate is not None:
            self._referee.release()
            gate.acquire()

    def _act(self, act: Callable[[], object]) -> None:
        gate = self._gates[get_ident()] = Semaphore(0)
        self._referee.release()
        gate.acquire()
        try:
            act()
        finally:
            del self._gates[get_ident()]
            self._referee.release()
