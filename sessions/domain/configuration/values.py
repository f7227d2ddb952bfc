"""What mlagents-learn makes of a value of YAML: int(), float(), bool() and str() take more than one would think."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sessions.domain.configuration.schema import Key, Kind

E_NOTATION = "YAML reads 1e4 as text: write 10000 or 1.0e+4."


@dataclass(frozen=True)
class Reading:
    """A value as the trainer gets it; `odd` is a sentence when that is surely not as meant."""

    value: Any
    odd: str = ""


def as_int(value: Any) -> int | None:
    """Return what int() makes of a value of YAML, or None. Truth values are none."""
    count = _converted(int, value)
    return count if isinstance(count, int) else None


def as_float(value: Any) -> float | None:
    """Return what float() makes of a value of YAML, or None. Truth values are none."""
    number = _converted(float, value)
    return number if isinstance(number, float) else None


def read(key: Key, value: Any) -> Reading | None:
    """Return what the trainer gets for a scalar setting, or None when its parser refuses the value."""
    if value is None and key.may_be_null:
        return Reading(None)
    return _READERS[key.kind](value) if key.kind in _READERS else Reading(value)


def _converted(kind: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return kind(value)
    except (ValueError, OverflowError):
        return None


def _whole(value: Any) -> Reading | None:
    if isinstance(value, bool):
        return Reading(int(value), f"{_word(value)} counts as {int(value)}.")
    count = as_int(value)
    if count is None:
        return None
    odd = f"Only the whole part counts: {count}." if isinstance(value, float) and count != value else ""
    return Reading(count, odd)


def _steps(value: Any) -> Reading | None:
    number = float(value) if isinstance(value, bool) else as_float(value)
    if number is None or not math.isfinite(number):
        return None
    odd = f"{_word(value)} counts as {int(number)}." if isinstance(value, bool) else ""
    return Reading(int(number), odd)


def _number(value: Any) -> Reading | None:
    if isinstance(value, bool):
        return Reading(float(value), f"{_word(value)} counts as {int(value)}.")
    number = as_float(value)
    if number is None:
        return None
    return Reading(number, "" if math.isfinite(number) else "This is no finite number.")


def _truth(value: Any) -> Reading:
    if isinstance(value, bool):
        return Reading(value)
    kind = "text" if isinstance(value, str) else "no truth value"
    return Reading(bool(value), f"This is {kind}, and ML-Agents takes it for {_word(bool(value))}.")


def _text(value: Any) -> Reading:
    if isinstance(value, (list, dict)) or value is None or isinstance(value, bool):
        return Reading(str(value), f"ML-Agents takes this for the text {str(value)[:80]}.")
    return Reading(str(value))


def _texts(value: Any) -> Reading | None:
    if isinstance(value, (str, dict)):
        return Reading(
            [str(part) for part in value], "This is no list; ML-Agents takes each character for an argument."
        )
    return Reading([str(part) for part in value]) if isinstance(value, list) else None


def _word(value: bool) -> str:
    return "true" if value else "false"


_READERS: dict[Kind, Callable[[Any], Reading | None]] = {
    Kind.WHOLE: _whole,
    Kind.STEPS: _steps,
    Kind.NUMBER: _number,
    Kind.TRUTH: _truth,
    Kind.TEXT: _text,
    Kind.TEXTS: _texts,
}
