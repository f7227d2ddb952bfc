"""Curricula: which lesson was trained when, under the names of the configuration."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# `Lesson Number/{parameter}` since ML-Agents 0.20, before that `Lesson/{parameter}`, until 0.17 `Lesson` of them all.
TAG = re.compile(r"Environment/Lesson(?: Number)?(?:/(?P<parameter>.+))?\Z", re.DOTALL)


@dataclass(frozen=True)
class Stay:
    """A lesson that was trained from one step to another; seconds until the next began, or the last point came."""

    number: int
    name: str
    first_step: int
    last_step: int
    seconds: float


@dataclass(frozen=True)
class Course:
    """The lessons of one parameter; `lessons` is how many the configuration has, None when it does not say."""

    behavior: str
    parameter: str
    stays: list[Stay]
    lessons: int | None


def parameter_of(tag: str) -> str | None:
    """Return the parameter whose lessons a tag counts, empty for all of them; None when it counts no lessons."""
    found = TAG.match(tag)
    return (found["parameter"] or "") if found else None


def lesson_names(tree: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the names of each parameter's lessons, from the tree of a configuration; "" where one has no name."""
    parameters = tree.get("environment_parameters")
    if not isinstance(parameters, Mapping):
        return {}
    return {
        str(name): [_name(lesson) for lesson in settings["curriculum"]]
        for name, settings in parameters.items()
        if isinstance(settings, Mapping) and isinstance(settings.get("curriculum"), list)
    }


def _name(lesson: Any) -> str:
    return str(lesson.get("name", "")) if isinstance(lesson, Mapping) else ""


def stays(
    steps: Sequence[int],
    wall_times: Sequence[float],
    numbers: Sequence[float | None],
    names: Sequence[str] = (),
) -> list[Stay]:
    """Return the lessons in the order in which they were trained; one that came again is there again."""
    known = [
        (step, time, int(number))
        for step, time, number in zip(steps, wall_times, numbers, strict=True)
        if number is not None and math.isfinite(number)
    ]
    begins = [at for at, one in enumerate(known) if at == 0 or one[2] != known[at - 1][2]]
    return [
        _stay(known[first:end], known[min(end, len(known) - 1)][1], names)
        for first, end in zip(begins, [*begins[1:], len(known)], strict=False)
    ]


def _stay(points: Sequence[tuple[int, float, int]], until: float, names: Sequence[str]) -> Stay:
    step, time, number = points[0]
    name = names[number] if 0 <= number < len(names) else ""
    return Stay(number, name or f"lesson {number}", step, points[-1][0], max(0.0, until - time))


def is_course(course: Course) -> bool:
    """Tell whether there is something to see: ML-Agents also counts lesson 0 of parameters without a curriculum."""
    return bool(course.lessons) or len(course.stays) > 1 or any(stay.number for stay in course.stays)
