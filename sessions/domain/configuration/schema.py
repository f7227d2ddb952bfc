"""How the table of settings is written: sections with keys; each key has its kind, ranges, default and help."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Kind(Enum):
    """What a value must be; the word is used in messages and in the documentation."""

    WHOLE = "a whole number"
    STEPS = "a number of steps"  # a whole number that may be written as text such as 5e5
    NUMBER = "a number"
    TRUTH = "true or false"
    TEXT = "text"
    TEXTS = "a list of texts"
    CHOICE = "one of a few words"
    SECTION = "a section"
    TRAINER = "the name of a trainer"
    HYPERPARAMETERS = "a section of hyperparameters"
    SIGNALS = "a section of reward signals"
    BEHAVIORS = "a section of behaviors"
    PARAMETERS = "a section of parameters"
    SAMPLER = "a number or a sampler"
    CURRICULUM = "a list of lessons"
    INTERVALS = "a list of intervals"


@dataclass(frozen=True)
class Range:
    """Finite numbers from `least` to `most`, both included, or all that are larger than `above`."""

    least: float | None = None
    most: float | None = None
    above: float | None = None

    def __contains__(self, number: float) -> bool:
        return (
            math.isfinite(number)
            and (self.least is None or number >= self.least)
            and (self.most is None or number <= self.most)
            and (self.above is None or number > self.above)
        )

    def __str__(self) -> str:
        low = self.least if self.above is None else self.above
        if self.most is None:
            return f"above {low:g}" if self.above is not None else f"{low:g} or more"
        if low is None:
            return f"at most {self.most:g}"
        return f"{low:g} to {self.most:g}" if self.above is None else f"above {low:g}, at most {self.most:g}"


@dataclass(frozen=True)
class Key:
    """One setting. Outside `limits` a training is refused or fails, outside `sound` it runs, and surely not as meant.

    `usual` is the range that ML-Agents' documentation recommends; far outside of it there is a warning. `default` is
    None where ML-Agents has none, and a text in brackets where it follows from another setting. `since` and `until` are
    the first and the last minor version of mlagents that knows the key where it stands now. `also_called` are names
    that people use for it, from older versions or from the official documentation.
    """

    name: str
    kind: Kind
    default: Any
    help: str
    limits: Range | None = None
    sound: Range | None = None
    usual: Range | None = None
    choices: tuple[str, ...] = ()
    required: bool = False
    may_be_null: bool = False
    section: str = ""
    since: str = "0.17"
    until: str = ""
    also_called: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A mapping with known keys. Of an unknown key in it, mlagents-learn says something only when it is `strict`."""

    name: str
    title: str
    strict: bool
    keys: tuple[Key, ...]

    def get(self, name: Any) -> Key | None:
        """Return a key by its name, or None."""
        return next((key for key in self.keys if key.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(key.name for key in self.keys)

    @property
    def current(self) -> tuple[str, ...]:
        """The names that have not gone out of use."""
        return tuple(key.name for key in self.keys if not key.until)
