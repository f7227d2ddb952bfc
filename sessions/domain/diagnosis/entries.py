"""What an entry of the catalogue is, and the order in which causes come."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

# The way of a start. What went wrong first is the cause of what went wrong after it.
PHASES = ("import", "spawn", "cli", "config", "rundir", "env", "trainer", "training", "export", "crash", "end", "any")
# Frames of a traceback whose end was cut off: what comes next is neither a frame nor an exception.
CUT_OFF = (
    r"(?:\n(?:Traceback .{0,60}|[ \t].{0,300})?){0,80}"
    r"(?:\n(?!\s|$|Traceback |(?:\w{1,60}\.){0,8}\w{1,60}(?:Error|Exception)\b)|\Z)"
)


class Kind(Enum):
    """What an entry may explain."""

    CAUSE = "cause"
    # Only where no cause was found: it follows from one, or says little.
    LAST_RESORT = "last resort"
    # A warning; it ends nothing.
    NOTICE = "notice"


@dataclass(frozen=True)
class Entry:
    """One thing that goes wrong. `cause` and `fix` may name groups of the pattern in braces.

    `remedies` are what MENTOR itself can do about it, see `remedies.py`; `quiet` ends a training with exit code 0;
    `codes` are exit codes that say the same where the console is silent; one that is `lasting` has a remedy only after
    somebody mended what it names.
    """

    id: str
    phase: str
    pattern: str
    title: str
    cause: str
    fix: str
    versions: str = ""
    kind: Kind = Kind.CAUSE
    remedies: tuple[str, ...] = ()
    quiet: bool = False
    codes: tuple[int, ...] = ()
    lasting: bool = False

    @property
    def repeats(self) -> bool:
        """Whether it would happen again if the training were started again as it was."""
        return self.lasting or (self.kind is Kind.CAUSE and not set(self.remedies) & {"resume", "again", "port"})

    @classmethod
    def taught(cls, key: int, text: str, *, title: str, cause: str, fix: str) -> Entry:
        """Return an entry for a text that a user knows; braces of a user name no groups."""
        cause, fix = (words.replace("{", "(").replace("}", ")") for words in (cause, fix))
        return cls(f"taught-{key}", "any", re.escape(text), title, cause, fix, remedies=("resume", "again"))

    def compiled(self) -> re.Pattern[str]:
        """Return the pattern; `re` keeps it compiled."""
        return re.compile(self.pattern, re.MULTILINE)
