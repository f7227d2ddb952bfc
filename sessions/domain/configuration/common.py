"""The settings that are changed most, of every behavior of a text: what they are, and what they are without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sessions.domain.configuration.documentation import key_as_json
from sessions.domain.configuration.schema import Key
from sessions.domain.configuration.table import BEHAVIOR, HYPERPARAMETERS, NETWORK, PPO, SIGNALS
from sessions.domain.yaml_tree import Document, TreePath, parse

DEFAULTS = "default_settings"
HYPER = "hyperparameters"
COMMON: tuple[TreePath, ...] = (
    ("trainer_type",), ("max_steps",), (HYPER, "learning_rate"), (HYPER, "batch_size"), (HYPER, "buffer_size"),
    ("network_settings", "hidden_units"), ("network_settings", "num_layers"), ("network_settings", "normalize"),
    ("reward_signals", "extrinsic", "gamma"), ("summary_freq",), ("time_horizon",),
)  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """One setting of a behavior. `given` is what stands in the text, `otherwise` what holds when nothing does."""

    name: str
    path: TreePath
    given: str | None
    otherwise: str
    line: int | None
    column: int | None
    choices: tuple[str, ...]
    value: str
    help: str


@dataclass(frozen=True)
class Group:
    """A behavior, or `default_settings`, with its common settings."""

    name: str
    settings: tuple[Setting, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def common_settings(text: str) -> list[Group]:
    """Return the common settings of a text in the format of 1.1.0; raises ConfigError."""
    document = parse(text.encode("utf-8", "surrogatepass"))
    tree = document.tree if isinstance(document.tree, Mapping) else {}
    defaults = tree.get(DEFAULTS)
    behaviors = tree.get("behaviors")
    names = [str(name) for name in behaviors] if isinstance(behaviors, Mapping) else []
    groups = [Group(name, _settings(document, ("behaviors", name), defaults)) for name in names]
    return [Group(DEFAULTS, _settings(document, (DEFAULTS,), None)), *groups] if defaults else groups


def _settings(document: Document, behavior: TreePath, defaults: Any) -> tuple[Setting, ...]:
    trainer = _at(document.tree, (*behavior, "trainer_type")) or _at(defaults, ("trainer_type",)) or "ppo"
    return tuple(_setting(document, behavior, path, defaults, str(trainer)) for path in COMMON)


def _setting(document: Document, behavior: TreePath, inner: TreePath, defaults: Any, trainer: str) -> Setting:
    path = (*behavior, *inner)
    facts = key_as_json(_key(inner, trainer))
    place = document.values.get(path)
    shared = _text(_at(defaults, inner))
    return Setting(
        inner[-1],
        path,
        _text(_at(document.tree, path)),
        facts["default"] if shared is None else shared,
        place.line if place else None,
        place.column if place else None,
        tuple(facts["choices"]),
        facts["value"],
        facts["help"],
    )


def _key(inner: TreePath, trainer: str) -> Key:
    section = {
        HYPER: HYPERPARAMETERS.get(trainer, PPO),
        "network_settings": NETWORK,
        "reward_signals": SIGNALS["extrinsic"],
    }
    found = section.get(inner[0], BEHAVIOR).get(inner[-1])
    assert found is not None  # noqa: S101 - COMMON names keys of the table
    return found


def _at(tree: Any, path: TreePath) -> Any:
    for name in path:
        named = {str(key): value for key, value in tree.items()} if isinstance(tree, Mapping) else {}
        tree = named.get(name)
    return tree


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None or isinstance(value, dict | list) else str(value)
