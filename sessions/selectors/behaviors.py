"""Behaviors over all sessions: what was ever trained under a name, and how far it came."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Max, QuerySet, Sum, Window
from django.db.models.functions import RowNumber

from sessions.models import BehaviorProgress, TrainingSession
from sessions.selectors.sessions import User, visible_sessions


@dataclass(frozen=True)
class BehaviorEntry:
    """One behavior name; `last_reward` is that of the session that trained it last."""

    name: str
    sessions: int
    best_reward: float | None
    last_reward: float | None
    last_run_id: str
    steps: int
    last_trained_at: datetime | None
    trainer_types: list[str]


def behavior_entries(user: User) -> list[BehaviorEntry]:
    """Return the behaviors of the sessions a user may see, those in the trash left out, by name: two queries."""
    rows = _rows(user)
    last = {row["name"]: row for row in _trained_last(rows)}
    totals = rows.values("name", "trainer_type").annotate(
        sessions=Count("pk"), best=Max("best_reward"), steps=Sum("step"), trained=Max("trained_at")
    )
    by_name: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in totals:
        by_name[row["name"]].append(dict(row))
    return [_entry(name, by_name[name], last[name]) for name in sorted(by_name)]


def _rows(user: User) -> QuerySet[BehaviorProgress]:
    rows = BehaviorProgress.objects.exclude(session__in=TrainingSession.objects.filter(trashed_at__isnull=False))
    if not user.has_perm("training.view_trainingsession"):
        rows = rows.filter(session__in=visible_sessions(user))
    return rows.order_by()


def _trained_last(rows: QuerySet[BehaviorProgress]) -> list[dict[str, Any]]:
    """The row of each name that was trained last; one that never was counts as long ago."""
    order = [F("trained_at").desc(nulls_last=True), F("pk").desc()]
    newest = Window(RowNumber(), partition_by=F("name"), order_by=order)
    found = rows.annotate(rank=newest).filter(rank=1).values("name", "mean_reward", "session__run_id")
    return [dict(row) for row in found]


def _entry(name: str, parts: list[dict[str, Any]], last: dict[str, Any]) -> BehaviorEntry:
    """Put together what a behavior is under each of its trainer types."""
    return BehaviorEntry(
        name=name,
        sessions=sum(part["sessions"] for part in parts),
        best_reward=max((part["best"] for part in parts if part["best"] is not None), default=None),
        last_reward=last["mean_reward"],
        last_run_id=last["session__run_id"],
        steps=sum(part["steps"] or 0 for part in parts),
        last_trained_at=max((part["trained"] for part in parts if part["trained"] is not None), default=None),
        trainer_types=sorted(part["trainer_type"] for part in parts if part["trainer_type"]),
    )
