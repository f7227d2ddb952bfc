"""Judging checkpoints by the curves: what a reader computes once is stored with them."""

from __future__ import annotations

from sessions.domain.keeping import smoothed
from sessions.domain.rules import REWARD_TAG
from sessions.models import Artifact, Attempt, TrainingSession
from sessions.selectors.scores import curves_up_to, keeping_of


def rescore(attempt: Attempt) -> None:
    """Bring the scores of the checkpoints this attempt saved up to date with the points that are stored."""
    saved = list(Artifact.objects.filter(attempt=attempt, step__isnull=False))
    if not saved:
        return
    tags = {"smoothed": REWARD_TAG, "score": keeping_of(attempt.session)[1]}
    curves = {tag: curves_up_to(attempt, tag) for tag in set(tags.values())}
    for artifact in saved:
        news = {}
        for column, tag in tags.items():
            steps, values = curves[tag].get(artifact.behavior, ((), ()))
            news[column] = smoothed(steps, values, artifact.step or 0)
        if any(getattr(artifact, column) != value for column, value in news.items()):
            Artifact.objects.filter(pk=artifact.pk).update(**news)


def rescore_all(session: TrainingSession) -> None:
    """Judge all checkpoints of a session anew, by the tag that its rules name now."""
    for attempt in session.attempts.select_related("session"):
        rescore(attempt)
