"""The rules a configuration must keep: those of mlagents-learn 1.1.0, and what MENTOR keeps for itself.

What ML-Agents takes without a word but surely not as meant is left to the validator; here stands what could not train.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sessions.domain.yaml_tree import ConfigError, Place, TreePath

TRAINING_SECTIONS = ("behaviors", "default_settings", "environment_parameters", "debug")
RUN_SECTIONS = ("env_settings", "engine_settings", "torch_settings", "checkpoint_settings")
SECTIONS = TRAINING_SECTIONS + RUN_SECTIONS
BEHAVIOR_KEYS = (
    "trainer_type", "hyperparameters", "network_settings", "reward_signals", "max_steps", "time_horizon",
    "summary_freq", "checkpoint_interval", "keep_checkpoints", "even_checkpoints", "threaded", "init_path",
    "self_play", "behavioral_cloning", "framework",
)  # fmt: skip
# Everything that ppo, sac and poca know; a trainer of a plugin may know more.
HYPERPARAMETERS = (
    "batch_size", "buffer_size", "learning_rate", "learning_rate_schedule", "beta", "beta_schedule", "epsilon",
    "epsilon_schedule", "lambd", "num_epoch", "shared_critic", "buffer_init_steps", "tau", "steps_per_update",
    "save_replay_buffer", "init_entcoef", "reward_signal_steps_per_update",
)  # fmt: skip
# Keys whose values become whole numbers, with the smallest that can train.
COUNTS = {
    "max_steps": 1, "time_horizon": 1, "summary_freq": 1, "checkpoint_interval": 1, "keep_checkpoints": 0,
    "batch_size": 1, "buffer_size": 1, "num_epoch": 1, "buffer_init_steps": 0,
}  # fmt: skip
# More than any training takes, and less than a database column holds.
MAX_COUNT = 10**15
_MAPPINGS = ("hyperparameters", "network_settings", "reward_signals")
_MAPPINGS_OR_NULL = ("self_play", "behavioral_cloning")
# Of checkpoint_settings: the form and the command line decide these, so only what changes nothing may stand there.
_CHECKPOINT_DEFAULTS: dict[str, Any] = {
    "run_id": "ppo", "initialize_from": None, "load_model": False, "resume": False, "force": False,
    "train_model": False, "inference": False, "results_dir": "results",
}  # fmt: skip
_RUN_OPTIONS: dict[str, dict[str, type]] = {
    "env_settings": {
        "base_port": int, "num_envs": int, "num_areas": int, "timeout_wait": int, "seed": int,
        "max_lifetime_restarts": int, "restarts_rate_limit_n": int, "restarts_rate_limit_period_s": int,
    },
    "engine_settings": {
        "width": int, "height": int, "quality_level": int, "time_scale": float, "target_frame_rate": int,
        "capture_frame_rate": int, "no_graphics": bool, "no_graphics_monitor": bool,
    },
    "torch_settings": {"device": str},
}  # fmt: skip
_UNSAFE_IN_NAMES = re.compile(r"[/\\\x00-\x1f\x7f]")
_FORM = "Run id, environment, resume and force are fields of the form and options of the command."
_E_NOTATION = "YAML reads 1e4 as text: write 10000 or 1.0e+4."


@dataclass(frozen=True)
class Check:
    """One pass over a tree; every failure is raised with the place of the key it is about."""

    places: Mapping[TreePath, Place] = field(default_factory=dict)

    def fail(self, message: str, *path: str, hint: str = "") -> ConfigError:
        """Return the error for a key; its place is that of the nearest key that has one."""
        known = (self.places.get(path[:end]) for end in range(len(path), 0, -1))
        place = next((place for place in known if place is not None), None)
        return ConfigError(message, hint=hint, place=place, path=".".join(path))

    def training(self, tree: Any) -> None:
        """Refuse a tree that is no configuration; sections about the run itself are not looked into."""
        if not isinstance(tree, Mapping):
            empty = tree is None
            message = "The configuration is empty." if empty else "The configuration must begin with behaviors:."
            raise self.fail(message, hint="Begin with behaviors: and, indented under it, the name of a behavior.")
        self._sections(tree)
        defaults = tree.get("default_settings")
        if defaults is not None:
            self._settings(defaults, ("default_settings",), has_defaults=False)
        self._behaviors(tree, has_defaults=defaults is not None)
        self._parameters(tree.get("environment_parameters"))
        if not isinstance(tree.get("debug", False), bool):
            raise self.fail("debug must be true or false.", "debug")

    def _sections(self, tree: Mapping[Any, Any]) -> None:
        for name in tree:
            if name not in SECTIONS:
                flat = isinstance(tree[name], Mapping) and ("trainer" in tree[name] or "batch_size" in tree[name])
                old = "Until ML-Agents 0.16 behaviors stood here; now they stand under behaviors:."
                raise self.fail(
                    f"{name} is no section of a configuration.",
                    str(name),
                    hint=old if flat or name == "default" else suggestion(str(name), SECTIONS),
                )

    def _behaviors(self, tree: Mapping[Any, Any], *, has_defaults: bool) -> None:
        behaviors = tree.get("behaviors", {})
        if not isinstance(behaviors, Mapping):
            raise self.fail("behaviors must hold the name of each behavior, indented under it.", "behaviors")
        if not behaviors and not has_defaults:
            raise self.fail(
                "The configuration has no behaviors.",
                "behaviors",
                hint="Under behaviors: write each Behavior Name of your Unity scene, with its settings.",
            )
        for name, given in behaviors.items():
            self._behavior_name(name)
            self._settings(given, ("behaviors", str(name)), has_defaults=has_defaults)

    def _behavior_name(self, name: Any) -> None:
        path = ("behaviors", str(name))
        if not isinstance(name, str):
            raise self.fail(f"YAML reads the behavior name {name} not as text.", *path, hint="Put it in quotes.")
        if _UNSAFE_IN_NAMES.search(name) or name.strip(" .") == "":
            raise self.fail(
                f"The behavior name {name!r} cannot be the name of a folder.",
                *path,
                hint="ML-Agents saves a behavior in a folder of its name: use none of / \\ and no control characters.",
            )

    def _settings(self, given: Any, path: TreePath, *, has_defaults: bool) -> None:
        if not isinstance(given, Mapping):
            raise self.fail(f"{path[-1]} must have its settings indented under it.", *path, hint="At least {}.")
        for key in given:
            if key not in BEHAVIOR_KEYS:
                hint = suggestion(str(key), BEHAVIOR_KEYS)
                if key in HYPERPARAMETERS:
                    hint = f"{key} belongs under hyperparameters."
                raise self.fail(f"{key} is no setting of a behavior.", *path, str(key), hint=hint)
        self._shapes(given, path)
        self._trainer_type(given, path, has_defaults=has_defaults)
        self._numbers(given, path)
        self._numbers(given.get("hyperparameters", {}), (*path, "hyperparameters"))

    def _shapes(self, given: Mapping[Any, Any], path: TreePath) -> None:
        for key in (*_MAPPINGS, *_MAPPINGS_OR_NULL):
            value = given.get(key, {})
            if not isinstance(value, Mapping) and not (value is None and key in _MAPPINGS_OR_NULL):
                raise self.fail(f"{key} must have its settings indented under it.", *path, key)

    def _trainer_type(self, given: Mapping[Any, Any], path: TreePath, *, has_defaults: bool) -> None:
        trainer_type = given.get("trainer_type", "ppo")
        if not isinstance(trainer_type, str) or not trainer_type:
            raise self.fail("trainer_type must be a name, such as ppo.", *path, "trainer_type")
        if "hyperparameters" in given and "trainer_type" not in given and not has_defaults:
            raise self.fail(
                f"{path[-1]} has hyperparameters but no trainer_type.",
                *path,
                "hyperparameters",
                hint="Add trainer_type: ppo, sac or poca.",
            )

    def _numbers(self, given: Mapping[Any, Any], path: TreePath) -> None:
        for key, least in COUNTS.items():
            if key in given:
                self._count(given[key], (*path, key), least)
        if "learning_rate" in given:
            rate = as_float(given["learning_rate"])
            if rate is None or not math.isfinite(rate) or rate <= 0:
                key = "learning_rate"
                raise self.fail(f"{key} must be a positive number.", *path, key, hint="Such as 3.0e-4.")

    def _count(self, value: Any, path: TreePath, least: int) -> None:
        # max_steps goes through float() in ML-Agents; for every other key text like 1e4 is an error there.
        count = as_float(value) if path[-1] == "max_steps" else as_int(value)
        if count is None or not math.isfinite(count) or not least <= int(count) <= MAX_COUNT:
            hint = _E_NOTATION if isinstance(value, str) and as_float(value) is not None else ""
            kind = "a positive whole number" if least else "a whole number, 0 or more"
            raise self.fail(f"{path[-1]} must be {kind}.", *path, hint=hint)

    def _parameters(self, parameters: Any) -> None:
        if parameters is None:
            return
        if not isinstance(parameters, Mapping):
            raise self.fail("environment_parameters must hold names with values.", "environment_parameters")
        for name, value in parameters.items():
            if not isinstance(value, (int, float, Mapping)) or isinstance(value, bool):
                raise self.fail(
                    f"The environment parameter {name} must be a number, a sampler or a curriculum.",
                    "environment_parameters",
                    str(name),
                )

    def run(self, tree: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of the run that stand in a tree; refuse those that MENTOR decides.

        A configuration could otherwise name the program that is started and the folder that is written.
        """
        self._checkpoint_settings(tree.get("checkpoint_settings"))
        found: dict[str, Any] = {}
        for section, options in _RUN_OPTIONS.items():
            given = self._section(tree.get(section), section)
            self._no_environment(given, section)
            for key, value in given.items():
                if key in options and value is not None:
                    found[key] = self._option(value, options[key], (section, key))
                elif key not in (*options, "env_path", "env_args") and section != "torch_settings":
                    hint = suggestion(str(key), options)
                    raise self.fail(f"{key} is no setting of {section}.", section, str(key), hint=hint)
        return found

    def _section(self, given: Any, section: str) -> Mapping[Any, Any]:
        if given is not None and not isinstance(given, Mapping):
            raise self.fail(f"{section} must have its settings indented under it.", section)
        return given or {}

    def _no_environment(self, given: Mapping[Any, Any], section: str) -> None:
        for key in ("env_path", "env_args"):
            if section == "env_settings" and given.get(key) is not None:
                raise self.fail(
                    f"{key} may not stand in a configuration.",
                    section,
                    key,
                    hint="The environment and its arguments are fields of the form and options of the command.",
                )

    def _checkpoint_settings(self, given: Any) -> None:
        section = "checkpoint_settings"
        for key, value in self._section(given, section).items():
            if key not in _CHECKPOINT_DEFAULTS:
                hint = suggestion(str(key), _CHECKPOINT_DEFAULTS)
                raise self.fail(f"{key} is no setting of {section}.", section, str(key), hint=hint)
            if value is not None and value is not False and value != _CHECKPOINT_DEFAULTS[key]:
                raise self.fail(f"{key} may not stand in a configuration.", section, key, hint=_FORM)

    def _option(self, value: Any, kind: type, path: TreePath) -> Any:
        converted = _CONVERT[kind](value)
        if converted is None:
            words = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
            raise self.fail(f"{path[-1]} must be {words[kind]}.", *path)
        return converted


def as_int(value: Any) -> int | None:
    """Return what int() makes of a value of YAML, or None. Truth values are none."""
    count = _converted(int, value)
    return count if isinstance(count, int) else None


def as_float(value: Any) -> float | None:
    """Return what float() makes of a value of YAML, or None. Truth values are none."""
    number = _converted(float, value)
    return number if isinstance(number, float) else None


def _converted(kind: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return kind(value)
    except (ValueError, OverflowError):
        return None


_CONVERT: dict[type, Callable[[Any], Any]] = {
    int: as_int,
    float: as_float,
    bool: lambda value: value if isinstance(value, bool) else None,
    str: lambda value: value if isinstance(value, str) else None,
}


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return `Did you mean …?` for a slip of the finger, else the words there are."""
    choices = list(known)
    close = difflib.get_close_matches(word, choices, n=1)
    return f"Did you mean {close[0]}?" if close else f"There are {', '.join(choices)}."
