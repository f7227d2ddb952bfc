"""What a report is made of: values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from analysis.statistics import RewardSummary


@dataclass(frozen=True)
class BehaviorReport:
    """How one behavior did; `reach` is the step and second at 90 % of the way from first to best."""

    name: str
    step: int
    max_steps: int | None
    summary: RewardSummary | None
    reach_step: int | None
    reach_seconds: float | None


@dataclass(frozen=True)
class Seam:
    """Where an attempt took a curve on."""

    attempt: int
    step: int


@dataclass(frozen=True)
class Line:
    """Points in their order; steps and values are equally long, a value that is no number is None."""

    steps: Sequence[int]
    values: Sequence[float | None]


@dataclass(frozen=True)
class Curve:
    """A series to draw: its line, the ends of earlier attempts that were trained again, and the seams between."""

    behavior: str
    tag: str
    steps: Sequence[int]
    values: Sequence[float | None]
    replaced: Sequence[Line] = ()
    seams: Sequence[Seam] = ()


@dataclass(frozen=True)
class AttemptReport:
    """One start of the session's process."""

    number: int
    state: str
    exit_code: int | None
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class FileLink:
    """A model or checkpoint; `href` leads there from the report's folder."""

    name: str
    kind: str
    size: int
    sha256: str
    href: str


@dataclass(frozen=True)
class ReportContext:
    """Everything the report of one session says."""

    title: str
    run_id: str
    state: str
    explanation: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    seconds: float | None
    trainer: str
    environment: str | None
    command: str
    owner: str | None
    behaviors: Sequence[BehaviorReport]
    curves: Sequence[Curve]
    attempts: Sequence[AttemptReport]
    config_used: str
    config_given: str | None
    files: Sequence[FileLink]
    session_url: str
    made_at: datetime
