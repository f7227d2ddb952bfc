"""How values read on pages; `static/js/format.js` says the same on the client, tested with the same cases."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta, timezone
from typing import Any

from django import template
from django.forms import BoundField
from django.utils import timezone as django_timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sessions.selectors.series import PointsShape
from sessions.selectors.stitching import stitched

register = template.Library()

NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
SVG_WIDTH, SVG_HEIGHT = 1000, 260
LAST_POINTS = 8
# As in static/js/ansi.js: sequences that end with a letter, texts for the terminal, and other escapes.
ESCAPE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"
    "|(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\\\|\x9c)?"
    "|\x1b[ -/]*[0-~]?"
)
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@register.filter
def number(value: float | None) -> str:
    """Return a whole number with its thousands set apart."""
    return NOTHING if value is None else f"{value:,.0f}"


@register.filter
def reward(value: float | None) -> str:
    """Return a reward with the decimals that still say something at its size."""
    if value is None:
        return NOTHING
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{value}"
    size = abs(value)
    decimals = 3 if size < 10 else 2 if size < 100 else 1 if size < 1000 else 0
    return f"{value:,.{decimals}f}".replace("-", MINUS)


@register.filter
def speed(value: float | None) -> str:
    """Return steps per second: one decimal below a hundred."""
    return NOTHING if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


@register.filter
def percent(value: float | None) -> str:
    """Return a share of 1 in percent, rounded down, so that 100 % means done."""
    if value is None:
        return NOTHING
    tenths = math.floor(value * 1000 + 1e-9)
    return "100 %" if tenths >= 1000 else f"{tenths / 10:.1f} %"


@register.filter
def load(value: float | None) -> str:
    """Return how busy something is: 100 % is one core, or one GPU."""
    return NOTHING if value is None else f"{value:,.0f} %"


@register.filter
def duration(seconds: float | None) -> str:
    """Return seconds as the two largest units: `42 s`, `4 min 12 s`, `1 h 04 min`, `2 d 03 h`."""
    if seconds is None:
        return NOTHING
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes == 0:
        return f"{whole} s"
    if hours == 0:
        return f"{minutes} min {whole % 60:02d} s"
    if days == 0:
        return f"{hours} h {minutes % 60:02d} min"
    return f"{days} d {hours % 24:02d} h"


@register.filter
def seconds(amount: float | None) -> str:
    """Return seconds with the decimals that still say something: `0.042 s`, `3.25 s`, `118 s`, `1 h 04 min`."""
    if amount is None:
        return NOTHING
    if amount >= 3600:
        return duration(amount)
    return f"{amount:.3f} s" if amount < 1 else f"{amount:.2f} s" if amount < 100 else f"{amount:,.0f} s"


@register.filter
def figure(value: float | None) -> str:
    """Return any finite number with up to six digits that count."""
    return NOTHING if value is None else f"{value:.6g}".replace("-", MINUS)


@register.filter
def size(count: float | None) -> str:
    """Return a number of bytes in the unit that fits, by thousands."""
    if count is None:
        return NOTHING
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


@register.filter
def state_label(state: str) -> str:
    """Return a state's word as a label."""
    return state.replace("_", " ").capitalize()


@register.filter
def when(moment: datetime | None) -> str | SafeString:
    """Return a `<time>` that says how long ago it was, with the exact moment for machines and tooltips."""
    if moment is None:
        return NOTHING
    exact = moment.astimezone(timezone.utc)
    return format_html(
        '<time datetime="{}" title="{}" data-relative>{}</time>',
        exact.isoformat(timespec="seconds"),
        exact.strftime("%d %b %Y, %H:%M:%S UTC"),
        ago(django_timezone.now() - moment),
    )


def ago(passed: timedelta) -> str:
    """Return how long ago something was, or in how long it will be, in its largest unit."""
    seconds = int(passed.total_seconds())
    if abs(seconds) < 45:
        return "just now"
    for length, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        count = max(1, abs(seconds) // length)
        if abs(seconds) >= length * 0.75:
            words = f"{count} {unit}{'' if count == 1 else 's'}"
            return f"{words} ago" if seconds > 0 else f"in {words}"
    return "just now"


@register.filter
def local_input(moment: datetime | None) -> str:
    """Return a moment as a field for date and time takes it, in the time zone of this machine."""
    return moment.astimezone().strftime("%Y-%m-%dT%H:%M") if moment else ""


@register.filter
def plain(text: str) -> str:
    """Return printed text without escape sequences, control characters and direction overrides."""
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return CONTROL.sub("", ESCAPE.sub("", "\n".join(lines)))


@register.filter
def undo_of(tags: str | None) -> tuple[str, list[str]] | None:
    """Return the action and the run ids with which a message can be taken back; None when it cannot."""
    word, _, rest = (tags or "").partition(" ")
    action, *run_ids = rest.split() or [""]
    return (action, run_ids) if word == "undo" and run_ids else None


@register.filter
def options_of(command: str | None) -> list[str]:
    """Return a command line in parts that should not be broken: the program, then each option."""
    return re.split(r" (?=--)", command) if command else []


@register.filter
def listed(field: BoundField, datalist: str) -> SafeString:
    """Return the field's control, offering what the `<datalist>` with that id holds."""
    return field.as_widget(attrs={"list": datalist})


@register.filter
def curves_of(series: list[dict[str, Any]], tag: str) -> list[dict[str, Any]]:
    """Return the curve of each behavior in one tag, for pages without a chart.

    Each has `behavior`, `line` (an SVG polyline in a box of 1000 by 260) and `last`, its newest points.
    """
    whole = stitched(PointsShape(**one) for one in series if one["tag"] == tag)
    curves = [(behavior, _finite(curve.whole)) for behavior, curve in whole.items()]
    everything = [point for _, points in curves for point in points]
    if not everything:
        return []
    steps, values = zip(*everything, strict=True)
    box = (min(steps), max(steps), min(values), max(values))
    return [
        {"behavior": behavior, "line": _line(points, box), "last": points[-LAST_POINTS:]}
        for behavior, points in curves
        if points
    ]


def _finite(series: PointsShape) -> list[tuple[int, float]]:
    pairs = zip(series.steps, series.values, strict=True)
    return [(step, value) for step, value in pairs if value is not None and math.isfinite(value)]


def _line(points: list[tuple[int, float]], box: tuple[float, float, float, float]) -> str:
    left, right, bottom, top = box
    across, up = SVG_WIDTH / ((right - left) or 1), SVG_HEIGHT / ((top - bottom) or 1)
    return " ".join(f"{(step - left) * across:.1f},{(top - value) * up:.1f}" for step, value in points)
