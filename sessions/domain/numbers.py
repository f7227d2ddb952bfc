"""Numbers as they may be stored and sent."""

from __future__ import annotations

import math


def finite(number: float | None) -> float | None:
    """Return the number, or None when it is none: JSON and PostgreSQL's JSON have no word for NaN and infinity."""
    return number if number is not None and math.isfinite(number) else None


def natural(text: str, *, most_digits: int) -> int | None:
    """Return the number that a text spells in decimal digits alone, at most so many; None for any other text."""
    return int(text) if text.isdecimal() and len(text) <= most_digits else None
