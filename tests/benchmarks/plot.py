"""The plot: a bar for each result, as long as its share of the target. Pure functions."""

from collections.abc import Sequence
from html import escape

from tests.benchmarks.figures import BenchmarkResult

NAMES, BARS, VALUES = 270, 400, 150
"""Widths of the three columns."""
LINE, TOP, FOOT = 24, 44, 12
MAX_SHARE = 2.0
"""The share of the target at which a bar is cut off."""

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.reached { fill: #2da44e } .missed { fill: #bf8700 }
.whisker { stroke: #1f2328; stroke-width: 1.5 }
.target { stroke: #1f2328; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.reached { fill: #3fb950 } .missed { fill: #d29922 }
.whisker, .target { stroke: #e6edf3 }
}
"""


def svg(results: Sequence[BenchmarkResult], date: str) -> str:
    """Return the plot of the results that have a target, as an SVG document."""
    shown = [result for result in results if result.target is not None]
    height = TOP + LINE * len(shown) + FOOT
    target = NAMES + BARS / MAX_SHARE
    lines = [
        part for number, result in enumerate(shown) for part in _line(TOP + LINE * number, result)
    ]
    box = f"0 0 {NAMES + BARS + VALUES} {height}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img">',
            f"<title>Benchmarks of {date}: how much of its target each takes</title>",
            f"<style>{STYLE}</style>",
            f'<text x="{target}" y="18" text-anchor="middle">target</text>',
            f'<text x="{NAMES}" y="18">← better</text>',
            *lines,
            f'<path class="target" d="M{target} 24V{height - FOOT}"/>',
            "</svg>\n",
        ]
    )


def share(result: BenchmarkResult, ratio: float) -> float:
    """Return the share of the target that *ratio* uses: up to 1 the target is reached."""
    assert result.target is not None
    return ratio / result.target if result.better == "lower" else result.target / ratio


def _line(top: float, result: BenchmarkResult) -> list[str]:
    low, high = sorted(share(result, ratio) for ratio in (result.p10, result.p90))
    middle, style = top + LINE / 2, "missed" if result.reached == "missed" else "reached"
    sign = "≤" if result.better == "lower" else "≥"
    value = f"{result.ratio:.3g} ({sign} {result.target:g})"
    length, thick = _width(share(result, result.ratio)), LINE - 10
    return [
        f'<text x="{NAMES - 8}" y="{middle + 4}" text-anchor="end">{escape(result.name)}</text>',
        f'<rect class="{style}" x="{NAMES}" y="{top + 5}" width="{length}" height="{thick}"/>',
        f'<path class="whisker" d="M{NAMES + _width(low)} {middle}H{NAMES + _width(high)}"/>',
        f'<text x="{NAMES + BARS + 8}" y="{middle + 4}">{value}</text>',
    ]


def _width(of: float) -> float:
    return round(BARS * min(of, MAX_SHARE) / MAX_SHARE, 1)
