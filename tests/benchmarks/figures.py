"""Samples, pairs of samples, and the results computed from pairs. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Literal, NamedTuple


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds of wall time and CPU of a run; of a cold start also INIT seconds and peak MiB."""

    wall: float
    cpu: float
    init: float = 0.0
    peak: float = 0.0


class Pair(NamedTuple):
    """A figure of A and of B, measured one after the other, and the CPU seconds of both."""

    a: float
    b: float
    cpu_a: float = 0.0
    cpu_b: float = 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared, and the targets for A / B.

    ``unit`` of A and B: "ms" (they are measured in seconds) or "MiB".
    """

    name: str
    a: str
    b: str
    target: float | None
    stretch: float | None
    better: Literal["lower", "higher"] = "lower"
    unit: Literal["ms", "MiB"] = "ms"


@dataclass(frozen=True, slots=True)
class BenchmarkResult:
    """The result of a comparison: medians of A, B and the ratio of each pair, with its spread.

    ``cpu_a`` and ``cpu_b`` are medians in milliseconds, None where CPU was not measured.
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
        """The target that was reached: "stretch", "target" or "missed"; "" without a target."""
        if self.target is None:
            return ""
        if self.stretch is not None and self._within(self.stretch):
            return "stretch"
        return "target" if self._within(self.target) else "missed"

    def _within(self, limit: float) -> bool:
        return self.ratio <= limit if self.better == "lower" else self.ratio >= limit


def summarize(comparison: Comparison, pairs: Sequence[Pair]) -> BenchmarkResult:
    """Return the result of a comparison."""
    ratios = [pair.a / pair.b for pair in pairs]
    scale = 1000 if comparison.unit == "ms" else 1
    low, high = spread(ratios)
    return BenchmarkResult(
        name=comparison.name,
        a=round(median(pair.a for pair in pairs) * scale, 3),
        b=round(median(pair.b for pair in pairs) * scale, 3),
        ratio=round(median(ratios), 3),
        p10=round(low, 3),
        p90=round(high, 3),
        target=comparison.target,
        stretch=comparison.stretch,
        better=comparison.better,
        unit=comparison.unit,
        cpu_a=_milliseconds([pair.cpu_a for pair in pairs]),
        cpu_b=_milliseconds([pair.cpu_b for pair in pairs]),
        pairs=len(pairs),
    )


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Return the 10th and the 90th percentile of *values*."""
    cuts = quantiles(values, n=10, method="inclusive")
    return cuts[0], cuts[-1]


def _milliseconds(seconds: Sequence[float]) -> float | None:
    middle = median(seconds)
    return round(middle * 1000, 3) if middle else None
