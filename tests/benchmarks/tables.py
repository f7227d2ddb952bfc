"""Figures as text: percentiles and small tables."""

from __future__ import annotations

import math
import os
import platform
import sys
from collections.abc import Sequence
from datetime import datetime


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` (0 to 1) of the values do not exceed: the nearest rank, no interpolation."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def verdict(*, met: bool) -> str:
    return "met" if met else "MISSED"


def say(text: str = "") -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say_where() -> None:
    """Say when and on what machine this is measured."""
    day = datetime.now().astimezone().date().isoformat()
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    say(f"{day}, {os.cpu_count()} cores, {system}\n")


def say_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table that is also Markdown."""
    cells = [[_text(one) for one in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in cells]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    say("\n".join([lines[0], rule, *lines[1:], ""]))


def _text(value: object) -> str:
    return f"{value:,.1f}" if isinstance(value, float) else str(value)
