"""What `doctor` found: what is wrong, why it matters and what to do; and what was looked at and is right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

OK, WARNING, ERROR = LEVELS = ("ok", "warning", "error")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. What is ok needs no fix; a warning stands in the way of nothing yet."""

    level: str
    title: str
    what: str
    why: str = ""
    fix: str = ""


@dataclass(frozen=True)
class Placed:
    """A finding under the subject that it belongs to."""

    subject: str
    level: str
    title: str
    what: str
    why: str
    fix: str


def ok(title: str, what: str, why: str = "") -> Finding:
    """Return a finding about something that is right."""
    return Finding(OK, title, what, why)


def worst(levels: Iterable[str]) -> str:
    """Return the worst of some levels; ok when there are none."""
    return max(levels, key=LEVELS.index, default=OK)
