"""Lines for small charts that are part of a page: SVG coordinates in a box of 1000 by 100."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.lessons import Course

WIDTH, HEIGHT = 1000.0, 100.0


@dataclass(frozen=True)
class Bar:
    """A lesson as a bar: its place and width in the box."""

    left: str
    width: str
    label: str
    shade: int


def polyline(steps: Sequence[int], values: Sequence[float]) -> str:
    """Return the points of a line of values from 0 to 1 over steps that begin at 0."""
    right = max(steps, default=0) or 1
    return " ".join(
        f"{step / right * WIDTH:.1f},{(1 - value) * HEIGHT:.1f}" for step, value in zip(steps, values, strict=True)
    )


def bars(course: Course) -> list[Bar]:
    """Return the lessons of a course as bars, one behind the other."""
    end = max((stay.last_step for stay in course.stays), default=0) or 1
    begins = [0, *(stay.first_step for stay in course.stays[1:]), end]
    return [
        Bar(
            left=f"{first / end * WIDTH:.1f}",
            width=f"{max(0, until - first) / end * WIDTH:.1f}",
            label=stay.name,
            shade=stay.number % 6,
        )
        for stay, first, until in zip(course.stays, begins, begins[1:], strict=False)
    ]
