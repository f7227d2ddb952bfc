"""What may go: facts about sessions and the limits in, decisions out. Nothing here knows a file or a row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

GB = 1_000_000_000


class Action(str, Enum):
    """What becomes of a session; the values are the words of the API."""

    ARCHIVE = "archive"
    TRASH = "trash"
    DELETE = "delete"


@dataclass(frozen=True)
class Limits:
    """How long, and how much, is kept. A limit of None does not hold.

    `most_bytes` is for all sessions outside the trash; `undo_days` is how long the trash keeps what is in it.
    """

    archive_days: float | None = None
    trash_days: float | None = None
    most_bytes: int | None = None
    keep_best: int = 1
    undo_days: float = 7.0


@dataclass(frozen=True)
class Facts:
    """A session as far as keeping it is concerned; sizes are of MENTOR's own files.

    `age_days` counts from its end, None while it has not ended; `trashed_days` from when it was put into the trash.
    """

    key: int
    size: int
    age_days: float | None
    project: str = ""
    best: Mapping[str, float] = field(default_factory=dict)
    tagged: bool = False
    released: bool = False
    awaited: bool = False
    imported: bool = False
    archived: bool = False
    trashed_days: float | None = None


@dataclass(frozen=True)
class Decision:
    """What is to become of a session, why, and how many bytes that frees (at once, or when the trash is emptied)."""

    key: int
    action: Action
    why: str
    frees: int


@dataclass(frozen=True)
class Plan:
    """Decisions, oldest session first; `kept` says of each session that no limit may touch why not.

    `total` are the bytes outside the trash now, `after` those that stay there, `over` by how much `after` is still
    more than the limit.
    """

    decisions: list[Decision]
    kept: dict[int, str]
    total: int
    after: int
    over: int


def decide(facts: Iterable[Facts], limits: Limits) -> Plan:
    """Return what the limits ask for. The same facts give the same plan, in whatever order they come.

    Sessions that have not ended, are awaited, imported, tagged, released or among the best of their project and
    behavior are never touched. Age comes first; then the oldest go to the trash until the rest is small enough.
    """
    everything = sorted(facts, key=lambda one: (-(one.age_days or 0.0), one.key))
    best = _best(everything, limits.keep_best)
    kept = {one.key: why for one in everything if (why := _protection(one, best))}
    free = [one for one in everything if one.key not in kept]
    decisions = {one.key: found for one in free if (found := _by_age(one, limits)) is not None}
    total = sum(one.size for one in everything if one.trashed_days is None)
    leaving = sum(found.frees for found in decisions.values() if found.action is Action.TRASH)
    after = total - leaving
    for one in free:
        if limits.most_bytes is None or after <= limits.most_bytes:
            break
        if one.trashed_days is None and one.size and _stays(decisions.get(one.key)):
            decisions[one.key] = Decision(one.key, Action.TRASH, "Older than others, and there is too much.", one.size)
            after -= one.size
    ordered = [decisions[one.key] for one in free if one.key in decisions]
    over = max(0, after - limits.most_bytes) if limits.most_bytes is not None else 0
    return Plan(ordered, kept, total, after, over)


def _stays(decision: Decision | None) -> bool:
    return decision is None or decision.action is Action.ARCHIVE


def _protection(one: Facts, best: Mapping[int, str]) -> str:
    """Say why nothing may be done to a session; empty when something may."""
    reasons = (
        (one.age_days is None, "It has not ended."),
        (one.awaited, "Another session waits for it."),
        (one.imported, "It was imported; its files are not MENTOR's."),
        (one.tagged, "It is tagged."),
        (one.released, "One of its checkpoints is released."),
        (one.key in best, best.get(one.key, "")),
    )
    return next((why for holds, why in reasons if holds), "")


def _best(everything: list[Facts], most: int) -> dict[int, str]:
    """Return the sessions with the best rewards of each behavior in each project, those in the trash left out."""
    ranked: dict[tuple[str, str], list[tuple[float, int]]] = defaultdict(list)
    for one in everything:
        if one.trashed_days is None and one.age_days is not None and not one.imported:
            for behavior, reward in one.best.items():
                ranked[one.project, behavior].append((-reward, one.key))
    return {
        key: f"Among the best of {behavior}{f' in {project}' if project else ''}."
        for (project, behavior), rewards in sorted(ranked.items(), reverse=True)
        for _, key in sorted(rewards)[:most]
    }


def _by_age(one: Facts, limits: Limits) -> Decision | None:
    if one.trashed_days is not None:
        if one.trashed_days < limits.undo_days:
            return None
        return Decision(one.key, Action.DELETE, f"In the trash for {_days(one.trashed_days)}.", one.size)
    age = one.age_days or 0.0
    if limits.trash_days is not None and age >= limits.trash_days:
        return Decision(one.key, Action.TRASH, f"Ended {_days(age)} ago.", one.size)
    if limits.archive_days is not None and age >= limits.archive_days and not one.archived:
        return Decision(one.key, Action.ARCHIVE, f"Ended {_days(age)} ago.", 0)
    return None


def _days(days: float) -> str:
    whole = int(days)
    return f"{whole} day{'' if whole == 1 else 's'}"
