"""A running training whose curves tell of trouble: shown, told once, and ended when its rules say so."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions.domain.health import LEARNING_RATE, REWARD, VALUE_LOSS
from sessions.domain.states import State
from sessions.metrics.events import Point
from sessions.models import Attempt, SessionEvent
from sessions.selectors.health import findings_of
from sessions.services import points
from sessions.supervisor.guard import Guard
from tests.factories import make_session
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
    rows = [Point(REWARD, 100 * step, 1e9 + 10 * step, 0.0) for step in (20, 21)]
    points.append(later, "Ball", rows)
    assert kinds(disk) == ["reward collapse"]


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
