"""What an older version of ML-Agents does not know yet of a configuration that 1.1.0 takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sessions.domain.configuration import table
from sessions.domain.configuration.checking import Notes
from sessions.domain.configuration.relations import hyperparameters_of
from sessions.domain.configuration.schema import Key, Kind, Section
from sessions.domain.yaml_tree import TreePath

# Words and names that came later than the setting they are a value of.
_SINCE = {("trainer_type", "poca"): "0.25", ("reward_signals", "rnd"): "0.21",
          ("vis_encode_type", "fully_connected"): "0.27"}  # fmt: skip
_FIRST = "0.17"
_NUMBERS = re.compile(r"(\d+)\.(\d+)")


def minor(version: str) -> tuple[int, int] | None:
    """Return the two leading numbers of a version; None for what has none."""
    found = _NUMBERS.match(version)
    return (int(found[1]), int(found[2])) if found else None


def tell(notes: Notes, tree: Any, version: str) -> None:
    """Warn of every setting of a document that an older trainer of this version does not know."""
    number, newest = minor(version), minor(table.VERSION)
    if number is None or newest is None or number >= newest or not isinstance(tree, Mapping):
        return
    first = minor(_FIRST)
    if first is not None and number < first:
        message = f"ML-Agents {version} reads another format: behaviors: is known since {_FIRST}."
        notes.warn(message, str(next(iter(tree), "behaviors")), hint="Take a newer trainer, or write it as of old.")
        return
    for path, name, since, strict in _later(table.ROOT, tree, ()):
        if number < (minor(since) or number):
            does = "refuses it" if strict else "passes over it without a word"
            message = f"{name} is known since ML-Agents {since}; {version} {does}."
            notes.warn(message, *path, hint="Take a newer trainer, or leave it out.")


_Later = tuple[TreePath, str, str, bool]


def _later(section: Section, given: Any, path: TreePath) -> Iterator[_Later]:
    for name, value in given.items() if isinstance(given, Mapping) else ():
        key = section.get(name)
        if key is None:
            continue
        inner = (*path, str(name))
        yield inner, key.name, key.since, section.strict
        if isinstance(value, str) and (key.name, value) in _SINCE:
            yield inner, value, _SINCE[key.name, value], True
        if value is not None:
            yield from _inside(key, value, inner, given)


def _inside(key: Key, value: Any, path: TreePath, beside: Mapping[Any, Any]) -> Iterator[_Later]:
    if key.section:
        yield from _later(table.SECTIONS[key.section], value, path)
    elif key.kind is Kind.HYPERPARAMETERS:
        yield from _later(hyperparameters_of(beside) or table.PPO, value, path)
    elif isinstance(value, list) and key.kind is Kind.CURRICULUM:
        for number, lesson in enumerate(value):
            yield from _later(table.LESSON, lesson, (*path, str(number)))
    elif isinstance(value, Mapping):
        yield from _named(key, value, path)


def _named(key: Key, value: Mapping[Any, Any], path: TreePath) -> Iterator[_Later]:
    for name, settings in value.items():
        inner = (*path, str(name))
        if key.kind is Kind.BEHAVIORS:
            yield from _later(table.BEHAVIOR, settings, inner)
        elif key.kind is Kind.SIGNALS and name in table.SIGNALS:
            if (key.name, name) in _SINCE:
                yield inner, str(name), _SINCE[key.name, name], True
            yield from _later(table.SIGNALS[name], settings, inner)
        elif key.kind is Kind.PARAMETERS and isinstance(settings, Mapping) and "curriculum" in settings:
            yield from _later(table.CURRICULUM, settings, inner)
