"""The plot: a bar for each row, as long as the share of its target that it takes. Pure."""

from collections.abc import Sequence
from html import escape

from tests.benchmarks.figures import Row

NAMES, BARS, VALUES = 270, 400, 150
"""Widths of the three columns."""
LINE, TOP, FOOT = 24, 44, 12
MOST = 2.0
"""Times the target at which a bar ends, however long it would be."""

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


def svg(rows: Sequence[Row], date: str) -> str:
    """Return the plot of *rows* that have a target, as a document of its own."""
    aimed = [row for row in rows if row.target is not None]
    height = TOP + LINE * len(aimed) + FOOT
    target = NAMES + BARS / MOST
    lines = [part for number, row in enumerate(aimed) for part in _line(TOP + LINE * number, row)]
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


def share(row: Row, ratio: float) -> float:
    """Return how much of the target *ratio* takes: 1 reaches it, and less is better."""
    assert row.target is not None
    return ratio / row.target if row.better == "lower" else row.target / ratio


def _line(top: float, row: Row) -> list[str]:
    low, high = sorted(share(row, ratio) for ratio in (row.p10, row.p90))
    middle, word = top + LINE / 2, "missed" if row.reached == "missed" else "reached"
    sign = "≤" if row.better == "lower" else "≥"
    value = f"{row.ratio:.3g} ({sign} {row.target:g})"
    length, thick = _width(share(row, row.ratio)), LINE - 10
    return [
        f'<text x="{NAMES - 8}" y="{middle + 4}" text-anchor="end">{escape(row.name)}</text>',
        f'<rect class="{word}" x="{NAMES}" y="{top + 5}" width="{length}" height="{thick}"/>',
        f'<path class="whisker" d="M{NAMES + _width(low)} {middle}H{NAMES + _width(high)}"/>',
        f'<text x="{NAMES + BARS + 8}" y="{middle + 4}">{value}</text>',
    ]


def _width(of: float) -> float:
    return round(BARS * min(of, MOST) / MOST, 1)
