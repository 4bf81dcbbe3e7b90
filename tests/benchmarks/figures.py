"""Samples, pairs of them, and the rows that become of pairs. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Literal, NamedTuple


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run took: seconds of wall and CPU; of a cold start also INIT and MiB at most."""

    wall: float
    cpu: float
    init: float = 0.0
    peak: float = 0.0


class Pair(NamedTuple):
    """One figure of A and of B, measured one after the other, and the CPU seconds of both."""

    a: float
    b: float
    cpu_a: float = 0.0
    cpu_b: float = 0.0


@dataclass(frozen=True, slots=True)
class Aim:
    """What a row is about, and what it is to reach.

    ``unit`` of A and B: "ms" (they are measured in seconds) or "MiB". *target* and *stretch* are
    for A / B.
    """

    name: str
    a: str
    b: str
    target: float | None
    stretch: float | None
    better: Literal["lower", "higher"] = "lower"
    unit: Literal["ms", "MiB"] = "ms"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the results: medians of A and B, and of their ratio pair by pair, with spread.

    ``cpu_a`` and ``cpu_b`` are medians in milliseconds, None where CPU is not what a row is about.
    """

    name: str
    a: float
    b: float
    ratio: float
    p10: float
    p90: float
    target: float | None
    stretch: float | None
    better: str
    unit: str
    cpu_a: float | None
    cpu_b: float | None
    pairs: int

    @property
    def reached(self) -> str:
        """How far it has come, in a word."""
        if self.target is None:
            return ""
        if self.stretch is not None and self._within(self.stretch):
            return "stretch"
        return "target" if self._within(self.target) else "missed"

    def _within(self, limit: float) -> bool:
        return self.ratio <= limit if self.better == "lower" else self.ratio >= limit


def row(aim: Aim, pairs: Sequence[Pair]) -> Row:
    """Return the row that *pairs* make of *aim*."""
    ratios = [pair.a / pair.b for pair in pairs]
    scale = 1000 if aim.unit == "ms" else 1
    low, high = spread(ratios)
    return Row(
        name=aim.name,
        a=round(median(pair.a for pair in pairs) * scale, 3),
        b=round(median(pair.b for pair in pairs) * scale, 3),
        ratio=round(median(ratios), 3),
        p10=round(low, 3),
        p90=round(high, 3),
        target=aim.target,
        stretch=aim.stretch,
        better=aim.better,
        unit=aim.unit,
        cpu_a=_milliseconds([pair.cpu_a for pair in pairs]),
        cpu_b=_milliseconds([pair.cpu_b for pair in pairs]),
        pairs=len(pairs),
    )


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Return the 10th and the 90th percentile of *values*, between the smallest and the largest."""
    cuts = quantiles(values, n=10, method="inclusive")
    return cuts[0], cuts[-1]


def _milliseconds(seconds: Sequence[float]) -> float | None:
    middle = median(seconds)
    return round(middle * 1000, 3) if middle else None
