"""A trainer configuration: read with care, changed by overrides, written for the trainer."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_BYTES = 256 * 1024
MAX_DEPTH = 50
MAX_NODES = 20_000
BEHAVIORS, DEFAULTS, PARAMETERS = "behaviors", "default_settings", "environment_parameters"
KEPT = (DEFAULTS, BEHAVIORS, PARAMETERS, "debug")
DROPPED = ("env_settings", "engine_settings", "torch_settings", "checkpoint_settings")
# Run options that a configuration may carry, by section.
OPTIONS = {
    "env_settings": ("num_envs", "seed", "timeout_wait"),
    "engine_settings": ("width", "height", "time_scale", "no_graphics"),
    "torch_settings": ("device",),
}
OPTION_DEFAULTS: dict[str, Any] = {
    "num_envs": 1, "seed": -1, "timeout_wait": 60, "width": 84, "height": 84, "time_scale": 20, "no_graphics": False,
}  # fmt: skip
MAX_STEPS, SUMMARY_FREQ, CHECKPOINT_INTERVAL = 500_000, 50_000, 500_000
POSITIVE = ("max_steps", "summary_freq", "checkpoint_interval")


class ConfigError(ValueError):
    """A configuration that cannot be used; line and column count from 1, `path` names the place in it."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        line: int | None = None,
        column: int | None = None,
        path: str = "",
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.line = line
        self.column = column
        self.path = path


class OverrideError(ValueError):
    """An override that names nothing in the configuration."""


@dataclass(frozen=True)
class BehaviorPlan:
    """What the configuration plans for one behavior, ML-Agents' defaults filled in."""

    name: str
    trainer_type: str
    max_steps: int
    summary_freq: int
    checkpoint_interval: int
    learning_rate: float | None


@dataclass(frozen=True)
class Config:
    """A configuration that was read; `tree` is what it says, `given` its bytes."""

    given: bytes
    tree: dict[str, Any]
    changed: bool = False
    defaults: dict[str, Any] = field(default_factory=dict)

    @property
    def behaviors(self) -> dict[str, BehaviorPlan]:
        """The planned behaviors by name."""
        default = self.tree.get(DEFAULTS) or {}
        return {
            name: _plan(name, _merged(default, tree or {})) for name, tree in (self.tree.get(BEHAVIORS) or {}).items()
        }

    @property
    def used(self) -> bytes:
        """The bytes for the trainer: those given when nothing was changed or left out, else a YAML of the rest."""
        if not self.changed and not any(section in self.tree for section in DROPPED):
            return self.given
        kept = {name: value for name, value in self.tree.items() if name not in DROPPED}
        return yaml.dump(kept, Dumper=_Dumper, sort_keys=False, allow_unicode=True).encode()


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses what costs too much: aliases, depth, great numbers of nodes, keys given twice."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._nodes = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _at("Anchors and aliases are not supported.", event.start_mark)
        self._nodes += 1
        self._depth += 1
        if self._depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise _at("The configuration is nested too deep or too large.", event.start_mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _at("A key must be a plain word.", key_node.start_mark)
            if key_node.value in seen:
                raise _at(f"The key {key_node.value} is given twice.", key_node.start_mark)
            seen.add(key_node.value)
        return super().construct_mapping(node, deep=deep)


class _Dumper(yaml.SafeDumper):
    """Writes floats so that YAML 1.1 reads them as floats again."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_float(dumper: yaml.SafeDumper, number: float) -> yaml.ScalarNode:
    text = {math.inf: ".inf", -math.inf: "-.inf"}.get(number) or (".nan" if math.isnan(number) else repr(number))
    if "e" in text and "." not in text.split("e")[0]:
        text = text.replace("e", ".0e", 1)
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


_Dumper.add_representer(float, _represent_float)


def _at(message: str, mark: Any, hint: str = "") -> ConfigError:
    return ConfigError(message, hint=hint, line=mark.line + 1, column=mark.column + 1)


def read_config(data: bytes) -> Config:
    """Return the configuration these bytes say; raises ConfigError."""
    tree = _load(_text(data))
    _check_sections(tree)
    _check_behaviors(tree)
    config = Config(given=data, tree=tree, defaults=_options_in(tree))
    for plan in config.behaviors.values():
        _check_name(plan.name)
    return config


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise ConfigError("The configuration is larger than 256 KB.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError("The configuration is not UTF-8 text.", hint="Save it as UTF-8.", line=line) from None


def _load(text: str) -> dict[str, Any]:
    try:
        tree = _Loader(text).get_single_data()
    except yaml.MarkedYAMLError as error:
        raise _syntax(error) from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise ConfigError("The configuration holds a character that YAML does not allow.", line=line) from None
    except (RecursionError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError("The configuration cannot be read as YAML.") from None
    if not isinstance(tree, dict):
        raise ConfigError(
            "The configuration is empty." if tree is None else "The configuration must be a mapping.",
            hint="It begins with behaviors: and a behavior's name below it.",
        )
    return tree


def _syntax(error: yaml.MarkedYAMLError) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    problem = error.problem or "it cannot be read"
    hint = "Indent with blanks, not with tabs." if "\\t" in problem else "Look at the indentation and the colons there."
    message = f"This is not YAML: {problem}."
    return _at(message, mark, hint) if mark else ConfigError(message, hint=hint)


def _check_sections(tree: Mapping[str, Any]) -> None:
    for name, value in tree.items():
        if name not in (*KEPT, *DROPPED):
            raise ConfigError(f"{name} is no section of a configuration.", hint=_meant(str(name)), path=str(name))
        if name != "debug" and value is not None and not isinstance(value, dict):
            raise ConfigError(f"{name} must be a mapping.", path=str(name))
    for name in ("env_path", "env_args"):
        if (tree.get("env_settings") or {}).get(name) is not None:
            raise ConfigError(
                f"env_settings.{name} cannot be set in a configuration.",
                hint="Choose the environment and its arguments in the start itself.",
                path=f"env_settings.{name}",
            )
    _check_checkpoint_settings(tree.get("checkpoint_settings") or {})


def _check_checkpoint_settings(settings: Mapping[str, Any]) -> None:
    harmless: dict[str, Any] = {"run_id": "ppo", "results_dir": "results"}
    for name, value in settings.items():
        if value not in (None, False, harmless.get(name)):
            raise ConfigError(
                f"checkpoint_settings.{name} cannot be set in a configuration.",
                hint="Run id, resume, force and initialize-from are part of the start itself.",
                path=f"checkpoint_settings.{name}",
            )


def _meant(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, (*KEPT, *DROPPED), n=1)
    return f"Did you mean {close[0]}?" if close else f"Behaviors stand below {BEHAVIORS}:"


def _check_behaviors(tree: Mapping[str, Any]) -> None:
    behaviors, default = tree.get(BEHAVIORS), tree.get(DEFAULTS)
    if not behaviors and not default:
        raise ConfigError("The configuration has no behaviors.", hint="It begins with behaviors: and a name below it.")
    for name, behavior in (behaviors or {}).items():
        path = f"{BEHAVIORS}.{name}"
        if not isinstance(behavior, dict):
            raise ConfigError(f"{path} must be a mapping.", path=path)
        if behavior.get("hyperparameters") and "trainer_type" not in behavior and not default:
            raise ConfigError(
                f"{path} has hyperparameters but no trainer_type.", hint="Add trainer_type: ppo.", path=path
            )
        _check_numbers(path, behavior)
    _check_numbers(DEFAULTS, default or {})


def _check_numbers(path: str, behavior: Mapping[str, Any]) -> None:
    for name in POSITIVE:
        if (name in behavior and (number := _number(behavior[name])) is None) or (name in behavior and number <= 0):
            raise ConfigError(f"{path}.{name} must be a number above 0.", path=f"{path}.{name}")
    hyper = behavior.get("hyperparameters")
    if hyper is not None and not isinstance(hyper, dict):
        raise ConfigError(f"{path}.hyperparameters must be a mapping.", path=f"{path}.hyperparameters")
    if hyper and "learning_rate" in hyper and _number(hyper["learning_rate"]) is None:
        raise ConfigError(f"{path}.hyperparameters.learning_rate must be a number.", path=path)
    kind = behavior.get("trainer_type")
    if kind is not None and not isinstance(kind, str):
        raise ConfigError(f"{path}.trainer_type must be a word such as ppo.", path=path)


def _number(value: Any) -> float:
    """The number a value is for ML-Agents, which also takes text such as 5e5."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None  # type: ignore[return-value]
    try:
        number = float(value)
    except ValueError:
        return None  # type: ignore[return-value]
    return number if math.isfinite(number) else None  # type: ignore[return-value]


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not name.strip() or re.search(r"[/\\\x00-\x1f]", name):
        raise ConfigError(
            f"{name!r} cannot be a behavior's name.",
            hint="It names a folder: no slashes.",
            path=f"{BEHAVIORS}.{name}",
        )


def _options_in(tree: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for section, names in OPTIONS.items():
        for name in names:
            value = (tree.get(section) or {}).get(name)
            if value is not None and value != OPTION_DEFAULTS.get(name):
                found[name] = value
    return found


def _merged(default: Mapping[str, Any], behavior: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**default, **behavior}
    hypers = [part.get("hyperparameters") or {} for part in (default, behavior)]
    return {**merged, "hyperparameters": {**hypers[0], **hypers[1]}}


def _plan(name: str, behavior: Mapping[str, Any]) -> BehaviorPlan:
    rate = behavior["hyperparameters"].get("learning_rate")
    return BehaviorPlan(
        name=name,
        trainer_type=str(behavior.get("trainer_type", "ppo")),
        max_steps=int(_number(behavior.get("max_steps", MAX_STEPS))),
        summary_freq=int(_number(behavior.get("summary_freq", SUMMARY_FREQ))),
        checkpoint_interval=int(_number(behavior.get("checkpoint_interval", CHECKPOINT_INTERVAL))),
        learning_rate=_number(rate) if rate is not None else 3e-4,
    )


def with_overrides(config: Config, overrides: Mapping[str, Any]) -> Config:
    """Return the configuration with the values at these dotted paths.

    Raises OverrideError for a path that leads nowhere, ConfigError when the result cannot be used.
    """
    if not overrides:
        return config
    tree = copy.deepcopy(config.tree)
    for path, value in overrides.items():
        _override(tree, path, _scalar(path, value))
    _check_sections(tree)
    _check_behaviors(tree)
    return Config(given=config.given, tree=tree, changed=tree != config.tree, defaults=config.defaults)


def _scalar(path: str, value: Any) -> Any:
    if isinstance(value, str):
        if re.fullmatch(r"[-+]?\d+", value.strip()):
            return int(value)
        try:
            value = float(value)
        except ValueError:
            return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise OverrideError(f"{path} must be a finite number.")
        return int(value) if value.is_integer() and path.rsplit(".", 1)[-1] in POSITIVE else value
    if isinstance(value, (bool, int)):
        return value
    raise OverrideError(f"{path} takes a number, true or false, or a word.")


def _override(tree: dict[str, Any], path: str, value: Any) -> None:
    section, _, rest = path.partition(".")
    if section == BEHAVIORS:
        name = _behavior_of(tree, rest)
        target, rest = tree[BEHAVIORS][name], rest[len(name) + 1 :]
    elif section in (DEFAULTS, PARAMETERS) and isinstance(tree.get(section), dict):
        target = tree[section]
    else:
        raise OverrideError(f"{path} names nothing in this configuration; overrides begin with behaviors. and a name.")
    keys = ["hyperparameters", rest] if rest == "learning_rate" and section != PARAMETERS else rest.split(".")
    if not all(keys):
        raise OverrideError(f"{path} does not name a setting.")
    for key in keys[:-1]:
        target = target.setdefault(key, {})
        if not isinstance(target, dict):
            raise OverrideError(f"{path} leads through {key}, which is no section.")
    if isinstance(target.get(keys[-1]), (dict, list)):
        raise OverrideError(f"{path} is a section; name a setting in it.")
    target[keys[-1]] = value


def _behavior_of(tree: Mapping[str, Any], rest: str) -> str:
    names = sorted(tree.get(BEHAVIORS) or {}, key=len, reverse=True)
    for name in names:
        if rest.startswith(f"{name}."):
            return str(name)
    known = ", ".join(names) or "none"
    raise OverrideError(f"There is no behavior for behaviors.{rest}; the configuration has {known}.")
