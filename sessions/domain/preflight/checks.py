"""What a check before a start says: how it stands, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Level(str, Enum):
    """An error refuses the start; a warning is shown and never stands in its way."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `field` is the field of the start form that an error belongs to."""

    id: str
    title: str
    level: Level
    finding: str
    fix: str = ""
    field: str = ""

    @property
    def sentence(self) -> str:
        """What is wrong and what helps, in a row."""
        return f"{self.finding} {self.fix}".strip()


def worst_first(checks: Iterable[Check]) -> list[Check]:
    """Return errors before warnings before what is right, each in the order given."""
    order = [Level.ERROR, Level.WARNING, Level.OK]
    return sorted(checks, key=lambda one: order.index(one.level))


def passed(id: str, title: str, finding: str) -> Check:
    """Return a check that found everything right."""
    return Check(id, title, Level.OK, finding)
