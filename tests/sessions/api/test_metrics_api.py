"""Series through the API: several tags, a range of steps, seconds of training, many sessions at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from sessions.domain.resources import CPU, OF_THE_ATTEMPT
from sessions.domain.states import State
from sessions.metrics.events import Point
from sessions.models import Attempt, TrainingSession
from sessions.services import compaction, points, starting
from tests.factories import make_session

pytestmark = pytest.mark.usefixtures("home")
REWARD, LOSS = "Environment/Cumulative Reward", "Losses/Policy Loss"


@pytest.fixture
def api(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def write(attempt: Attempt, steps: range, *, tag: str = REWARD, at: float = 1e9, behavior: str = "Ball") -> None:
    """One point a second from `at` on; its value is its step."""
    added = [Point(tag, step, at + number, float(step)) for number, step in enumerate(steps)]
    points.append(attempt, behavior, added)


def resumed(session: TrainingSession) -> Attempt:
    session.attempts.update(state=State.STOPPED.value)
    TrainingSession.objects.filter(pk=session.pk).update(state=State.STOPPED.value)
    session.refresh_from_db()
    return starting.new_attempt(session, by="ada", resume=True, force=False)


@pytest.fixture
def session(ada: User) -> TrainingSession:
    """Trained for ten seconds up to step 9, and an hour later from step 5 on for ten seconds more."""
    session = make_session(owner=ada, run_id="ball", state=State.RUNNING)
    for tag in (REWARD, LOSS):
        write(session.attempts.get(), range(10), tag=tag)
    later = resumed(session)
    for tag in (REWARD, LOSS):
        write(later, range(5, 15), tag=tag, at=1e9 + 3600)
    return session


def series(api: Client, path: str, query: dict[str, Any]) -> list[dict[str, Any]]:
    answer = api.get(f"/api/{path}", query)
    assert answer.status_code == 200, answer.content
    found = answer.json()["series"]
    assert isinstance(found, list)
    return found


def test_several_tags_are_asked_for_at_once(api: Client, session: TrainingSession) -> None:
    write(session.attempts.get(number=1), range(3), tag="other")
    found = series(api, "sessions/ball/metrics/", {"tag": [REWARD, LOSS]})
    assert {one["tag"] for one in found} == {REWARD, LOSS}


def test_a_range_of_steps_has_both_its_ends(api: Client, session: TrainingSession) -> None:
    found = series(api, "sessions/ball/metrics/", {"tag": REWARD, "from": 7, "to": 9})
    assert [(one["attempt"], one["steps"]) for one in found] == [(1, [7, 8, 9]), (2, [7, 8, 9])]
    assert [one["steps"] for one in series(api, "sessions/ball/metrics/", {"tag": REWARD, "from": 12})] == [
        [12, 13, 14]
    ]
    assert api.get("/api/sessions/ball/metrics/?from=now").json()["errors"] == {
        "from": ["A valid integer is required."]
    }


@pytest.mark.parametrize("with_resources", [False, True])
def test_seconds_of_training_leave_out_the_pause_between_attempts(
    api: Client, session: TrainingSession, with_resources: bool
) -> None:
    if with_resources:
        write(session.attempts.get(number=1), range(100), tag=CPU, at=1e9 - 20, behavior=OF_THE_ATTEMPT)
    first, second = series(api, "sessions/ball/metrics/", {"tag": REWARD, "relative": "true"})
    assert first["seconds"] == [float(number) for number in range(10)]
    assert second["seconds"] == [9.0 + number for number in range(10)]
    assert "seconds" not in series(api, "sessions/ball/metrics/", {"tag": REWARD})[0]


def test_an_attempt_that_wrote_no_summary_is_counted_by_its_resources(api: Client, ada: User) -> None:
    one = make_session(owner=ada, run_id="short", state=State.RUNNING)
    write(one.attempts.get(), range(3), tag=CPU, at=50.0, behavior=OF_THE_ATTEMPT)
    (found,) = series(api, "sessions/short/metrics/", {"tag": CPU, "relative": "true"})
    assert found["seconds"] == [0.0, 1.0, 2.0]


def test_many_sessions_say_how_a_tag_stands_in_the_order_asked_for(
    api: Client, ada: User, session: TrainingSession
) -> None:
    write(make_session(owner=ada, run_id="wall").attempts.get(), range(3))
    make_session(owner=ada, run_id="empty")
    found = series(api, "metrics/", {"sessions": "wall,empty,ball", "tag": REWARD})
    assert found == [
        {"run_id": "wall", "behavior": "Ball", "tag": REWARD, "count": 3, "last_step": 2, "last_value": 2.0,
         "min_value": 0.0, "max_value": 2.0},
        {"run_id": "ball", "behavior": "Ball", "tag": REWARD, "count": 20, "last_step": 14, "last_value": 14.0,
         "min_value": 0.0, "max_value": 14.0},
    ]  # fmt: skip


def test_with_points_a_later_attempt_wins_from_its_first_step_on(api: Client, session: TrainingSession) -> None:
    (curve,) = series(api, "metrics/", {"sessions": "ball", "tag": REWARD, "points": 100})
    assert curve["steps"] == curve["values"] == list(range(15))
    assert curve["seconds"] == [0.0, 1.0, 2.0, 3.0, 4.0] + [9.0 + number for number in range(10)]
    assert curve["wall_times"][5] == 1e9 + 3600


@pytest.mark.parametrize("compact", [False, True])
def test_curves_are_thinned_to_the_points_asked_for_all_attempts_together(
    api: Client, session: TrainingSession, compact: bool
) -> None:
    write(session.attempts.get(number=2), range(15, 3015), at=1e9 + 4000)
    if compact:
        session.attempts.update(state=State.STOPPED.value)
        compaction.compact(seconds=60)
    (curve,) = series(api, "metrics/", {"sessions": "ball", "tag": REWARD, "points": 200})
    assert 150 < len(curve["steps"]) <= 210
    assert (curve["steps"][0], curve["steps"][-1]) == (0, 3014)
    assert curve["steps"] == sorted(curve["steps"])


def test_many_sessions_cost_as_many_queries_as_one(
    api: Client, ada: User, session: TrainingSession, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(5):
        write(make_session(owner=ada, run_id=f"s{number}").attempts.get(), range(30))
    every = "ball,s0,s1,s2,s3,s4"
    for points_asked, queries in (({}, 5), ({"points": 9}, 8)):
        for names in ("ball", every):
            with django_assert_num_queries(queries):
                series(api, "metrics/", {"sessions": names, "tag": REWARD, **points_asked})


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 400),
        ({"sessions": ""}, 400),
        ({"sessions": ","}, 400),
        ({"sessions": ",".join(f"s{n}" for n in range(501))}, 400),
        ({"sessions": "ball,nothing"}, 404),
        ({"sessions": "ball", "points": 1}, 400),
        ({"sessions": "ball,ball"}, 200),
    ],
)
def test_what_cannot_be_answered_is_refused(
    api: Client, session: TrainingSession, query: dict[str, Any], status: int
) -> None:
    assert api.get("/api/metrics/", query).status_code == status


def test_more_points_than_a_page_could_use_are_refused(
    api: Client, session: TrainingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions.selectors.across.MOST_POINTS", 30)
    answer = api.get("/api/metrics/?sessions=ball&points=100")
    assert (answer.status_code, answer.json()["hint"]) == (400, "Name tags, or ask for fewer points.")
    assert api.get("/api/metrics/?sessions=ball&points=15").status_code == 200


def test_sessions_of_others_are_as_if_they_were_not_there(client: Client, cyd: User, session: TrainingSession) -> None:
    client.force_login(cyd)
    assert client.get("/api/metrics/", {"sessions": "ball"}).status_code == 404
