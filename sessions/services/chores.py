"""What is still to be done to the files of sessions: noted with the session, done in slices by the worker."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from sessions.models import TrainingSession

UPKEEP_TASK = "sessions.tasks.upkeep"
RETRY = timedelta(minutes=10)


def due() -> QuerySet[TrainingSession]:
    """Return the sessions whose files wait for something that may be tried now, oldest first."""
    free = Q(chore_after__isnull=True) | Q(chore_after__lte=timezone.now())
    return TrainingSession.objects.exclude(chore="").filter(free).order_by("pk")


def upkeep_soon() -> None:
    """Let the worker do a slice of what is due."""
    async_task(UPKEEP_TASK)


def finish(session: TrainingSession, **columns: object) -> bool:
    """Note that the session's chore is done; False when it has got another one meanwhile."""
    rows = TrainingSession.objects.filter(pk=session.pk, chore=session.chore)
    return bool(rows.update(chore="", chore_after=None, **columns))


def postpone(session: TrainingSession) -> None:
    """Try the session's chore again later."""
    TrainingSession.objects.filter(pk=session.pk, chore=session.chore).update(chore_after=timezone.now() + RETRY)
