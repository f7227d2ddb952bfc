"""Where a training's time went: ML-Agents' `timers.json` as a tree, and in a sentence.

Format 0.1.0 of mlagents_envs.timers: each node has `total` and `self` seconds, a `count` and `children`; nodes that are
`is_parallel` ran in other processes, so that their seconds add up beside those of the main one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sessions.domain.hostile_json import mapping, number, read_object, text, whole

MOST_NODES = 400
MOST_DEPTH = 16
MOST_GAUGES = 500
MOST_FACTS = 50


@dataclass(frozen=True)
class Timer:
    """One node. `share` (0 to 1) is of the whole training, or, of a parallel one, of the topmost parallel node."""

    name: str
    total: float
    own: float
    count: int
    share: float
    parallel: bool
    children: list[Timer] = field(default_factory=list)


@dataclass(frozen=True)
class Gauge:
    """A value that was noted again and again: the last, the smallest and the largest."""

    name: str
    value: float | None
    least: float | None
    most: float | None
    count: int | None


@dataclass(frozen=True)
class Spent:
    """Seconds of the main process by what they went to."""

    environment: float
    acting: float
    learning: float
    saving: float
    other: float

    @property
    def whole(self) -> float:
        return self.environment + self.acting + self.learning + self.saving + self.other

    def shares(self) -> list[tuple[str, float]]:
        """Return each part in words with its share of 1, in their order."""
        words = ("the environment", "choosing actions", "learning", "saving", "everything else")
        parts = (self.environment, self.acting, self.learning, self.saving, self.other)
        return [(word, part / self.whole) for word, part in zip(words, parts, strict=True)] if self.whole > 0 else []


@dataclass(frozen=True)
class Timers:
    """A whole timers.json; `complete` is false when there is more in it than is shown."""

    root: Timer
    spent: Spent | None
    gauges: list[Gauge]
    facts: list[tuple[str, str]]
    complete: bool


def read_timers(data: bytes) -> Timers:
    """Return what a timers.json says; raises Unreadable when it is none. Parts that are not as they should be are left
    out, and of a tree too large or too deep its beginning is returned."""
    tree = read_object(data)
    builder = _Builder()
    root = builder.node(text(tree.get("name")) or "root", tree, 0, None, parallel=False)
    about = mapping(tree.get("metadata"))
    gauges = mapping(tree.get("gauges"))
    return Timers(
        root=root,
        spent=spent(root),
        gauges=[_gauge(name, mapping(one)) for name, one in islice(sorted(gauges.items()), MOST_GAUGES)],
        facts=[(text(name), text(value)) for name, value in islice(about.items(), MOST_FACTS) if text(value)],
        complete=builder.complete and len(gauges) <= MOST_GAUGES,
    )


class _Builder:
    """Builds nodes as long as there is room for more."""

    def __init__(self) -> None:
        self.left = MOST_NODES
        self.complete = True

    def node(self, name: str, raw: Mapping[str, Any], depth: int, whole_: float | None, *, parallel: bool) -> Timer:
        self.left -= 1
        total = max(0.0, number(raw.get("total")) or 0.0)
        begins_parallel = raw.get("is_parallel") is True and not parallel
        of = total if whole_ is None or begins_parallel else whole_
        below = parallel or begins_parallel
        return Timer(
            name=name,
            total=total,
            own=max(0.0, number(raw.get("self")) or 0.0),
            count=whole(raw.get("count")) or 0,
            share=min(1.0, total / of) if of > 0 else 0.0,
            parallel=below,
            children=list(self._children(raw, depth + 1, of, parallel=below)),
        )

    def _children(self, raw: Mapping[str, Any], depth: int, of: float, *, parallel: bool) -> Iterator[Timer]:
        for name, child in mapping(raw.get("children")).items():
            if self.left <= 0 or depth > MOST_DEPTH:
                self.complete = False
                return
            if isinstance(child, dict):
                yield self.node(text(name), child, depth, of, parallel=parallel)


def _gauge(name: str, raw: Mapping[str, Any]) -> Gauge:
    return Gauge(
        text(name), number(raw.get("value")), number(raw.get("min")), number(raw.get("max")), whole(raw.get("count"))
    )


def spent(root: Timer) -> Spent | None:
    """Return what the main process spent its time on; None for a tree without the steps of ML-Agents' own loop.

    Waiting for environments is time of the environment. What ran in parallel is not the main process's.
    """
    stepping = _seconds(root, "env_step")
    advancing = _seconds(root, "trainer_advance")
    if not stepping and not advancing:
        return None
    acting = _seconds(root, "Policy.evaluate")
    within = sum(_seconds(one, "._checkpoint") for one in _topmost(root, "trainer_advance"))
    saving = within + _seconds(root, "._save_models")
    environment = max(0.0, stepping - acting) + _seconds(root, "._reset_env")
    learning = max(0.0, advancing - within)
    known = environment + acting + learning + saving
    return Spent(environment, acting, learning, saving, max(0.0, root.total - known))


def beginning(root: Timer) -> float:
    """Return the seconds of `spent`'s environment that went to starting and resetting environments."""
    return _seconds(root, "._reset_env")


def simulating(root: Timer) -> float:
    """Return the seconds that workers waited for Unity's answers, those of all environments together."""
    found = 0.0
    for child in root.children:
        answers = child.parallel and child.name.endswith("communicator.exchange")
        found += child.total if answers else simulating(child)
    return found


def _seconds(root: Timer, ending: str) -> float:
    return sum(one.total for one in _topmost(root, ending))


def _topmost(root: Timer, ending: str) -> Iterator[Timer]:
    for child in root.children:
        if child.parallel:
            continue
        if child.name.endswith(ending):
            yield child
        else:
            yield from _topmost(child, ending)
