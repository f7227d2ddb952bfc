"""The history of a session beside its rewards: lessons under their names, ELO, win rates, episodes."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from analysis.drawing import bars
from analysis.history import estimated_episodes, histories
from analysis.lessons import Course, lesson_names, parameter_of, stays
from sessions.domain.states import State
from sessions.metrics.events import Point
from sessions.models import TrainingSession
from sessions.selectors.series import REWARD_TAG
from sessions.services import points
from tests.factories import CONFIG, make_session

CURRICULUM = b"""environment_parameters:
  gravity: 9.81
  wall_height:
    curriculum:
      - name: Easy
        completion_criteria: {behavior: Ball, threshold: 0.5}
        value: 1.0
      - name: Hard
        value: 4.0
"""


@pytest.fixture
def session(ada: User, home: Path) -> TrainingSession:
    return make_session(owner=ada, run_id="ball", state=State.RUNNING, config=CONFIG + CURRICULUM)


def store(session: TrainingSession, tag: str, values: list[float], behavior: str = "Ball") -> None:
    written = [Point(tag, step * 100, 1e9 + step * 10, value) for step, value in enumerate(values, 1)]
    points.append(session.attempts.get(), behavior, written)


@pytest.mark.parametrize(
    ("tag", "parameter"),
    [
        ("Environment/Lesson Number/wall height/max", "wall height/max"),
        ("Environment/Lesson/wall", "wall"),
        ("Environment/Lesson", ""),
        ("Environment/Lesson Number", ""),
        ("Environment/Lessons", None),
        ("Lesson/wall", None),
    ],
)
def test_a_lesson_is_counted_under_three_names(tag: str, parameter: str | None) -> None:
    assert parameter_of(tag) == parameter


@given(st.lists(st.integers(0, 3), max_size=30))
def test_stays_follow_one_another_and_name_what_was_trained(numbers: list[int]) -> None:
    steps = [step * 10 for step in range(1, len(numbers) + 1)]
    found = stays(steps, [float(step) for step in steps], [float(one) for one in numbers], ["a", "b"])
    told = [stay.number for stay in found for step in steps if stay.first_step <= step <= stay.last_step]
    assert told == numbers
    assert all(one.number != other.number for one, other in pairwise(found))
    assert sum(stay.seconds for stay in found) == (steps[-1] - steps[0] if steps else 0)
    assert {stay.name for stay in found} <= {"a", "b", "lesson 2", "lesson 3"}
    assert sum(float(bar.width) for bar in bars(Course("", "", found, None))) == pytest.approx(
        1000 if steps else 0, 0.1
    )


@pytest.mark.parametrize("tree", [{}, {"environment_parameters": None}, {"environment_parameters": {"a": 1, "b": {}}}])
def test_a_configuration_without_curricula_has_no_names(tree: dict[str, object]) -> None:
    assert lesson_names(tree) == {}


def test_lessons_have_the_names_of_the_configuration(session: TrainingSession) -> None:
    store(session, "Environment/Lesson Number/wall_height", [0, 0, 1, 1, math.nan, 1])
    store(session, "Environment/Lesson Number/gravity", [0, 0, 0])
    (course,) = histories(session)["Ball"].courses
    assert (course.parameter, course.lessons) == ("wall_height", 2)
    assert [(one.name, one.first_step, one.last_step, one.seconds) for one in course.stays] == [
        ("Easy", 100, 200, 20.0),
        ("Hard", 300, 600, 30.0),
    ]


def test_self_play_has_a_rating_and_an_expected_win_rate(session: TrainingSession) -> None:
    store(session, "Self-play/ELO", [1200.0, 1300.0, 1250.0])
    history = histories(session)["Ball"]
    assert history.elo is not None
    assert (history.elo.first, history.elo.best, history.elo.last) == (1200.0, 1300.0, 1250.0)
    (rate,) = history.win_rates
    assert (rate.kind, rate.steps) == ("elo", [200, 300])
    assert rate.best == pytest.approx(0.640, abs=0.001)


def test_a_long_win_rate_is_thinned_and_keeps_its_end(session: TrainingSession) -> None:
    store(session, "Self-play/ELO", [1200.0 + step for step in range(1300)])
    (rate,) = histories(session)["Ball"].win_rates
    assert len(rate.steps) == len(rate.values) <= 501
    assert rate.steps[-1] == 130_000


def test_a_tag_that_says_so_is_a_win_rate_if_its_values_are_shares(session: TrainingSession) -> None:
    store(session, "Environment/Win Rate", [0.0, 1.0])
    store(session, "Environment/Wins", [3.0, 4.0])
    (rate,) = histories(session)["Ball"].win_rates
    assert (rate.kind, rate.tag, rate.values) == ("signal", "Environment/Win Rate", [0.0, 0.5])


def test_episodes_are_counted_or_estimated(session: TrainingSession) -> None:
    assert estimated_episodes([100, 200, 300], [10.0, None, 20.0]) == 20
    store(session, "Environment/Episode Length", [10.0, 20.0])
    episodes = histories(session)["Ball"].episodes
    assert episodes is not None
    assert (episodes.count, episodes.estimated) == (15, True)
    store(session, "time/episodes", [7.0, 9.0])
    episodes = histories(session)["Ball"].episodes
    assert episodes is not None
    assert (episodes.count, episodes.estimated) == (9, False)


def test_the_summary_and_the_page_show_it_only_where_it_is(session: TrainingSession, client: Client, ada: User) -> None:
    client.force_login(ada)
    store(session, REWARD_TAG, [1.0, 2.0])
    (row,) = client.get("/api/sessions/ball/summary/").json()["behaviors"]
    assert (row["elo"], row["win_rates"], row["lessons"], row["episodes"]) == (None, [], [], None)
    page = client.get("/sessions/ball/").content.decode()
    assert "Win rate" not in page
    assert ">Lessons<" not in page
    store(session, "Self-play/ELO", [1200.0, 1210.0])
    store(session, "Environment/Lesson Number/wall_height", [0.0, 1.0])
    (row,) = client.get("/api/sessions/ball/summary/").json()["behaviors"]
    assert row["elo"] == {"first": 1200.0, "best": 1210.0, "last": 1210.0}
    assert row["lessons"][0]["stays"][1]["name"] == "Hard"
    page = client.get("/sessions/ball/").content.decode()
    assert "expected from ELO" in page
    assert "<title>Hard</title>" in page
