"""A line chart as SVG: the report's picture where no script runs, and on paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from reports.contexts import Curve, Line

WIDTH, HEIGHT = 900.0, 320.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 12.0, 12.0, 36.0
TICKS = 5
COLOURS = 6


def line_chart(curves: Sequence[Curve], *, label: str) -> str:
    """Return an SVG of these curves over steps, coloured by the CSS variables `--series-1` to `--series-6`.

    Points that are no number break a line. Empty curves give an empty text.
    """
    lines: list[Line | Curve] = [*curves, *(part for curve in curves for part in curve.replaced)]
    points = [point for line in lines for point in _known(line)]
    if not points:
        return ""
    x = _Scale.over([step for step, _ in points], LEFT, WIDTH - RIGHT)
    y = _Scale.over([value for _, value in points], HEIGHT - BOTTOM, TOP)
    parts = [_grid(x, y), _seams(curves, x), *(_curve(curve, index, x, y) for index, curve in enumerate(curves))]
    head = f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{escape(label)}" class="chart">'
    return f"{head}{''.join(parts)}</svg>"


def _known(line: Line | Curve) -> list[tuple[int, float]]:
    return [
        (step, value)
        for step, value in zip(line.steps, line.values, strict=True)
        if value is not None and math.isfinite(value)
    ]


class _Scale:
    """Values to places, over a range that ends on round numbers."""

    def __init__(self, low: float, high: float, step: float, start: float, end: float) -> None:
        self.low, self.high, self.step = low, high, step
        self.start, self.end = start, end

    @classmethod
    def over(cls, values: Sequence[float], start: float, end: float) -> _Scale:
        low, high = min(values), max(values)
        if low == high:
            low, high = low - 1, high + 1
        rough = (high - low) / TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= rough)
        return cls(math.floor(low / step) * step, math.ceil(high / step) * step, step, start, end)

    def place(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        return [self.low + self.step * number for number in range(round((self.high - self.low) / self.step) + 1)]


def _grid(x: _Scale, y: _Scale) -> str:
    rows = [
        f'<line class="grid" x1="{LEFT:g}" x2="{WIDTH - RIGHT:g}" y1="{y.place(tick):.1f}" y2="{y.place(tick):.1f}"/>'
        f'<text x="{LEFT - 8:g}" y="{y.place(tick) + 4:.1f}" text-anchor="end">{short(tick)}</text>'
        for tick in y.ticks()
    ]
    columns = [
        f'<text x="{x.place(tick):.1f}" y="{HEIGHT - 12:g}" text-anchor="middle">{short(tick)}</text>'
        for tick in x.ticks()
    ]
    return "".join(rows + columns)


def _seams(curves: Sequence[Curve], x: _Scale) -> str:
    """A line down the chart where an attempt took over, named once."""
    first: dict[int, int] = {}
    for seam in (seam for curve in curves for seam in curve.seams):
        first[seam.attempt] = min(seam.step, first.get(seam.attempt, seam.step))
    return "".join(
        f'<line class="seam" x1="{x.place(step):.1f}" x2="{x.place(step):.1f}" y1="{TOP:g}" y2="{HEIGHT - BOTTOM:g}"/>'
        f'<text class="seam" x="{x.place(step) + 4:.1f}" y="{TOP + 10:g}">attempt {attempt}</text>'
        for attempt, step in sorted(first.items())
    )


def _curve(curve: Curve, index: int, x: _Scale, y: _Scale) -> str:
    style = f'style="stroke:var(--series-{index % COLOURS + 1})"'
    faint = "".join(f'<polyline class="series replaced" {style} {_places(part, x, y)}/>' for part in curve.replaced)
    return f'{faint}<polyline class="series" {style} {_places(curve, x, y)}/>'


def _places(line: Line | Curve, x: _Scale, y: _Scale) -> str:
    places = " ".join(f"{x.place(step):.1f},{y.place(value):.1f}" for step, value in _known(line))
    return f'points="{places}"'


def short(number: float) -> str:
    """Return a number as an axis writes it: 40000 as 40k."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:g}{unit}"
    return f"{number:.4g}"
