"""A configuration: what the user gave, what it means, and what the trainer gets."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sessions.domain.config_schema import RUN_SECTIONS, Check, as_float, as_int
from sessions.domain.overrides import OverrideError, apply
from sessions.domain.yaml_tree import MAX_BYTES, ConfigError, dump, parse

__all__ = ["MAX_BYTES", "BehaviorPlan", "Config", "ConfigError", "OverrideError", "read_config", "with_overrides"]


@dataclass(frozen=True)
class BehaviorPlan:
    """What a configuration intends for one behavior, with default_settings and ML-Agents' own defaults filled in."""

    name: str
    trainer_type: str
    max_steps: int
    summary_freq: int
    checkpoint_interval: int
    learning_rate: float


@dataclass(frozen=True)
class Config:
    """A configuration that mlagents-learn takes, as far as can be known without it."""

    given: bytes
    # Everything that the trainer gets; the sections about the run itself are in `defaults`.
    tree: dict[str, Any]
    # Options of the run that stood in env_settings, engine_settings and torch_settings, by their names there.
    defaults: dict[str, Any] = field(default_factory=dict)
    changed: bool = False

    @cached_property
    def behaviors(self) -> dict[str, BehaviorPlan]:
        """The behaviors that are named; default_settings may serve further ones."""
        defaults = self.tree.get("default_settings") or {}
        given = self.tree.get("behaviors", {})
        return {name: _plan(name, settings, defaults) for name, settings in given.items()}

    def plan_of(self, name: str) -> BehaviorPlan | None:
        """Return what is intended for a behavior, by its name or by default_settings; None when it is in neither."""
        defaults = self.tree.get("default_settings")
        return self.behaviors.get(name) or (_plan(name, {}, defaults) if defaults else None)

    @cached_property
    def used(self) -> bytes:
        """The file for the trainer: the given bytes, unless something was changed or left out."""
        return dump(self.tree) if self.changed else self.given


def read_config(data: bytes) -> Config:
    """Return the configuration in a YAML file.

    Raises ConfigError, with line and column, for what is no configuration, for what mlagents-learn would refuse, and
    for what a configuration may not decide: the program that is started and the folder that is written.
    """
    document = parse(data)
    check = Check(document.places)
    check.training(document.tree)
    defaults = check.run(document.tree)
    kept = {section: value for section, value in document.tree.items() if section not in RUN_SECTIONS}
    return Config(data, kept, defaults, changed=len(kept) < len(document.tree))


def with_overrides(config: Config, overrides: Mapping[str, Any]) -> Config:
    """Return the configuration with some values replaced, such as {"behaviors.Ball.max_steps": 40000}.

    Raises OverrideError when a path leads nowhere or a value is none, ConfigError when the result could not train.
    """
    tree = copy.deepcopy(config.tree)
    for path, value in overrides.items():
        apply(tree, path, value)
    # Compared as YAML: 1, 1.0 and true are equal in Python, and not the same to a trainer.
    if dump(tree) == dump(config.tree):
        return config
    Check().training(tree)
    return Config(config.given, tree, config.defaults, changed=True)


def _plan(name: str, settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> BehaviorPlan:
    merged = {**defaults, **settings}
    hyperparameters = {**(defaults.get("hyperparameters") or {}), **(settings.get("hyperparameters") or {})}
    max_steps = int(as_float(merged.get("max_steps")) or 500_000)
    interval = as_int(merged.get("checkpoint_interval")) or 500_000
    kept = as_int(merged.get("keep_checkpoints", 5))
    if merged.get("even_checkpoints") and kept:
        interval = max(1, max_steps // kept)
    return BehaviorPlan(
        name=name,
        trainer_type=merged.get("trainer_type", "ppo"),
        max_steps=max_steps,
        summary_freq=as_int(merged.get("summary_freq")) or 50_000,
        checkpoint_interval=interval,
        learning_rate=as_float(hyperparameters.get("learning_rate")) or 3e-4,
    )
