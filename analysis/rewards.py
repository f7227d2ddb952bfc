"""How well each behavior of a session did, from its stored reward series."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from analysis.statistics import RewardSummary, summarise, time_to
from sessions.models import TrainingSession
from sessions.selectors.series import points_after, reward_tag_of
from sessions.selectors.stitching import stitched

REACH = 0.9


@dataclass(frozen=True)
class RewardRow:
    """One behavior's rewards; `reach` is the first step and second at 90 % of the way from first to best."""

    behavior: str
    summary: RewardSummary
    reach_step: int | None
    reach_seconds: float | None

    def flat(self) -> dict[str, Any]:
        """Return one level of plain values, as templates and the API use them."""
        parts = {
            "behavior": self.behavior,
            "reach_step": self.reach_step,
            "reach_seconds": self.reach_seconds,
        }
        return {**asdict(self.summary), **parts}


def reward_rows(session: TrainingSession) -> list[RewardRow]:
    """Return a row for every behavior that has reward points."""
    parts, _ = points_after(session, tag=reward_tag_of(session))
    rows = []
    for behavior, curve in stitched(parts).items():
        points = curve.whole
        values = [float("nan") if value is None else value for value in points.values]
        summary = summarise(points.steps, points.wall_times, values)
        if summary is not None:
            reached = time_to(points.steps, points.wall_times, values, share=REACH)
            step, seconds = reached if reached else (None, None)
            rows.append(RewardRow(behavior, summary, step, seconds))
    return rows
