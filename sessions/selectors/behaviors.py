"""Behaviors over all sessions: what was ever trained under a name, and how far it came."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Max, QuerySet, Sum, Window
from django.db.models.functions import Coalesce, RowNumber

from sessions.models import BehaviorProgress
from sessions.selectors.sessions import User, visible_sessions


@dataclass(frozen=True)
class BehaviorEntry:
    """One behavior name; `last_reward` is that of the session created last."""

    name: str
    sessions: int
    best_reward: float | None
    last_reward: float | None
    last_run_id: str
    steps: int
    last_trained_at: datetime | None
    trainer_types: list[str]


def behavior_entries(user: User) -> list[BehaviorEntry]:
    """Return the behaviors of the sessions a user may see, those in the trash left out, by name: three queries."""
    rows = BehaviorProgress.objects.filter(
        session__in=visible_sessions(user).filter(trashed_at__isnull=True).order_by()
    ).order_by("name")
    types = _trainer_types(rows)
    last = {row["name"]: row for row in _of_the_last_session(rows)}
    totals = rows.values("name").annotate(
        sessions=Count("pk"),
        best=Max("best_reward"),
        steps=Sum("step"),
        trained=Max(Coalesce("session__ended_at", "session__started_at")),
    )
    return [
        BehaviorEntry(
            name=row["name"],
            sessions=row["sessions"],
            best_reward=row["best"],
            last_reward=last[row["name"]]["mean_reward"],
            last_run_id=last[row["name"]]["session__run_id"],
            steps=row["steps"] or 0,
            last_trained_at=row["trained"],
            trainer_types=types[row["name"]],
        )
        for row in totals
    ]


def _trainer_types(rows: QuerySet[BehaviorProgress]) -> dict[str, list[str]]:
    types: dict[str, list[str]] = defaultdict(list)
    for name, kind in rows.exclude(trainer_type="").values_list("name", "trainer_type").distinct():
        types[name].append(kind)
    return types


def _of_the_last_session(rows: QuerySet[BehaviorProgress]) -> list[dict[str, Any]]:
    newest = Window(RowNumber(), partition_by=F("name"), order_by=[F("session__created_at").desc(), F("pk").desc()])
    found = rows.annotate(rank=newest).filter(rank=1).values("name", "mean_reward", "session__run_id")
    return [dict(row) for row in found]
