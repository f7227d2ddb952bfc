"""Whose networks a training begins with: another session's, a checkpoint's, or those of files from outside."""

from __future__ import annotations

from django.contrib.auth.models import User

from sessions.domain.config import Config
from sessions.domain.numbers import natural
from sessions.errors import InvalidInput
from sessions.models import Artifact, Trainer
from sessions.selectors.files import has_checkpoint
from sessions.selectors.sessions import visible_sessions
from sessions.services import outside, staging
from sessions.services.staging import Chosen

# What begins the name of a checkpoint from outside where one to start from is asked for.
OUTSIDE = "outside:"


def networks_of(
    source: str, *, run_id: str, number: int, known: tuple[Config | None, Trainer | None], by: User
) -> tuple[str, list[Chosen]]:
    """Return the folder that mlagents-learn is to initialize from, and the checkpoints to lay ready there.

    A session's are read where they are. A checkpoint, or one from outside, is laid ready in a folder of the attempt.
    Raises InvalidInput for what is none, or does not fit what is `known` of the start.
    """
    session = visible_sessions(by).filter(run_id=source).first()
    if session is not None and has_checkpoint(session):
        attempt = session.attempts.order_by("-number").first()
        assert attempt is not None  # noqa: S101 - has_checkpoint looked at it
        return str(attempt.results), []
    chosen = _checkpoints_named(source, by=by)
    config, trainer = known
    if config is not None and trainer is not None:
        staging.check_kind(chosen, trainer.kind)
        chosen = staging.matched(chosen, config.behaviors)
    return str(staging.folder_for(run_id, number)), chosen


def _checkpoints_named(text: str, *, by: User) -> list[Chosen]:
    """The checkpoints of a text such as 17, the id of a file, or outside:name. Raises InvalidInput."""
    if text.startswith(OUTSIDE):
        return outside.checkpoints_in(text.removeprefix(OUTSIDE))
    key = natural(text, most_digits=18)
    rows = Artifact.objects.filter(session__in=visible_sessions(by)).select_related("session", "attempt")
    artifact = rows.filter(pk=key).first() if key is not None else None
    if artifact is None:
        raise InvalidInput(
            f"There is no session {text} with a checkpoint.", hint="Give a run id, or the id of a checkpoint."
        )
    return [staging.chosen_checkpoint(artifact)]
