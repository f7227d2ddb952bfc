"""TensorBoard's rules for restarted steps: which points no longer count once a run has begun again at an earlier step.

A run that was stopped at step 900 and goes on from a checkpoint at step 500 writes the steps between once more. Files
of version 2 (`brain.Event:2`) may say so with a session log START: all earlier points with the step of that record or a
larger one are dropped. In older files a summary whose step is smaller than the last one is taken for a restart, and of
its own tags alone such points are dropped. These are the rules of TensorBoard's EventAccumulator, which are for scalars
and histograms; here they are for texts, and for scalars that are written as tensors, as well.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

# In place of a tag: all of them.
EVERY = None
MODERN = 2.0


@dataclass(frozen=True)
class Order:
    """What the rules must know of what was read before, in this file or in the run's files before it.

    `version` is that of the file format (0 when no file told it), `last_step` the step that steps are compared with.
    """

    version: float = 0.0
    last_step: int = -1

    @property
    def modern(self) -> bool:
        """Whether restarts are told by the files, not guessed from the steps."""
        return self.version >= MODERN


def version_of(text: str) -> float:
    """Return the number in a file version such as `brain.Event:2`; -1 when there is none."""
    try:
        return float(text.split("brain.Event:")[-1])
    except ValueError:
        return -1.0


class Cuts:
    """The restarts in a stretch of a file, each with its place: earlier points with its step or a larger one go."""

    def __init__(self) -> None:
        self._added: dict[str | None, list[tuple[int, int]]] = {}
        self._ready: dict[str | None, tuple[list[int], list[int]]] = {}

    def __bool__(self) -> bool:
        return bool(self._added)

    def add(self, tag: str | None, place: int, step: int) -> None:
        """Note a restart of a tag, or of EVERY tag."""
        self._added.setdefault(tag, []).append((place, step))
        self._ready.clear()

    def lowest(self) -> dict[str | None, int]:
        """Return the step from which on nothing counts of what came before the whole stretch, by tag or for EVERY."""
        return {tag: min(step for _, step in cuts) for tag, cuts in self._added.items()}

    def of(self, tag: str) -> tuple[list[int], list[int]]:
        """Return the places of a tag's restarts in their order, and the smallest step of each and all after it."""
        key = tag if tag in self._added else EVERY
        if key not in self._ready:
            cuts = self._added.get(EVERY, [])
            if key is not EVERY:
                cuts = [*cuts, *self._added[key]]
            cuts = sorted(cuts)
            smallest = list(accumulate((step for _, step in reversed(cuts)), min))
            self._ready[key] = [place for place, _ in cuts], smallest[::-1]
        return self._ready[key]

    def keep(self, tag: str, place: int, step: int) -> bool:
        """Return whether a point still counts: no later restart of its tag dropped it."""
        places, smallest = self.of(tag)
        later = bisect_right(places, place)
        return later == len(places) or step < smallest[later]


def cut_of(cuts: Mapping[str | None, int], tag: str) -> int | None:
    """Return the step from which on nothing counts of a tag, of cuts as `Cuts.lowest` has them; None if all counts."""
    found = [cuts[key] for key in (tag, EVERY) if key in cuts]
    return min(found) if found else None


def counts(cuts: Mapping[str | None, int], tag: str, step: int) -> bool:
    """Return whether a point from before the cuts still counts."""
    cut = cut_of(cuts, tag)
    return cut is None or step < cut
