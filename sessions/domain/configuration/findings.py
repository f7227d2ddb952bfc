"""What a validation finds: sentences with their places."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class Severity(Enum):
    """An error: mlagents-learn refuses it or fails over it. A warning: it trains, but surely not as meant."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """One thing about a configuration. Line and column count from 1; None means the whole file."""

    severity: Severity
    line: int | None
    column: int | None
    path: str
    message: str
    hint: str = ""

    @property
    def sentence(self) -> str:
        """The message after its line, as forms show it."""
        return f"Line {self.line}: {self.message}" if self.line else self.message

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "severity": self.severity.value}


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings as they stand in the file; errors first where several are in one place."""
    return sorted(
        dict.fromkeys(findings), key=lambda one: (one.line or 0, one.column or 0, one.severity is Severity.WARNING)
    )
