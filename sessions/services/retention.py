"""Keeping the history within its limits: what these ask for, told beforehand and carried out as anybody could."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from django.db import transaction
from django.utils import timezone

from sessions.domain import retention
from sessions.domain.retention import GB, Action, Facts, Limits
from sessions.domain.states import ENDED, State, values
from sessions.errors import Conflict
from sessions.models import Artifact, Attempt, BehaviorProgress, RetentionPolicy, TrainingSession
from sessions.models.session import DELETING
from sessions.runtime.removing import bytes_in
from sessions.selectors.keeping import own_folder
from sessions.selectors.sessions import User
from sessions.services import chores, deletion, editing

WHO = "retention"
EVERY = timedelta(days=1)
DAY_SECONDS = 86400.0
COLUMNS = ("enabled", "archive_days", "trash_days", "most_gb", "keep_best", "undo_days")


@dataclass(frozen=True)
class PlannedAction:
    """What the limits ask to be done to a session."""

    run_id: str
    action: str
    why: str
    frees: int


@dataclass(frozen=True)
class RetentionPlan:
    """What would be done now. Bytes are of MENTOR's own files, outside the trash; `kept` counts by reason.

    `frees_now` is what deleting from the trash gives back, `frees_later` what does once the trash is emptied.
    """

    actions: list[PlannedAction]
    kept: dict[str, int]
    total: int
    after: int
    over: int
    frees_now: int
    frees_later: int
    unmeasured: int


def policy() -> RetentionPolicy:
    """Return the limits as they are stored; off when none are."""
    return RetentionPolicy.objects.get_or_create(pk=1)[0]


def change(columns: Mapping[str, Any], *, by: User) -> RetentionPolicy:
    """Store other limits. Raises NotAllowed."""
    editing.require_permission(by, "training.delete_trainingsession")
    stored = {name: columns[name] for name in COLUMNS if name in columns}
    RetentionPolicy.objects.update_or_create(pk=1, defaults={**stored, "changed_by": by.get_username(), "ran_at": None})
    return policy()


def plan(stored: RetentionPolicy, *, measure_seconds: float = 0.0) -> RetentionPlan:
    """Return what the limits ask for at this moment, and change nothing; they need not be on.

    Sizes that are not known yet are measured for so many seconds; those of the rest count nothing.
    """
    unmeasured = measure(deadline=monotonic() + measure_seconds)
    now = timezone.now()
    rows = _rows()
    found = retention.decide(_facts(rows, now), _limits(stored))
    names = {row["pk"]: row["run_id"] for row in rows}
    actions = [PlannedAction(names[one.key], one.action.value, one.why, one.frees) for one in found.decisions]
    kept: dict[str, int] = defaultdict(int)
    for why in found.kept.values():
        kept[why] += 1
    return RetentionPlan(
        actions=actions,
        kept=dict(kept),
        total=found.total,
        after=found.after,
        over=found.over,
        frees_now=sum(one.frees for one in actions if one.action == Action.DELETE.value),
        frees_later=sum(one.frees for one in actions if one.action == Action.TRASH.value),
        unmeasured=unmeasured,
    )


def run_now(*, by: User, seconds: float) -> RetentionPlan:
    """Carry out what the limits ask for, and return it; after so many seconds the rest is left to the worker.

    Raises NotAllowed, Conflict while the limits are off.
    """
    deadline = monotonic() + seconds
    editing.require_permission(by, "training.delete_trainingsession")
    stored = policy()
    if not stored.enabled:
        raise Conflict("The rules of retention are off.", hint="Switch them on first.")
    asked = plan(stored, measure_seconds=seconds)
    done = _carry_out(asked, who=f"{by.get_username()} ({WHO})", deadline=deadline) and not asked.unmeasured
    RetentionPolicy.objects.filter(pk=1).update(ran_at=timezone.now() if done else None)
    chores.upkeep_soon()
    return asked


def is_due() -> bool:
    """Tell whether the limits are on and a day has passed since they were last kept."""
    stored = RetentionPolicy.objects.filter(pk=1, enabled=True).first()
    return stored is not None and (stored.ran_at is None or stored.ran_at <= timezone.now() - EVERY)


def run_if_due(*, deadline: float) -> None:
    """Carry out what the limits ask for, once a day; what the deadline cuts off goes on with the next call."""
    if not is_due() or measure(deadline=deadline):
        return
    if _carry_out(plan(policy()), who=WHO, deadline=deadline):
        RetentionPolicy.objects.filter(pk=1).update(ran_at=timezone.now())


def measure(*, deadline: float) -> int:
    """Store how much room ended sessions take that were not measured since; return how many are left."""
    unknown = TrainingSession.objects.filter(disk_bytes__isnull=True, state__in=values(ENDED)).exclude(
        chore__in=DELETING
    )
    for session in unknown.only("run_id").order_by("pk"):
        if monotonic() > deadline:
            break
        unknown.filter(pk=session.pk).update(disk_bytes=bytes_in(own_folder(session)))
    return unknown.count()


def _carry_out(asked: RetentionPlan, *, who: str, deadline: float) -> bool:
    """Do it session by session; False when the deadline came first. What changed meanwhile is left alone."""
    for one in asked.actions:
        if monotonic() > deadline:
            return False
        with transaction.atomic():
            session = TrainingSession.objects.filter(run_id=one.run_id, state__in=values(ENDED)).first()
            if session is not None:
                _act(session, Action(one.action), who=who, why=one.why)
    return True


def _act(session: TrainingSession, action: Action, *, who: str, why: str) -> None:
    if action is Action.ARCHIVE:
        editing.archive(session, by=who, why=f"Moved to the archive: {why}")
    elif action is Action.TRASH:
        editing.trash(session, by=who, why=f"Moved to the trash: {why}")
    else:
        deletion.mark(session, who=who, why=why)


def _limits(stored: RetentionPolicy) -> Limits:
    return Limits(
        archive_days=stored.archive_days,
        trash_days=stored.trash_days,
        most_bytes=None if stored.most_gb is None else int(stored.most_gb * GB),
        keep_best=stored.keep_best,
        undo_days=stored.undo_days,
    )


def _rows() -> list[dict[str, Any]]:
    known = TrainingSession.objects.exclude(chore__in=DELETING)
    names = ("pk", "run_id", "state", "project", "tags", "origin", "disk_bytes")
    return list(known.values(*names, "created_at", "ended_at", "archived_at", "trashed_at"))


def _facts(rows: list[dict[str, Any]], now: datetime) -> list[Facts]:
    best: dict[int, dict[str, float]] = defaultdict(dict)
    rewards = BehaviorProgress.objects.filter(best_reward__isnull=False)
    for key, name, reward in rewards.values_list("session_id", "name", "best_reward"):
        best[key][name] = reward or 0.0
    awaited = set(Attempt.objects.filter(state=State.QUEUED.value).values_list("after_id", flat=True))
    sources = _sources()
    released = _released()
    return [
        Facts(
            key=row["pk"],
            size=row["disk_bytes"] or 0,
            age_days=_days(row["ended_at"] or row["created_at"], now) if State(row["state"]) in ENDED else None,
            project=row["project"],
            best=best.get(row["pk"], {}),
            tagged=bool(row["tags"]),
            released=row["pk"] in released,
            awaited=row["pk"] in awaited or row["run_id"] in sources,
            imported=row["origin"] != "mentor",
            archived=row["archived_at"] is not None,
            trashed_days=_days(row["trashed_at"], now) if row["trashed_at"] else None,
        )
        for row in rows
    ]


def _sources() -> set[str]:
    """The run ids from whose networks sessions that have not ended begin."""
    options = TrainingSession.objects.exclude(state__in=values(ENDED)).values_list("options", flat=True)
    return {Path(str(one["initialize_from"])).name for one in options if one.get("initialize_from")}


def _released() -> set[int]:
    """The sessions of which a checkpoint is released."""
    return set(Artifact.objects.filter(released_at__isnull=False).values_list("session_id", flat=True))


def _days(moment: datetime, now: datetime) -> float:
    return (now - moment).total_seconds() / DAY_SECONDS
