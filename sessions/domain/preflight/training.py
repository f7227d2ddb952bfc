"""Checks of what is to be trained: behaviors, demonstrations, and the checkpoint that it goes on from."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sessions.domain.config import Config
from sessions.domain.configuration.table import NETWORK
from sessions.domain.preflight.checks import Check, Level, passed
from sessions.domain.preflight.networks import Network, changes_of_settings, changes_of_sizes

SHAPING = ("normalize", "hidden_units", "num_layers", "vis_encode_type", "goal_conditioning_type")
MEMORY_SIZE = 128
MOST_NAMED = 4


@dataclass(frozen=True)
class Demonstration:
    """A `demo_path` of a configuration: what is there is a `file`, a `folder` with so many .demo files, or nothing."""

    path: str
    kind: str = ""
    files: int = 0


def demo_paths(config: Config) -> list[str]:
    """Return every `demo_path` of the behaviors, each once, as it is written."""
    trees = [config.tree.get("default_settings"), config.tree.get("behaviors")]
    return list(dict.fromkeys(path for tree in trees for path in _demo_paths(tree)))


def _demo_paths(tree: Any) -> Iterator[str]:
    if not isinstance(tree, Mapping):
        return
    for name, value in tree.items():
        if name == "demo_path" and isinstance(value, str):
            yield value
        else:
            yield from _demo_paths(value)


def check_demonstrations(found: Sequence[Demonstration]) -> Check:
    """Say whether every demonstration is where the trainer will look for it."""
    title = "Demonstrations"
    wrong = [sentence for one in found if (sentence := _demo_problem(one))]
    if wrong:
        fix = "Write the whole path in demo_path; relative ones begin in the attempt's own folder."
        return Check("demonstrations", title, Level.ERROR, " ".join(wrong[:MOST_NAMED]), fix, "config")
    return passed("demonstrations", title, "They are there." if found else "None are needed.")


def _demo_problem(one: Demonstration) -> str:
    if not one.kind:
        return f"There is no demonstration at {one.path}."
    if one.kind == "folder":
        return "" if one.files else f"There are no .demo files in {one.path}."
    return "" if one.path.endswith(".demo") else f"{one.path} is no .demo file."


def check_connected(config: Config, there: Collection[str]) -> Check:
    """Say whether the behaviors are those that the environment itself named; ML-Agents ends at one without settings."""
    title = "Behaviors"
    unnamed, unknown = _differences(config, there)
    if not unnamed and not unknown:
        return passed("behaviors", title, f"The environment has {_listed(there)}, as configured.")
    found = [f"The environment has {_listed(there)}."] if there else ["The environment has no agents at its start."]
    found += [f"{name} is not configured." for name in unnamed[:MOST_NAMED]]
    found += [f"{name} is configured, and not there at its start." for name in unknown[:MOST_NAMED]]
    level = Level.ERROR if unnamed else Level.WARNING
    return Check("behaviors", title, level, " ".join(found), _meant(unknown, there), "config")


def check_behaviors(config: Config, seen: Collection[str]) -> Check:
    """Say whether the behaviors are those that trained in this environment before; `seen` is empty when none did."""
    title = "Behaviors"
    if not seen:
        return passed("behaviors", title, "The environment was not trained in before; its behaviors are not known.")
    unnamed, unknown = _differences(config, seen)
    if not unnamed and not unknown:
        return passed("behaviors", title, "They are those that trained in this environment before.")
    found = [f"{name} trained in this environment before, and is not configured." for name in unnamed[:MOST_NAMED]]
    found += [f"{name} is configured, but never trained in this environment." for name in unknown[:MOST_NAMED]]
    return Check("behaviors", title, Level.WARNING, " ".join(found), _meant(unknown, seen), "config")


def _differences(config: Config, there: Collection[str]) -> tuple[list[str], list[str]]:
    """Behaviors that are there without settings, and behaviors that have settings and are not there."""
    named = set(config.behaviors)
    unnamed = [] if config.tree.get("default_settings") else sorted(set(there) - named)
    return unnamed, sorted(named - set(there))


def _meant(unknown: Collection[str], there: Collection[str]) -> str:
    near = {name: difflib.get_close_matches(name, there, n=1) for name in unknown}
    meant = [f"Is {name} meant to be {close[0]}?" for name, close in near.items() if close]
    return " ".join([*meant, "The names must be those of the Behavior Parameters in Unity, letter by letter."])


def _listed(names: Collection[str]) -> str:
    some = sorted(names)
    more = f" and {len(some) - MOST_NAMED} more" if len(some) > MOST_NAMED else ""
    return ", ".join(some[:MOST_NAMED]) + more


def check_fit(
    before: Config | None,
    now: Config,
    *,
    source: str,
    saved: Mapping[str, Network] | None = None,
    there: Sequence[Mapping[str, Any]] = (),
) -> Check:
    """Say whether the networks that `source` saved have the shape that is configured now.

    `before` is what they were trained with, `saved` are those of its checkpoints, `there` the behaviors that the
    environment named (see `Connected`); each as far as it is known.
    """
    title = "Networks"
    saved = saved or {}
    if before is None and not saved:
        return passed("networks", title, f"What {source} was trained with is not known.")
    sizes = {one["name"]: one for one in there}
    changes: list[str] = []
    for name in now.behaviors:
        if before is not None:
            changes += _changes(before, now, name)
        elif name in saved:
            changes += [f"{one} for {name}" for one in changes_of_settings(saved[name], shape_of(now, name))]
        if name in saved and name in sizes:
            changes += [f"{name}: {one}" for one in changes_of_sizes(saved[name], sizes[name])]
    if not changes:
        return passed("networks", title, f"Those of {source} fit.")
    found = f"The networks of {source} have another shape: {'; '.join(changes[:MOST_NAMED])}."
    fix = "ML-Agents begins with fresh values where shapes differ, and says so only in its console. Change them back."
    return Check("networks", title, Level.WARNING, found, fix, "config")


def _changes(before: Config, now: Config, name: str) -> Iterator[str]:
    if before.plan_of(name) is None:
        return
    old, new = shape_of(before, name), shape_of(now, name)
    for key, value in new.items():
        if old[key] != value:
            yield f"{key} of {name} was {old[key]} and is {value}"


def shape_of(config: Config, name: str) -> dict[str, Any]:
    """Return what decides over the shape of a behavior's network, with defaults filled in."""
    settings = config.settings_of(name)
    network = settings.get("network_settings")
    network = network if isinstance(network, Mapping) else {}
    memory = network.get("memory")
    defaults = {key.name: key.default for key in NETWORK.keys}
    return {
        "trainer_type": settings.get("trainer_type", "ppo"),
        **{key: network.get(key, defaults[key]) for key in SHAPING},
        "memory_size": memory.get("memory_size", MEMORY_SIZE) if isinstance(memory, Mapping) else None,
    }


def check_checkpoint(conditions: Mapping[str, str], *, steps: Mapping[str, int], config: Config) -> Check:
    """Say whether there is something whole to go on from, and something left to train.

    `conditions` are those of the behaviors' newest checkpoints (whole, blank, broken, missing), `steps` where they
    stand.
    """
    title = "Checkpoint"
    plans = config.behaviors
    bad = [name for name in plans if conditions.get(name) == "broken"]
    if bad:
        found = f"The last checkpoint of {', '.join(bad[:MOST_NAMED])} is broken."
        return Check("checkpoint", title, Level.WARNING, found, "MENTOR goes on from the newest one that is whole.")
    if not any(conditions.get(name) in ("whole", "blank") for name in plans) and plans:
        found = "Nothing was saved for these behaviors."
        return Check("checkpoint", title, Level.WARNING, found, "The training begins anew, at step 0.")
    done = [name for name, plan in plans.items() if steps.get(name, 0) >= plan.max_steps]
    if done and len(done) == len(plans):
        found = f"{', '.join(done[:MOST_NAMED])} reached max_steps already; the training would end at once."
        return Check("checkpoint", title, Level.WARNING, found, "Raise max_steps.", "overrides")
    return passed("checkpoint", title, "It is whole.")
