"""A configuration: what the user gave, what it means, and what the trainer gets."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sessions.domain.configuration import versions
from sessions.domain.configuration.checking import Notes
from sessions.domain.configuration.findings import Finding
from sessions.domain.configuration.owned import FIELDS, owned
from sessions.domain.configuration.relations import effective, number_of
from sessions.domain.configuration.table import RUN_SECTIONS, SECTIONS
from sessions.domain.configuration.validation import Validation, validate
from sessions.domain.configuration.values import read
from sessions.domain.overrides import OverrideError, apply
from sessions.domain.yaml_tree import MAX_BYTES, ConfigError, Document, dump, parse

__all__ = ["MAX_BYTES", "BehaviorPlan", "Config", "ConfigError", "OverrideError", "read_config", "unknown_to",
           "with_overrides", "with_run_options"]  # fmt: skip


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
    # Everything that the trainer gets; the sections about the run itself are in `defaults` and `fields`.
    tree: dict[str, Any]
    # Options of the run that stood in env_settings, engine_settings and torch_settings, by their names there.
    defaults: dict[str, Any] = field(default_factory=dict)
    # Values for fields of a start that stood in it: env_path, env_args, initialize_from, resume, run_id, …
    fields: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[Finding, ...] = ()
    changed: bool = False

    @cached_property
    def behaviors(self) -> dict[str, BehaviorPlan]:
        """The behaviors that are named; default_settings may serve further ones."""
        return {str(name): _plan(str(name), self.settings_of(name)) for name in self.tree.get("behaviors", {})}

    def plan_of(self, name: str) -> BehaviorPlan | None:
        """Return what is intended for a behavior, by its name or by default_settings; None when it is in neither."""
        served = bool(self.tree.get("default_settings"))
        return self.behaviors.get(name) or (_plan(name, self.settings_of(name)) if served else None)

    def settings_of(self, name: str) -> dict[str, Any]:
        """Return a behavior's settings with default_settings under them, as ML-Agents merges them."""
        given = (self.tree.get("behaviors") or {}).get(name) or {}
        return effective(self.tree.get("default_settings") or None, given)

    @cached_property
    def used(self) -> bytes:
        """The file for the trainer: the given bytes, unless something was changed or left out."""
        return dump(self.tree) if self.changed else self.given


def read_config(data: bytes, *, plugins: Collection[str] | None = None) -> Config:
    """Return the configuration in a YAML file.

    `plugins` are trainers that are there beside ppo, sac and poca; None stands for any. Raises ConfigError, with line
    and column, for what is no configuration and for what mlagents-learn would refuse; its `findings` are all there are.
    """
    found = validate(data, plugins=plugins, has_environment=True)
    _raise_first(found)
    tree = found.tree
    kept = {section: value for section, value in tree.items() if section not in RUN_SECTIONS}
    return Config(data, kept, _options(tree), _fields(tree), tuple(found.warnings), changed=len(kept) < len(tree))


def with_overrides(config: Config, overrides: Mapping[str, Any]) -> Config:
    """Return the configuration with some values replaced, such as {"behaviors.Ball.max_steps": 40000}.

    Raises OverrideError when a path leads nowhere or a value is none, ConfigError when the result could not train.
    """
    tree = copy.deepcopy(config.tree)
    for path, value in overrides.items():
        apply(tree, path, value)
    # Compared as YAML: 1, 1.0 and true are equal in Python, and not the same to a trainer.
    text = dump(tree)
    if text == dump(config.tree):
        return config
    found = validate(text, plugins=None, has_environment=True)
    _raise_first(found, with_places=False)
    # Where they stand in the written tree is no place in the user's file.
    found_anew = (replace(one, line=None, column=None) for one in found.warnings)
    own = [one for one in config.warnings if one.path.partition(".")[0] in RUN_SECTIONS]
    return Config(config.given, tree, config.defaults, config.fields, (*own, *found_anew), changed=True)


def with_run_options(data: bytes, options: Mapping[str, Any]) -> bytes:
    """Return a configuration with options of the run in the sections where they stand; the same bytes without any.

    So is what is no configuration.
    """
    try:
        tree = parse(data).tree if options else None
    except ConfigError:
        tree = None
    if not isinstance(tree, dict):
        return data
    for name in RUN_SECTIONS:
        own = {key.name: options[key.name] for key in SECTIONS[name].keys if key.name in options}
        if own:
            tree[name] = {**(tree.get(name) or {}), **own}
    return dump(tree)


def unknown_to(config: Config, version: str) -> list[Finding]:
    """Return warnings of what the trainer gets and its version of ML-Agents does not know yet."""
    # Of a tree that was changed, no place is one in the user's file.
    document = Document(config.tree, {}, {}) if config.changed else parse(config.given)
    notes = Notes(document)
    versions.tell(notes, document.tree, version)
    return notes.found


def _raise_first(found: Validation, *, with_places: bool = True) -> None:
    if found.valid:
        return
    first = found.errors[0]
    error = ConfigError(first.message, hint=first.hint, path=first.path)
    if with_places:
        error.line, error.column = first.line, first.column
    error.findings = found.findings
    raise error


def _options(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the run that a session has beside its fields, as the trainer would read them."""
    found = {}
    for name in ("env_settings", "engine_settings", "torch_settings"):
        for key_name, value in (tree.get(name) or {}).items():
            key = SECTIONS[name].get(key_name)
            reading = read(key, value) if key is not None and (name, key_name) not in _NEVER_OPTIONS else None
            if reading is not None and reading.value is not None:
                found[key_name] = reading.value
    return found


def _fields(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for (_, name), value in owned(tree).items()}


_NEVER_OPTIONS = (*FIELDS, ("env_settings", "base_port"))


def _plan(name: str, settings: Mapping[str, Any]) -> BehaviorPlan:
    max_steps = number_of(settings, "max_steps") or 500_000
    interval = number_of(settings, "checkpoint_interval") or 500_000
    kept, rate = number_of(settings, "keep_checkpoints"), number_of(settings, "learning_rate")
    if settings.get("even_checkpoints") and kept:
        interval = max(1, max_steps // kept)
    return BehaviorPlan(
        name=name,
        trainer_type=settings.get("trainer_type", "ppo"),
        max_steps=max_steps,
        summary_freq=number_of(settings, "summary_freq") or 50_000,
        checkpoint_interval=interval,
        learning_rate=3e-4 if rate is None else rate,
    )
