"""What checkpoints are judged by: the curve of a tag up to an attempt, and how a session's best are chosen."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from sessions.domain.keeping import MODES, SUMMARIES
from sessions.domain.resources import OF_THE_ATTEMPT
from sessions.models import Attempt, Series, TrainingSession
from sessions.selectors.points import points_between
from sessions.selectors.series import taken_over
from sessions.selectors.unattended import rules_of

Curve = tuple[Sequence[int], Sequence[float]]


def curves_up_to(attempt: Attempt, tag: str) -> dict[str, Curve]:
    """Return a tag's steps and values by behavior, as they were when this attempt trained; a later attempt wins.

    What came before the last attempt that began anew by force is of other networks.
    """
    attempts = Attempt.objects.filter(session_id=attempt.session_id, number__lte=attempt.number)
    anew = attempts.filter(force=True).order_by("-number").values_list("number", flat=True).first() or 0
    series = Series.objects.filter(attempt__in=attempts.filter(number__gte=anew), tag=tag)
    curves: dict[str, Curve] = {}
    for one in series.exclude(behavior=OF_THE_ATTEMPT).order_by("behavior", "attempt__number"):
        points = points_between(one)
        if len(points):
            curves[one.behavior] = _joined(curves.get(one.behavior), (points.steps, points.values))
    return curves


def _joined(before: Curve | None, after: Curve) -> Curve:
    if before is None:
        return after
    keep = taken_over(before[0], after[0][0])
    return [*before[0][:keep], *after[0]], [*before[1][:keep], *after[1]]


def keeping_of(session: TrainingSession) -> tuple[int, str, str]:
    """Return how many of the best checkpoints are kept of each behavior, by which tag, and whether max or min is best.

    Without a rule of the session's own, MENTOR_KEEP_BEST says how many.
    """
    rules = rules_of(session)
    count = rules.keep_best if rules.keep_best is not None else int(settings.MENTOR["MENTOR_KEEP_BEST"])
    return count, rules.keep_tag, rules.keep_mode if rules.keep_mode in MODES else MODES[0]


def keeping_in_words(session: TrainingSession) -> str:
    """Return which checkpoints are kept when the trainer removes them; nothing when it was not trained here."""
    if session.origin == "imported":
        return ""
    count, tag, mode = keeping_of(session)
    if not count:
        return "None is kept when the trainer removes it, unless it is released."
    extreme = "largest" if mode == "max" else "smallest"
    return (
        f"The {count} with the {extreme} {tag}, mean of {SUMMARIES} summaries, are kept when the trainer removes them."
    )
