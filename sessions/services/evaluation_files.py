"""The throw-away copy that an evaluation acts with: laid ready before it starts, removed when it is counted."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings

from sessions.errors import Conflict, LaunchFailed, MentorError
from sessions.models import Artifact, Evaluation, EvaluationRun, TrainingSession
from sessions.models.session import EVALUATION
from sessions.runtime.rundir import RunDirectory
from sessions.selectors.files import artifact_file
from sessions.services.artifacts import sha256_of
from sessions.trainers.checkpoints import CURRENT, Condition, condition

STAGED = "staged"
BROKEN = {
    Condition.BROKEN: "{} is broken.",
    Condition.BLANK: "{} holds no weights.",
    Condition.MISSING: "{} is no longer there.",
}


def staged_folder(run_id: str) -> Path:
    """Return where the checkpoints lie with which the session of this run id acts, each as its behavior's newest."""
    return RunDirectory(settings.MENTOR_HOME, run_id).path / STAGED


def lay_ready(session: TrainingSession) -> None:
    """Copy the checkpoints that a part of an evaluation acts with; of any other session nothing is done.

    Raises LaunchFailed for one that is gone, broken, or not what it was when it was chosen.
    """
    run = EvaluationRun.objects.filter(session=session).select_related("evaluation__session").first()
    if run is None:
        return
    evaluation = run.evaluation
    folder = staged_folder(session.run_id)
    for behavior, key in evaluation.checkpoints.items():
        _copy(evaluation, key, folder / behavior / CURRENT)
    digest = sha256_of(folder / evaluation.behavior / CURRENT)
    if not Evaluation.objects.filter(pk=evaluation.pk, sha256__in=("", digest)).update(sha256=digest):
        raise LaunchFailed("The checkpoint is not what it was when it was chosen.", hint="Evaluate it anew.")


def _copy(evaluation: Evaluation, key: int, target: Path) -> None:
    name = Artifact.objects.filter(pk=key).values_list("path", flat=True).first() or "The checkpoint"
    try:
        source = artifact_file(evaluation.session, key)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    except MentorError as error:
        raise LaunchFailed(error.detail) from error
    found = condition(target)
    if found is not Condition.WHOLE:
        raise LaunchFailed(BROKEN[found].format(name))


def remove(session: TrainingSession) -> bool:
    """Remove everything that a part of an evaluation left, files first; return whether all of it is gone."""
    if session.origin != EVALUATION:
        raise Conflict(f"{session.run_id} is no part of an evaluation.")
    folder = RunDirectory(settings.MENTOR_HOME, session.run_id).path
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        return False
    session.delete()
    return True
