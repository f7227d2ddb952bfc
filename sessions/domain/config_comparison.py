"""The configuration that was given beside the one that ML-Agents says it used: setting by setting, not line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

MOST_SETTINGS = 3000
ABSENT = object()


@dataclass(frozen=True)
class Setting:
    """One setting by its dotted path. `kind`: same, changed, added (a default, or an option of the command line), or
    unused (given, but not among those that were used)."""

    path: str
    given: str
    used: str
    kind: str


def compare(given: Any, used: Any) -> list[Setting]:
    """Return the settings of two trees of configuration, those that were given first."""
    before = dict(islice(_leaves(given), MOST_SETTINGS))
    after = dict(islice(_leaves(used), MOST_SETTINGS))
    settings = [_given(path, value, _used(path, after)) for path, value in before.items()]
    consumed = {_where(path, after) for path in before}
    added = [
        Setting(".".join(path), "", _text(value), "added") for path, value in after.items() if path not in consumed
    ]
    return [*settings, *added]


def _given(path: tuple[str, ...], value: Any, used: Any) -> Setting:
    if used is ABSENT:
        return Setting(".".join(path), _text(value), "", "unused")
    kind = "same" if _equal(value, used) else "changed"
    return Setting(".".join(path), _text(value), _text(used), kind)


def _used(path: tuple[str, ...], after: Mapping[tuple[str, ...], Any]) -> Any:
    return after.get(_where(path, after), ABSENT)


def _where(path: tuple[str, ...], after: Mapping[tuple[str, ...], Any]) -> tuple[str, ...]:
    """ML-Agents writes a plain value of an environment parameter out as a sampler that always gives it."""
    sampled = (*path, "sampler_parameters", "value")
    return sampled if path not in after and sampled in after else path


def _leaves(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(tree, dict) and tree:
        for name, value in tree.items():
            yield from _leaves(value, (*path, str(name)))
    elif isinstance(tree, list) and tree:
        for number, value in enumerate(tree):
            yield from _leaves(value, (*path, str(number)))
    elif path:
        yield path, tree


def _equal(given: Any, used: Any) -> bool:
    """YAML reads 1e6 as a text and 1.0e6 as a number; ML-Agents takes both for the number."""
    if given == used:
        return True
    numbers = [_number(given), _number(used)]
    return None not in numbers and numbers[0] == numbers[1]


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value) if value not in ({}, []) else "{}" if value == {} else "[]"
