"""What every experiment needs, and the alternation of its sides."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from tests.benchmarks.build import BuiltCases
from tests.benchmarks.figures import Pair, Sample
from tests.benchmarks.stub_processes import Stubs

ROUNDS = 15
"""The number of pairs; odd, so that the median is a measured value."""
LONG_ROUNDS = 9
"""For pairs that take ten seconds."""

PairsByName = dict[str, list[Pair]]
"""Pairs by the name of their comparison."""


@dataclass(frozen=True, slots=True)
class ExperimentSetup:
    """The built cases, the stubs, a working folder, and a callback for the progress."""

    cases: BuiltCases
    stubs: Stubs
    folder: Path
    on_progress: Callable[[str], None]


def alternate(
    sides: Mapping[str, Callable[[], Sample]], rounds: int, on_progress: Callable[[str], None]
) -> list[dict[str, Sample]]:
    """Return the samples of all *sides* by round, in alternating order: A B, B A, A B, ...

    A first round is for warming up, and is not returned.
    """
    found = []
    for number in range(rounds + 1):
        measured = {}
        for side in sorted(sides, reverse=number % 2 == 0):
            on_progress(f"{side} {number}/{rounds}")
            measured[side] = sides[side]()
        found.append(measured)
    return found[1:]


def pairs(
    rounds: Iterable[Mapping[str, Sample]],
    a: str,
    b: str,
    figure: Callable[[Sample], float] = attrgetter("wall"),
) -> list[Pair]:
    """Return the pair of the sides *a* and *b* for each of *rounds*."""
    return [Pair(figure(each[a]), figure(each[b]), each[a].cpu, each[b].cpu) for each in rounds]


def expect(result: object, expected: object) -> None:
    """Raise RuntimeError unless a case returned the expected result; errors must not be timed."""
    if result != expected:
        raise RuntimeError(f"a case returned {str(result)[:500]}, not {expected}")
