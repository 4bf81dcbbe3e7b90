"""What `make bench` compares, with the target of A / B, and what is computed from the pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Literal, NamedTuple


class Sample(NamedTuple):
    """Seconds of a run; of a cold start also the seconds of INIT and the peak in MiB."""

    wall: float
    init: float = 0.0
    peak: float = 0.0


class Pair(NamedTuple):
    """A figure of A and of B, measured one after the other."""

    a: float
    b: float


class Comparison(NamedTuple):
    """The target is for A / B, which are measured in seconds and shown in milliseconds, or MiB.

    Names are stable, because results are compared over time by them.
    """

    name: str
    group: str
    title: str
    target: float
    better: Literal["lower", "higher"] = "lower"
    unit: Literal["ms", "MiB"] = "ms"


INIT = "INIT against the floor"  # from the start of the interpreter until the handler is imported
TYPICAL = "`checks` against the typical handler, INIT and first invocation"
WARM = "A warm check without its waits"
BATCH = "Batches: the least wait, 32 at a time, over the time taken"
PEAK = "Peak of `checks` against 60 MiB + 1 for each payId at a time"

COMPARISONS = (
    Comparison("init_checks_vs_floor", INIT, "`checks`", 2.75),
    Comparison("init_api_vs_floor", INIT, "`api`", 2.75),
    Comparison("init_publisher_vs_floor", INIT, "`publisher`", 2.0),
    Comparison("init_sweeper_vs_floor", INIT, "`sweeper`", 2.0),
    # Not a target for payresult: above it, the typical handler would be unrealistically slow.
    Comparison("typical_vs_floor", INIT, "(the typical handler)", 4.2),
    Comparison("first_checks_vs_typical", TYPICAL, "byte-code for both", 0.62),
    Comparison("first_checks_vs_typical_as_shipped", TYPICAL, "as each ships", 0.30),
    Comparison("query_overhead_vs_hand_signed", WARM, "against hand-signed calls", 2.4),
    Comparison("batch_10_efficiency", BATCH, "`checks`, 10", 0.85, "higher"),
    Comparison("batch_100_efficiency", BATCH, "look-up, 100", 0.95, "higher"),
    Comparison("memory_checks_1", PEAK, "1", 1.0, unit="MiB"),
    Comparison("memory_checks_10", PEAK, "10", 1.0, unit="MiB"),
)


@dataclass(frozen=True, slots=True)
class BenchmarkResult:
    """The result of a comparison: medians of A, B and the ratio of each pair, with its spread."""

    name: str
    a: float
    b: float
    ratio: float
    p10: float
    p90: float
    target: float
    better: str
    unit: str
    pairs: int

    @property
    def reached(self) -> bool:
        """Whether the target was reached."""
        return self.ratio <= self.target if self.better == "lower" else self.ratio >= self.target


def summarize(comparison: Comparison, pairs: Sequence[Pair]) -> BenchmarkResult:
    """Return the result of a comparison."""
    ratios = [pair.a / pair.b for pair in pairs]
    scale = 1000 if comparison.unit == "ms" else 1
    deciles = quantiles(ratios, n=10, method="inclusive")
    return BenchmarkResult(
        name=comparison.name,
        a=round(median(pair.a for pair in pairs) * scale, 3),
        b=round(median(pair.b for pair in pairs) * scale, 3),
        ratio=round(median(ratios), 3),
        p10=round(deciles[0], 3),
        p90=round(deciles[-1], 3),
        target=comparison.target,
        better=comparison.better,
        unit=comparison.unit,
        pairs=len(pairs),
    )
