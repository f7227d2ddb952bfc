"""What is done about the findings of a training's health: they are remembered, and a training may go back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sessions.domain.health import Finding
from sessions.errors import InvalidInput
from sessions.models import Artifact, Attempt, HealthFinding
from sessions.selectors.health import checkpoints_before, first_steps
from sessions.services import staging
from sessions.services.staging import Chosen
from sessions.services.transitions import touch


def remember(attempt: Attempt, found: Sequence[Finding]) -> None:
    """Store what is found for the first time in an attempt, so that it stays marked when it is over."""
    known = set(HealthFinding.objects.filter(attempt=attempt).values_list("behavior", "kind"))
    news = [one for one in found if (one.behavior, one.kind) not in known]
    if news:
        rows = [HealthFinding(attempt=attempt, **asdict(one)) for one in news]
        HealthFinding.objects.bulk_create(rows, ignore_conflicts=True)
        touch(attempt.session_id)


def to_go_back_to(attempt: Attempt) -> list[Chosen]:
    """Return the best whole checkpoint of each behavior that something was found of, from before it was found.

    Raises InvalidInput when one of them has none.
    """
    found = first_steps(attempt)
    if not found:
        raise InvalidInput("Nothing is known of its health.")
    return [_first_whole(behavior, checkpoints_before(attempt, behavior, step)) for behavior, step in found.items()]


def _first_whole(behavior: str, ranked: Sequence[Artifact]) -> Chosen:
    for artifact in ranked:
        try:
            return staging.chosen_checkpoint(artifact)
        except InvalidInput:
            continue
    raise InvalidInput(f"{behavior} has no checkpoint from before the trouble began.")
