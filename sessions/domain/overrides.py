"""Single values put into a configuration, by a dotted path."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from sessions.domain.configuration.schema import Kind
from sessions.domain.configuration.table import (
    ALL_HYPERPARAMETERS,
    BEHAVIOR,
    RUN_SECTIONS,
    SECTIONS,
    TRAINING_SECTIONS,
)
from sessions.domain.yaml_tree import ConfigError

MAX_TEXT_CHARACTERS = 1000
_COUNTS = frozenset(
    key.name for section in SECTIONS.values() for key in section.keys if key.kind in (Kind.WHOLE, Kind.STEPS)
)
_NUMBER = re.compile(r"[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,3})?")
_WORDS = {"true": True, "false": False}


class OverrideError(ConfigError):
    """An override that leads nowhere, or whose value is none."""


def apply(tree: dict[str, Any], path: str, value: Any) -> None:
    """Put a value into a tree, in place. Names of behaviors and parameters may hold dots: the longest known one counts.

    `behaviors.Ball.learning_rate` means the learning_rate of its hyperparameters, and so for all of them. Text that is
    a number or a truth value becomes one. Raises OverrideError with a sentence.
    """
    section, _, rest = path.partition(".")
    if section in RUN_SECTIONS:
        hint = "Options of the run are fields of their own."
        raise OverrideError(f"{section} cannot be overridden.", hint=hint, path=path)
    if section == "debug" and not rest:
        tree["debug"] = _scalar(path, "debug", value)
        return
    if section not in TRAINING_SECTIONS or not rest:
        raise OverrideError(
            f"{path or 'An empty path'} leads nowhere.", hint="Such as behaviors.Ball.max_steps.", path=path
        )
    if section == "environment_parameters":
        _set_parameter(tree, path, rest, value)
    else:
        _set_setting(tree, path, section, rest, value)


def _set_setting(tree: dict[str, Any], path: str, section: str, rest: str, value: Any) -> None:
    holder, keys = _behavior(tree, path, rest) if section == "behaviors" else (_defaults(tree, path), rest.split("."))
    if len(keys) == 1 and keys[0] in ALL_HYPERPARAMETERS and BEHAVIOR.get(keys[0]) is None:
        keys = ["hyperparameters", *keys]
    if keys[0] == "hyperparameters" and "trainer_type" not in holder and not _inherits(tree, section):
        # ML-Agents wants the type named as soon as there are hyperparameters; ppo is what it was without.
        holder["trainer_type"] = "ppo"
    _put(holder, path, keys, value)


def _inherits(tree: dict[str, Any], section: str) -> bool:
    return section == "behaviors" and tree.get("default_settings") is not None


def _behavior(tree: dict[str, Any], path: str, rest: str) -> tuple[dict[str, Any], list[str]]:
    behaviors = tree.get("behaviors", {})
    name = _longest(behaviors, rest)
    if rest == f"{name}." or (name is None and rest in behaviors):
        raise OverrideError(f"{path} names a behavior and no setting of it.", hint="Go on with .max_steps.", path=path)
    if name is None:
        known = f"It has {', '.join(map(str, behaviors))}." if behaviors else "It has only default_settings."
        wanted = rest.partition(".")[0]
        raise OverrideError(f"The configuration has no behavior {wanted}.", hint=known, path=path)
    return behaviors[name], rest[len(name) + 1 :].split(".")


def _defaults(tree: dict[str, Any], path: str) -> dict[str, Any]:
    defaults = tree.get("default_settings")
    if not isinstance(defaults, dict):
        # Adding them would make ML-Agents accept every behavior.
        raise OverrideError("The configuration has no default_settings.", path=path)
    return defaults


def _longest(names: Iterable[Any], rest: str) -> str | None:
    return max((name for name in names if isinstance(name, str) and rest.startswith(f"{name}.")), key=len, default=None)


def _set_parameter(tree: dict[str, Any], path: str, rest: str, value: Any) -> None:
    parameters = tree.get("environment_parameters")
    if parameters is None:
        parameters = tree["environment_parameters"] = {}
    name = rest if rest in parameters else _longest(parameters, rest)
    if name is None:
        name = rest
    keys = [name, *rest[len(name) + 1 :].split(".")] if len(rest) > len(name) else [name]
    _put(parameters, path, keys, value)


def _put(holder: dict[str, Any], path: str, keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        inner = holder.get(key)
        if (inner is None and key in holder) or key not in holder:
            inner = holder[key] = {}
        if not isinstance(inner, dict):
            raise OverrideError(f"{key} in {path} is a single value; nothing can be set inside it.", path=path)
        holder = inner
    key = keys[-1]
    if not key or isinstance(holder.get(key), (dict, list)):
        raise OverrideError(f"{path} is not a single value.", hint="Go on with a dot and a name.", path=path)
    holder[key] = _scalar(path, key, value)


def _scalar(path: str, key: str, value: Any) -> Any:
    if isinstance(value, str):
        value = _from_text(path, value.strip())
    if isinstance(value, float):
        if not math.isfinite(value):
            raise OverrideError(f"The value of {path} must be a finite number.", path=path)
        return int(value) if key in _COUNTS and value.is_integer() else value
    if value is None or isinstance(value, (bool, int, str)):
        return value
    raise OverrideError(f"The value of {path} must be a number, a text, true or false.", path=path)


def _from_text(path: str, text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _NUMBER.fullmatch(text):
        return float(text) if re.search(r"[.eE]", text) else int(text)
    if not text or len(text) > MAX_TEXT_CHARACTERS or not text.isprintable():
        raise OverrideError(f"The value of {path} must be a number or a short text.", path=path)
    return text
