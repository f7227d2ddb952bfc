"""Behaviors over all sessions: best, last, and how often, in a number of queries that does not grow."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sessions.domain.console import Summary
from sessions.models import BehaviorProgress, TrainingSession
from sessions.selectors.behaviors import behavior_entries
from sessions.services.progress import store_summary
from tests.factories import CONFIG, make_session

pytestmark = pytest.mark.usefixtures("home")


def summary(step: int, reward: float, behavior: str = "Ball") -> Summary:
    return Summary(behavior, step, 1.0, reward, 0.1, None, None, training=True)


def test_each_behavior_says_best_last_and_how_much(ada: User) -> None:
    first = make_session(owner=ada, run_id="first")
    second = make_session(owner=ada, run_id="second", config=CONFIG.replace(b"ppo", b"sac"))
    for session, rewards in ((first, [1.0, 7.0, float("nan"), 2.0]), (second, [3.0])):
        for number, reward in enumerate(rewards, 1):
            store_summary(session.pk, summary(number * 100, reward))
    make_session(owner=ada, run_id="walls", config=CONFIG.replace(b"Ball", b"Wall"))
    ball, wall = behavior_entries(ada)
    assert (ball.name, ball.sessions, ball.best_reward, ball.last_reward, ball.last_run_id, ball.steps) == (
        "Ball", 2, 7.0, 3.0, "second", 500,
    )  # fmt: skip
    assert sorted(ball.trainer_types) == ["ppo", "sac"]
    assert (wall.best_reward, wall.last_reward, wall.last_trained_at, wall.trainer_types) == (None, None, None, ["ppo"])


def test_the_trash_and_what_is_not_ones_own_do_not_count(ada: User, cyd: User) -> None:
    make_session(owner=ada, run_id="hers")
    make_session(owner=cyd, run_id="theirs", config=CONFIG.replace(b"Ball", b"Wall"))
    assert [one.name for one in behavior_entries(cyd)] == ["Wall"]
    TrainingSession.objects.filter(run_id="hers").update(trashed_at=timezone.now())
    assert [one.name for one in behavior_entries(ada)] == ["Wall"]


def test_a_reward_that_is_no_number_is_not_the_best(ada: User) -> None:
    session = make_session(owner=ada)
    for step, reward in enumerate((float("inf"), -5.0, float("nan"), -7.0), 1):
        store_summary(session.pk, summary(step, reward))
    assert BehaviorProgress.objects.get().best_reward == -5.0


def test_the_number_of_queries_does_not_grow(ada: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            behavior_entries(ada)
        return len(captured)

    make_session(owner=ada)
    few = queries()
    for number in range(5):
        make_session(owner=ada, config=CONFIG.replace(b"Ball", f"B{number}".encode()))
    assert queries() == few <= 2
