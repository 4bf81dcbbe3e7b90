"""The plot of docs/performance.md: each ratio of the newest results, with its spread and target."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from math import log2

from tests.benchmarks.comparisons import COMPARISONS, BenchmarkResult
from tests.benchmarks.report import latest
from tests.support.template import ROOT

PLOT = ROOT / "docs" / "images" / "performance.svg"

WIDTH, LABELS, MARGIN, ROW = 760, 250, 20, 22
"""Pixels: the picture, the names on its left, its edges, and the height of a line."""

TICKS = (0.25, 0.5, 1, 2, 4)
LEAST, MOST = 0.2, 5.0
"""The ends of the axis; it is logarithmic, so that half and double are equally far from 1."""

STYLE = """\
text{font:13px system-ui,sans-serif;fill:#24292f}.g{font-weight:600}.t{fill:#57606a;font-size:11px}
.a{stroke:#d0d7de}.s{stroke:#0969da;stroke-width:3}.m{fill:#0969da}.x{stroke:#cf222e;stroke-width:2}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.t{fill:#8d96a0}.a{stroke:#30363d}
.s{stroke:#4493f8}.m{fill:#4493f8}.x{stroke:#f85149}}"""


def plot(results: Mapping[str, BenchmarkResult]) -> str:
    """Return *results* by name as an SVG document, in the order of the table."""
    lines = [*_lines(results)]
    height = 2 * MARGIN + ROW * (len({each.group for each in COMPARISONS}) + len(COMPARISONS) + 1)
    axis = "".join(_tick(value, height) for value in TICKS)
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    title = "<title>A/B of each comparison: median, 10th to 90th percentile, and target</title>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">{title}'
    return "\n".join([head, f"<style>{STYLE}</style>", axis, *lines, "</svg>"]) + "\n"


def write_plot() -> None:
    """Write the plot of the newest committed results."""
    PLOT.parent.mkdir(exist_ok=True)
    PLOT.write_text(plot(latest()), encoding="utf-8")


def _lines(results: Mapping[str, BenchmarkResult]) -> Iterator[str]:
    y = MARGIN + ROW
    for group, comparisons in groupby(COMPARISONS, lambda each: each.group):
        yield f'<text class="g" x="{MARGIN}" y="{y + 5}">{_plain(group)}</text>'
        y += ROW
        for comparison in comparisons:
            yield f'<text x="{MARGIN + 12}" y="{y + 5}">{_plain(comparison.title)}</text>'
            yield _bar(results[comparison.name], y)
            y += ROW


def _bar(result: BenchmarkResult, y: int) -> str:
    """Return the spread as a line, the median as a dot, and the target as an upright line."""
    low, middle, high = _x(result.p10), _x(result.ratio), _x(result.p90)
    target = _x(result.target)
    return (
        f'<path class="s" d="M{low} {y}H{high}"/><circle class="m" cx="{middle}" cy="{y}" r="5"/>'
        f'<path class="x" d="M{target} {y - 8}V{y + 8}"/>'
    )


def _tick(value: float, height: int) -> str:
    x = _x(value)
    bottom = height - MARGIN
    line = f'<path class="a" d="M{x} {MARGIN}V{bottom - ROW // 2}"/>'
    return f'{line}<text class="t" x="{x}" y="{bottom + 5}" text-anchor="middle">{value:g}</text>'


def _x(ratio: float) -> int:
    """Return the place of *ratio* on the axis."""
    part = (log2(ratio) - log2(LEAST)) / (log2(MOST) - log2(LEAST))
    return round(LABELS + part * (WIDTH - LABELS - MARGIN))


def _plain(text: str) -> str:
    return text.replace("`", "").replace("&", "&amp;")
