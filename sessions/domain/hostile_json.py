"""JSON that a run wrote, taken as far as it is what it should be: anything may stand anywhere in it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

MOST_BYTES = 1024 * 1024
LONGEST_TEXT = 300


class Unreadable(ValueError):
    """The file is not what its name says; the message is a sentence for a person."""


def read_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object in `data`; raises Unreadable for anything else and for more than a megabyte."""
    if len(data) > MOST_BYTES:
        raise Unreadable(f"It is larger than {MOST_BYTES // 1024} KB, which ML-Agents never writes.")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise Unreadable("It is no JSON that can be read.") from None
    if not isinstance(value, dict):
        raise Unreadable("It does not hold a JSON object.")
    return value


def number(value: object) -> float | None:
    """Return a finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def whole(value: object) -> int | None:
    """Return a whole number of a size that counts and steps have, or None."""
    found = number(value)
    return int(found) if found is not None and abs(found) < 2**63 else None


def text(value: object) -> str:
    """Return a text, or a number as one, cut where nobody reads on; empty for anything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    try:
        shown = str(value)
    except ValueError:  # a number of thousands of digits
        return ""
    shown = shown if len(shown) <= LONGEST_TEXT else shown[:LONGEST_TEXT] + "…"
    return shown.encode("utf-8", "replace").decode()  # JSON can name halves of characters


def mapping(value: object) -> Mapping[str, Any]:
    """Return a mapping, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """Return a list, an empty one for anything else."""
    return value if isinstance(value, list) else []
