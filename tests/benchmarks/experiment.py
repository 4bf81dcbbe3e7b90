"""What every experiment needs, and how its sides take turns."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from tests.benchmarks.build import Workshop
from tests.benchmarks.figures import Pair, Sample
from tests.benchmarks.stubs import World

ROUNDS = 15
"""Pairs of each row: more than nine, and odd, so that a median is one that was measured."""
LONG_ROUNDS = 9
"""Where a pair takes ten seconds."""

Results = dict[str, list[Pair]]
"""Pairs by the name of their row."""


@dataclass(frozen=True, slots=True)
class Lab:
    """The built cases, the stubs, a folder to work in, and whom to tell what goes on."""

    workshop: Workshop
    world: World
    place: Path
    tick: Callable[[str], None]


def by_turns(
    sides: Mapping[str, Callable[[], Sample]], rounds: int, tick: Callable[[str], None]
) -> list[dict[str, Sample]]:
    """Return what all *sides* measure, round by round: A B, B A, A B, ...

    A round before them warms everything up and counts for nothing.
    """
    found = []
    for number in range(rounds + 1):
        measured = {}
        for side in sorted(sides, reverse=number % 2 == 0):
            tick(f"{side} {number}/{rounds}")
            measured[side] = sides[side]()
        found.append(measured)
    return found[1:]


def pairs(
    rounds: Iterable[Mapping[str, Sample]],
    a: str,
    b: str,
    figure: Callable[[Sample], float] = attrgetter("wall"),
) -> list[Pair]:
    """Return the pair that each of *rounds* has for the sides *a* and *b*."""
    return [Pair(figure(each[a]), figure(each[b]), each[a].cpu, each[b].cpu) for each in rounds]


def expect(answer: object, expected: object) -> None:
    """Raise unless a case did what it is measured for: an error is quick, and worth nothing."""
    if answer != expected:
        raise RuntimeError(f"a case answered {str(answer)[:500]}, not {expected}")
