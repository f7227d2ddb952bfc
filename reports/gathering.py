"""Collecting what a report tells of a session."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.utils import timezone

from analysis.rewards import reward_rows
from reports.contexts import AttemptReport, BehaviorReport, Curve, FileLink, Line, ReportContext, Seam
from sessions.domain.command import as_shell
from sessions.domain.resources import OF_THE_ATTEMPT
from sessions.models import Artifact, TrainingSession
from sessions.selectors.files import results_of
from sessions.selectors.series import points_after
from sessions.selectors.sessions import session_detail
from sessions.selectors.shapes import SessionDetailShape
from sessions.selectors.stitching import Stitched, stitched

CURVE_POINTS = 1000


def session_context(session: TrainingSession, *, beside: Path) -> ReportContext:
    """Return everything the report of a session says; links to files lead from the folder `beside`."""
    detail = session_detail(session)
    given, used = bytes(session.config_given), bytes(session.config_used)
    return ReportContext(
        title=detail.name,
        run_id=detail.run_id,
        state=detail.state,
        explanation=detail.explanation,
        created_at=detail.created_at,
        started_at=detail.started_at,
        ended_at=detail.ended_at,
        seconds=detail.elapsed_seconds,
        trainer=_trainer(session),
        environment=session.environment.path if session.environment else None,
        command=as_shell(detail.command),
        owner=detail.owner,
        behaviors=_behaviors(session, detail),
        curves=_curves(session),
        attempts=[
            AttemptReport(one.number, one.state, one.exit_code, one.started_at, one.ended_at) for one in detail.attempts
        ],
        config_used=used.decode("utf-8", "replace"),
        config_given=given.decode("utf-8", "replace") if given != used else None,
        files=_files(session, beside),
        session_url=f"http://{settings.MENTOR['MENTOR_HOST']}:{settings.MENTOR['MENTOR_PORT']}{detail.url}",
        made_at=timezone.now(),
    )


def _trainer(session: TrainingSession) -> str:
    trainer = session.trainer
    parts = [f"{trainer}", f"Python {trainer.python_version}" if trainer.python_version else ""]
    parts.append(f"PyTorch {trainer.torch_version}" if trainer.torch_version else "")
    return ", ".join(part for part in parts if part)


def _behaviors(session: TrainingSession, detail: SessionDetailShape) -> list[BehaviorReport]:
    rows = {row.behavior: row for row in reward_rows(session)}
    reports = []
    for one in detail.behaviors:
        row = rows.get(one.name)
        reports.append(
            BehaviorReport(
                name=one.name,
                step=one.step,
                max_steps=one.max_steps,
                summary=row.summary if row else None,
                reach_step=row.reach_step if row else None,
                reach_seconds=row.reach_seconds if row else None,
            )
        )
    return reports


def _curves(session: TrainingSession) -> list[Curve]:
    everything, _ = points_after(session, points=CURVE_POINTS)
    # What the attempts took of the machine goes by time and not by steps.
    parts = [part for part in everything if part.behavior != OF_THE_ATTEMPT]
    curves = []
    for tag in sorted({part.tag for part in parts}):
        curves += [_curve(one) for one in stitched([part for part in parts if part.tag == tag]).values()]
    return curves


def _curve(stitched_curve: Stitched) -> Curve:
    whole = stitched_curve.whole
    return Curve(
        whole.behavior,
        whole.tag,
        whole.steps,
        whole.values,
        replaced=[Line(part.steps, part.values) for part in stitched_curve.replaced],
        seams=[Seam(one.attempt, one.step) for one in stitched_curve.seams],
    )


def _files(session: TrainingSession, beside: Path) -> list[FileLink]:
    results = results_of(session)
    if results is None:
        return []
    return [
        FileLink(
            name=artifact.path,
            kind=artifact.kind,
            size=artifact.size,
            sha256=artifact.sha256,
            href=_href(results / artifact.path, beside),
        )
        for artifact in Artifact.objects.filter(session=session, present=True)
    ]


def _href(path: Path, beside: Path) -> str:
    """A relative link, which holds when the whole folder is moved; another drive needs the absolute one."""
    try:
        return quote(Path(os.path.relpath(path, beside)).as_posix())
    except ValueError:
        return path.as_uri()
