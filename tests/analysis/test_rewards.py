"""Rewards of a session: attempts joined to one series per behavior, each with its summary."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from analysis.rewards import reward_rows
from sessions.domain.states import State
from sessions.metrics.events import Point
from sessions.models import Attempt, TrainingSession
from sessions.selectors.series import REWARD_TAG
from sessions.services import points, starting
from tests.factories import make_session


@pytest.fixture
def session(ada: User, home: Path) -> TrainingSession:
    return make_session(owner=ada, run_id="ball", state=State.RUNNING)


def store(
    attempt: Attempt, rewards: list[float], *, first: int = 1, behavior: str = "Ball", tag: str = REWARD_TAG
) -> None:
    points.append(
        attempt,
        behavior,
        [Point(tag, step * 100, 1e9 + step * 10, reward) for step, reward in enumerate(rewards, first)],
    )


def further_attempt(session: TrainingSession, *, force: bool = False) -> Attempt:
    session.attempts.update(state=State.STOPPED.value)
    TrainingSession.objects.filter(pk=session.pk).update(state=State.STOPPED.value)
    session.refresh_from_db()
    return starting.new_attempt(session, by="ada", resume=not force, force=force)


def test_a_session_without_rewards_has_no_rows(session: TrainingSession) -> None:
    assert reward_rows(session) == []
    store(session.attempts.get(), [1.0] * 10, tag="Losses/Value Loss")
    store(session.attempts.get(), [math.nan, math.inf])
    assert reward_rows(session) == []


def test_every_behavior_has_a_row_of_plain_values(session: TrainingSession) -> None:
    attempt = session.attempts.get()
    store(attempt, [0.0] * 10 + [10.0] * 10)
    store(attempt, [4.0], behavior="Wall")
    ball, wall = (row.flat() for row in reward_rows(session))
    assert ball == {
        "behavior": "Ball", "points": 20, "first": 0.0, "last": 10.0, "final": 10.0, "best": 10.0, "best_step": 1100,
        "best_seconds": 100.0, "last_step": 2000, "seconds": 190.0, "reach_step": 1500, "reach_seconds": 140.0,
    }  # fmt: skip
    assert (wall["behavior"], wall["last"], wall["reach_step"], wall["reach_seconds"]) == ("Wall", 4.0, None, None)


def test_values_that_are_no_number_are_left_out(session: TrainingSession) -> None:
    store(session.attempts.get(), [math.nan, 1.0, math.inf, 3.0, math.nan])
    (row,) = reward_rows(session)
    assert (row.summary.points, row.summary.first, row.summary.last, row.summary.last_step) == (2, 1.0, 3.0, 400)


def test_attempts_count_together_and_what_was_trained_again_counts_once(session: TrainingSession) -> None:
    store(session.attempts.get(), [1.0, 2.0, 99.0])
    store(further_attempt(session), [3.0, 4.0], first=3)
    (row,) = reward_rows(session)
    assert (row.summary.points, row.summary.first, row.summary.best, row.summary.last) == (4, 1.0, 4.0, 4.0)


def test_what_was_before_a_start_anew_does_not_count(session: TrainingSession) -> None:
    store(session.attempts.get(), [50.0])
    forced = further_attempt(session, force=True)
    assert reward_rows(session) == []
    store(forced, [2.0])
    assert [row.summary.best for row in reward_rows(session)] == [2.0]


def test_the_summary_is_handed_out_to_who_may_see_the_session(
    client: Client, session: TrainingSession, ada: User, cyd: User
) -> None:
    store(session.attempts.get(), [1.0, math.nan, 2.0])
    client.force_login(ada)
    summary = client.get("/api/sessions/ball/summary/").json()
    assert (summary["run_id"], summary["state"]) == ("ball", "running")
    assert [(one["behavior"], one["points"], one["final"]) for one in summary["behaviors"]] == [("Ball", 2, 2.0)]
    section = (
        client.get("/sessions/ball/").content.decode().partition('id="reward-summary"')[2].partition("</section>")[0]
    )
    assert "2.000" in section
    client.force_login(cyd)
    assert client.get("/api/sessions/ball/summary/").status_code == 404
