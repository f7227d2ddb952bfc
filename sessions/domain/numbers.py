"""Numbers as they may be stored and sent."""

from __future__ import annotations

import math


def finite(number: float | None) -> float | None:
    """Return the number, or None when it is none: JSON and PostgreSQL's JSON have no word for NaN and infinity."""
    return number if number is not None and math.isfinite(number) else None
