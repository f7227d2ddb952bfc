"""Attempts stitched to one curve: what was trained again is kept beside it, and the seams are known."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.states import State
from sessions.metrics.events import Point
from sessions.models import Attempt, TrainingSession
from sessions.selectors.series import REWARD_TAG, PointsShape
from sessions.selectors.stitching import SeamShape, seams_of, stitched
from sessions.services import points, starting
from tests.factories import make_session

pytestmark = pytest.mark.usefixtures("home")


def part(attempt: int, steps: list[int], *, behavior: str = "Ball") -> PointsShape:
    """Points of one attempt; a value tells of which attempt it is."""
    values: list[float | None] = [attempt + step / 1000 for step in steps]
    return PointsShape(behavior, REWARD_TAG, attempt, steps, values, [float(attempt)] * len(steps))


@pytest.mark.parametrize(
    ("parts", "steps", "from_attempt", "replaced", "seams"),
    [
        ([part(1, [1, 2])], [1, 2], [1, 1], [], []),
        ([part(1, [1, 2]), part(2, [3, 4])], [1, 2, 3, 4], [1, 1, 2, 2], [], [(2, 3)]),
        ([part(2, [3, 4]), part(1, [1, 2])], [1, 2, 3, 4], [1, 1, 2, 2], [], [(2, 3)]),
        ([part(1, [1, 2, 3, 4]), part(2, [3, 5])], [1, 2, 3, 5], [1, 1, 2, 2], [[2, 3, 4]], [(2, 3)]),
        ([part(1, [1, 2]), part(2, [1, 2])], [1, 2], [2, 2], [[1, 2]], [(2, 1)]),
        ([part(1, [1, 2, 3]), part(2, [2, 3]), part(3, [3, 4])], [1, 2, 3, 4], [1, 2, 3, 3],
         [[1, 2, 3], [2, 3]], [(2, 2), (3, 3)]),
    ],
)  # fmt: skip
def test_a_later_attempt_wins_from_its_first_step_on(
    parts: list[PointsShape],
    steps: list[int],
    from_attempt: list[int],
    replaced: list[list[int]],
    seams: list[tuple[int, int]],
) -> None:
    curve = stitched(parts)["Ball"]
    assert curve.whole.steps == steps
    assert [int(value or 0) for value in curve.whole.values] == from_attempt
    assert len(curve.whole.wall_times) == len(steps)
    assert [one.steps for one in curve.replaced] == replaced
    assert [(one.attempt, one.step) for one in curve.seams] == seams


def test_nothing_makes_no_curve() -> None:
    assert stitched([]) == {}


def test_each_behavior_is_stitched_by_itself_and_the_parts_stay_as_they_are() -> None:
    parts = [part(1, [1, 2, 3]), part(2, [2]), part(1, [1, 5], behavior="Wall")]
    curves = stitched(parts)
    assert (curves["Ball"].whole.steps, curves["Wall"].whole.steps) == ([1, 2], [1, 5])
    assert (len(curves["Ball"].seams), curves["Wall"].seams) == (1, [])
    assert parts[0].steps == [1, 2, 3]


STEPS = st.lists(st.integers(0, 60), min_size=1, max_size=20, unique=True).map(sorted)


@given(st.lists(STEPS, min_size=1, max_size=4))
def test_no_point_is_lost_and_the_curve_never_goes_back(attempts: list[list[int]]) -> None:
    curve = stitched(part(number, steps) for number, steps in enumerate(attempts, 1))["Ball"]
    assert curve.whole.steps == sorted(set(curve.whole.steps))
    drawn = {value for line in (curve.whole, *curve.replaced) for value in line.values}
    assert drawn == {number + step / 1000 for number, steps in enumerate(attempts, 1) for step in steps}
    assert [one.step for one in curve.seams] == [steps[0] for steps in attempts[1:]]


@pytest.fixture
def session(ada: User) -> TrainingSession:
    return make_session(owner=ada, run_id="ball", state=State.RUNNING)


def resumed(session: TrainingSession) -> Attempt:
    session.attempts.update(state=State.STOPPED.value)
    TrainingSession.objects.filter(pk=session.pk).update(state=State.STOPPED.value)
    session.refresh_from_db()
    return starting.new_attempt(session, by="ada", resume=True, force=False)


def store(attempt: Attempt, steps: list[int], *, behavior: str = "Ball", tag: str = REWARD_TAG) -> None:
    points.append(attempt, behavior, [Point(tag, step, 1e9 + step, step / 4) for step in steps])


def test_the_seams_of_a_session_are_where_its_attempts_took_each_behavior_on(session: TrainingSession) -> None:
    store(session.attempts.get(), [100, 200, 300])
    assert seams_of(session) == []
    second = resumed(session)
    store(second, [200, 300], tag="Losses/Value Loss")
    store(second, [400])
    store(second, [100], behavior="Wall")
    store(resumed(session), [500])
    assert seams_of(session) == [SeamShape("Ball", 2, 200), SeamShape("Ball", 3, 500)]


def test_the_api_tells_the_seams_beside_the_points(client: Client, ada: User, session: TrainingSession) -> None:
    store(session.attempts.get(), [100, 200, 300])
    store(resumed(session), [200, 400])
    client.force_login(ada)
    seams = [{"behavior": "Ball", "attempt": 2, "step": 200}]
    for query in ("", f"?tag={REWARD_TAG}"):
        answer = client.get(f"/api/sessions/ball/metrics/{query}").json()
        assert answer["seams"] == seams
        assert [one["attempt"] for one in answer["series"]] == [1, 2]
