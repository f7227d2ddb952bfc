"""Figures of a report, as plain values that its script hands to Plotly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reports.contexts import Curve, Line
from sessions.selectors.series import REWARD_TAG

FAINT = 0.35
# Other tags worth a small chart in a report, in this order; the rest follow by name.
FIRST = (
    "Environment/Group Cumulative Reward",
    "Environment/Episode Length",
    "Self-play/ELO",
    "Losses/Policy Loss",
    "Losses/Value Loss",
    "Policy/Entropy",
    "Policy/Learning Rate",
)


def reward_curves(curves: Sequence[Curve]) -> list[Curve]:
    """Return the reward curve of each behavior."""
    return [curve for curve in curves if curve.tag == REWARD_TAG]


def other_charts(curves: Sequence[Curve]) -> list[tuple[str, list[Curve]]]:
    """Return the other tags with their curves, the telling ones first."""
    tags = sorted({curve.tag for curve in curves} - {REWARD_TAG}, key=_rank)
    return [(tag, [curve for curve in curves if curve.tag == tag]) for tag in tags]


def _rank(tag: str) -> tuple[int, str]:
    return (FIRST.index(tag) if tag in FIRST else len(FIRST), tag)


def figure(curves: Sequence[Curve]) -> list[dict[str, Any]]:
    """Return Plotly's traces of these curves: one line per behavior, and a faint one for each part trained again.

    The colours are the page's, by the number in `meta`; there are also the seams, as pairs of attempt and step.
    """
    lines = [_line(curve, number) for number, curve in enumerate(curves)]
    return lines + [_faint(part, number) for number, curve in enumerate(curves) for part in curve.replaced]


def _line(curve: Curve, number: int) -> dict[str, Any]:
    seams = [[seam.attempt, seam.step] for seam in curve.seams]
    return {**_trace(curve), "name": curve.behavior, "meta": {"colour": number, "seams": seams}}


def _faint(part: Line, number: int) -> dict[str, Any]:
    aside = {"opacity": FAINT, "showlegend": False, "hoverinfo": "skip"}
    return {**_trace(part), **aside, "meta": {"colour": number, "seams": []}}


def _trace(line: Line | Curve) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "x": list(line.steps), "y": list(line.values)}
