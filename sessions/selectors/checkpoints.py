"""The checkpoints of a session as people see them: one line for a step, with the files of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from django.urls import reverse

from sessions.domain.keeping import Candidate, best
from sessions.domain.states import ENDED, State
from sessions.models import Artifact, TrainingSession
from sessions.selectors.files import place_of, results_of
from sessions.selectors.scores import keeping_of

MISSING, CHANGED = "missing", "changed"


@dataclass(frozen=True)
class FileShape:
    """One file of a checkpoint: ML-Agents' own, or the one that is kept where ML-Agents' own is gone."""

    id: int
    name: str
    kind: str
    size: int
    sha256: str
    condition: str = field(
        metadata={"help": "whole, broken, blank, missing or changed; empty until its bytes were read."}
    )
    kept: bool = field(metadata={"help": "Whether MENTOR keeps it, so that ML-Agents cannot remove it."})
    final: bool = field(metadata={"help": "Whether it is the behavior's model, beside the behaviors' folders."})
    url: str
    at: datetime


@dataclass(frozen=True)
class ReleaseShape:
    """Who said that a checkpoint is fit for use, when, and with which words."""

    at: datetime
    by: str
    note: str


@dataclass(frozen=True)
class CheckpointShape:
    """What was saved of a behavior at one step of one attempt."""

    id: int = field(metadata={"help": "The id of its first file; that of any of its files does as well."})
    behavior: str
    step: int
    attempt: int
    reward: float | None = field(metadata={"help": "What ML-Agents says: its mean since the last policy update."})
    smoothed: float | None = field(metadata={"help": "The mean of the last 5 summaries of the reward."})
    score: float | None = field(metadata={"help": "The same of the tag by which the best are kept."})
    at: datetime
    size: int
    best: int | None = field(metadata={"help": "Its place among the best of its behavior that are kept, from 1."})
    released: ReleaseShape | None
    files: list[FileShape]

    @property
    def condition(self) -> str:
        """Return the worst condition of its files; empty while one was not read yet."""
        found = [one.condition for one in self.files]
        bad = [one for one in found if one not in ("whole", "")]
        return bad[0] if bad else "whole" if all(found) else ""

    @property
    def can_go_on(self) -> bool:
        """Tell whether a training can go on from it."""
        return any(one.kind == "pt" and one.condition in ("whole", "") for one in self.files)


def checkpoints_of(session: TrainingSession) -> list[CheckpointShape]:
    """Return the checkpoints that are there, by behavior, the latest first."""
    groups: dict[tuple[str, int, int], list[Artifact]] = {}
    rows = Artifact.objects.filter(session=session, step__isnull=False).select_related("attempt")
    for row in rows.order_by("-present", "kept", "final", "-kind"):
        number = row.attempt.number if row.attempt else 0
        groups.setdefault((row.behavior, row.step or 0, number), []).append(row)
    places = _places(session, groups)
    look = _Look(session)
    shapes = [_checkpoint(key, rows, places, look) for key, rows in groups.items() if any(one.present for one in rows)]
    return sorted(shapes, key=lambda one: (one.behavior, -one.step, -one.attempt))


def _places(session: TrainingSession, groups: dict[tuple[str, int, int], list[Artifact]]) -> dict[Any, int]:
    count, _, mode = keeping_of(session)
    candidates = [
        Candidate(key, key[0], key[1], _first(rows, "score"))
        for key, rows in groups.items()
        if any(one.present for one in rows) and _first(rows, "score") is not None
    ]
    places: dict[Any, int] = {}
    for behavior in {one.behavior for one in candidates}:
        chosen = best([one for one in candidates if one.behavior == behavior], count, mode)
        places |= {one.key: place for place, one in enumerate(chosen, 1)}
    return places


def _checkpoint(
    key: tuple[str, int, int], rows: list[Artifact], places: dict[Any, int], look: _Look
) -> CheckpointShape:
    files = look.files(rows)
    release = next((one for one in rows if one.released_at is not None), None)
    return CheckpointShape(
        id=files[0].id,
        behavior=key[0],
        step=key[1],
        attempt=key[2],
        reward=_first(rows, "reward"),
        smoothed=_first(rows, "smoothed"),
        score=_first(rows, "score"),
        at=min(one.at for one in files),
        size=sum(one.size for one in files),
        best=places.get(key),
        released=ReleaseShape(release.released_at, release.released_by, release.released_note)
        if release and release.released_at
        else None,
        files=files,
    )


def _first(rows: list[Artifact], name: str) -> Any:
    return next((value for row in rows if (value := getattr(row, name)) is not None), None)


class _Look:
    """Looks at files without reading them; while a trainer writes them, they are what they are."""

    def __init__(self, session: TrainingSession) -> None:
        self._session = session
        self._results = results_of(session)
        self._still = State(session.state) in ENDED

    def files(self, rows: list[Artifact]) -> list[FileShape]:
        """One for each kind, ML-Agents' own where it is there."""
        chosen: dict[tuple[str, bool], Artifact] = {}
        for row in rows:
            if row.present:
                chosen.setdefault((row.kind, row.final), row)
        kept = {row.kind for row in rows if row.kept and row.present}
        return [self._file(row, kept=row.kind in kept and not row.final) for row in chosen.values()]

    def _file(self, row: Artifact, *, kept: bool) -> FileShape:
        return FileShape(
            id=row.pk,
            name=row.path,
            kind=row.kind,
            size=row.size,
            sha256=row.sha256,
            condition=self._condition(row),
            kept=kept,
            final=row.final,
            url=reverse("api:artifact", args=[self._session.run_id, row.pk]),
            at=datetime.fromtimestamp(row.modified_ns / 1e9, tz=timezone.utc),
        )

    def _condition(self, row: Artifact) -> str:
        path = place_of(row, self._session, self._results)
        try:
            size = Path(path or "").stat().st_size
        except OSError:
            return MISSING
        return CHANGED if self._still and row.condition and size != row.size else row.condition


def other_files(session: TrainingSession) -> list[FileShape]:
    """Return what was saved without a step: what a resume reads, and a model of which nobody said the step."""
    look = _Look(session)
    rows = Artifact.objects.filter(session=session, step__isnull=True, present=True)
    return [look.files([row])[0] for row in rows]


def files_of_checkpoints(session: TrainingSession) -> list[dict[str, Any]]:
    """Return the files of all checkpoints, one by one, each with what is known of its checkpoint."""
    listed = []
    for one in checkpoints_of(session):
        shared = {name: getattr(one, name) for name in ("behavior", "step", "attempt", "reward", "smoothed", "score")}
        shared |= {"best": one.best, "released": asdict(one.released) if one.released else None}
        listed += [{**asdict(file), **shared} for file in one.files]
    return listed
