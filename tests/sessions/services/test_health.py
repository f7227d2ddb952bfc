"""A running training whose curves tell of trouble: shown, told once, and ended when its rules say so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from sessions.domain.health import LEARNING_RATE, REWARD, VALUE_LOSS
from sessions.domain.rules import InvalidRules, read_rules
from sessions.domain.states import State
from sessions.metrics.events import Point
from sessions.models import Attempt, SessionEvent, TrainingSession
from sessions.runtime.rundir import ExitRecord
from sessions.selectors.health import findings_of, marks_of, noticed_in
from sessions.services import artifacts, closing, points
from sessions.supervisor.guard import Guard
from tests.factories import make_session
from tests.sessions.api.test_checkpoints_api import weights
from tests.sessions.attempts import OnDisk

pytestmark = pytest.mark.usefixtures("home")


def running(owner: User, **changes: object) -> OnDisk:
    return OnDisk(make_session(owner=owner, state=State.RUNNING, run_id="ball", **changes))


def write(disk: OnDisk, tag: str, values: Sequence[float], *, first: int = 1) -> None:
    rows = [Point(tag, 100 * step, 1e9 + 10 * step, value) for step, value in enumerate(values, first)]
    points.append(disk.attempt, "Ball", rows)


def kinds(disk: OnDisk) -> list[str]:
    return [one.kind for one in findings_of(disk.attempt.session)]


def told(disk: OnDisk) -> list[str]:
    return list(SessionEvent.objects.filter(session=disk.session, who="rule: health").values_list("why", flat=True))


def test_a_value_that_is_no_number_warns_once_and_stands_on_the_page(ada: User, client: Client) -> None:
    disk = running(ada)
    guard = Guard(disk.pk)
    write(disk, VALUE_LOSS, [0.1, 0.2])
    guard.tick(0.0)
    assert disk.attempt.alarm == ""
    write(disk, VALUE_LOSS, [math.nan], first=3)
    guard.tick(10.0)
    guard.tick(20.0)
    assert disk.attempt.alarm == "Watchdog: Ball: A value is no number."
    assert told(disk) == ["Ball: A value is no number."]
    client.force_login(ada)
    assert "Training has diverged" in client.get("/sessions/ball/").content.decode()
    (finding,) = client.get("/api/sessions/ball/health/").json()["results"]
    assert (finding["kind"], finding["behavior"], finding["step"]) == ("nan", "Ball", 300)


def test_what_is_well_again_is_taken_back(ada: User) -> None:
    disk = running(ada)
    guard = Guard(disk.pk)
    write(disk, VALUE_LOSS, [math.inf])
    guard.tick(0.0)
    assert disk.attempt.alarm
    write(disk, VALUE_LOSS, [0.1, 0.1], first=2)
    guard.tick(10.0)
    assert disk.attempt.alarm == ""


@pytest.mark.parametrize(("action", "wish"), [("pause", "pause"), ("stop", "stop"), ("warn", "run")])
def test_a_rule_says_what_follows(ada: User, action: str, wish: str) -> None:
    disk = running(ada, rules={"health_action": action})
    write(disk, VALUE_LOSS, [math.nan])
    Guard(disk.pk).tick(0.0)
    disk.session.refresh_from_db()
    assert disk.session.wanted == wish


def test_curves_of_several_attempts_are_one_course(ada: User) -> None:
    disk = running(ada)
    write(disk, REWARD, [value / 20 for value in range(20)])
    assert kinds(disk) == []
    Attempt.objects.filter(pk=disk.pk).update(state=State.STOPPED.value)
    later = Attempt.objects.create(
        session=disk.session, number=2, cookie="2", state=State.RUNNING.value, results_dir="x", resume=True
    )
    for step, told in ((20, []), (21, ["reward collapse"])):
        points.append(later, "Ball", [Point(REWARD, 100 * step, 1e9 + 10 * step, 0.0)])
        assert kinds(disk) == told


def test_restarts_of_environments_are_counted_from_the_console(ada: User) -> None:
    disk = running(ada)
    write(disk, LEARNING_RATE, [3e-4])
    disk.say(*["[WARNING] Restarting worker[0] after 'Communicator has exited.'"] * 2)
    disk.ingester().step()
    assert disk.attempt.environment_restarts == 2
    assert kinds(disk) == ["restarts"]


def test_one_that_has_ended_is_not_judged(ada: User) -> None:
    disk = OnDisk(make_session(owner=ada, state=State.FAILED, run_id="ball"))
    write(disk, VALUE_LOSS, [math.nan])
    assert kinds(disk) == []


def test_what_was_noticed_stays_marked(ada: User, client: Client) -> None:
    disk = running(ada)
    guard = Guard(disk.pk)
    write(disk, VALUE_LOSS, [0.1, math.nan])
    guard.tick(0.0)
    write(disk, VALUE_LOSS, [0.1, 0.1], first=3)
    guard.tick(10.0)
    write(disk, VALUE_LOSS, [math.nan], first=5)
    guard.tick(20.0)
    TrainingSession.objects.update(state=State.STOPPED.value)
    (mark,) = marks_of(noticed_in(disk.session))
    assert mark == {
        "behavior": "Ball", "tag": VALUE_LOSS, "step": 200, "time": 1e9 + 20, "title": "A value is no number",
    }  # fmt: skip
    client.force_login(ada)
    page = client.get("/sessions/ball/").content.decode()
    assert "Noticed while it trained (1)" in page
    answer = client.get("/api/sessions/ball/health/").json()
    assert (answer["results"], [one["attempt"] for one in answer["noticed"]]) == ([], [1])


def checkpoints(disk: OnDisk, *steps: int, broken: int = 0) -> None:
    for step in steps:
        disk.save(f"Ball/Ball-{step}.pt", b"torn" if step == broken else weights(step))
        disk.save("Ball/checkpoint.pt", weights(step))
        artifacts.store(disk.attempt, disk.results, hashed=True)


def end(disk: OnDisk) -> TrainingSession:
    record = ExitRecord(0, timezone.now().timestamp(), 0, 0, stop_requested=True)
    assert closing.close(disk.ingester(), record)
    disk.session.refresh_from_db()
    return disk.session


def test_a_training_may_go_back_to_its_best_checkpoint(ada: User) -> None:
    disk = running(ada, rules={"health_action": "go_back", "restart_limit": 2})
    write(disk, REWARD, [1 - abs(number - 10) / 30 for number in range(1, 30)])
    checkpoints(disk, 500, 1000, 1500, 2000, 4000)
    write(disk, VALUE_LOSS, [*[0.1] * 29, math.nan])
    Guard(disk.pk).tick(0.0)
    disk.session.refresh_from_db()
    assert disk.session.wanted == "restart"
    session = end(disk)
    assert "Restarts with Ball at step 1,000 " in session.explanation
    assert "(1 of 2)" in session.explanation
    further = session.attempts.get(number=2)
    assert (further.resume, further.automatic) == (True, True)
    assert [(one["behavior"], one["step"]) for one in further.starts_from] == [("Ball", 1000)]


def test_a_broken_checkpoint_is_not_gone_back_to(ada: User) -> None:
    disk = running(ada, rules={"health_action": "go_back", "restart_limit": 2})
    checkpoints(disk, 500, 1000, broken=1000)
    write(disk, VALUE_LOSS, [*[0.1] * 29, math.nan])
    Guard(disk.pk).tick(0.0)
    assert "Restarts with Ball at step 500 " in end(disk).explanation


def test_without_a_checkpoint_from_before_it_ends(ada: User) -> None:
    disk = running(ada, rules={"health_action": "go_back", "restart_limit": 2})
    checkpoints(disk, 500)
    write(disk, VALUE_LOSS, [0.1, math.nan])
    Guard(disk.pk).tick(0.0)
    session = end(disk)
    assert session.state == "stopped"
    assert session.explanation.endswith("Not restarted: Ball has no checkpoint from before the trouble began.")
    assert session.attempts.count() == 1


def test_how_often_it_goes_back_does_not_depend_on_how_far_it_came(ada: User) -> None:
    disk = running(ada, rules={"health_action": "go_back", "restart_limit": 1, "restart_reset_minutes": 1})
    checkpoints(disk, 500)
    now = timezone.now()
    Attempt.objects.update(automatic=True, started_at=now - timedelta(hours=2), progressed_at=now)
    write(disk, VALUE_LOSS, [*[0.1] * 29, math.nan])
    Guard(disk.pk).tick(0.0)
    assert end(disk).explanation.endswith("Not restarted: 1 restart in a row did not help.")


def test_a_restart_has_to_be_limited() -> None:
    with pytest.raises(InvalidRules, match="how often"):
        read_rules({"health_action": "go_back"})
