"""A trial queues one setting after the other, measures, removes, and ends with what may be proposed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from sessions.domain.resources import MEMORY, OF_THE_ATTEMPT
from sessions.domain.states import State
from sessions.domain.trial import Limits, Setting
from sessions.errors import Conflict, InvalidInput, InvalidStart, NotAllowed
from sessions.metrics.events import Point
from sessions.models import Environment, TrainingSession, Trial, TrialRun
from sessions.runtime.rundir import RunDirectory
from sessions.selectors.trials import open_trials, trial_shape
from sessions.services import measuring, points, throwing_away, trials
from sessions.supervisor.trying import PATIENCE_SECONDS, TrialWatch
from tests.factories import make_mlagents_trainer, make_practice_trainer, make_request, make_session
from tests.sessions.services.queueing import build_at

pytestmark = pytest.mark.usefixtures("launches")


@pytest.fixture
def build(tmp_path_factory: pytest.TempPathFactory) -> str:
    make_mlagents_trainer()
    make_practice_trainer()
    return str(build_at(tmp_path_factory.mktemp("build")))


@pytest.fixture(autouse=True)
def machine_of_two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "limits_of", lambda trial: Limits(cores=2, memory_free=100 * 1024**3))


def begun(by: User, build: str, **changes: Any) -> Trial:
    asked = {"run_id": "ball", "trainer": "mlagents", "env_path": build, "time_scale": 100.0, **changes}
    return trials.begin(make_request(**asked), by=by, seconds=10.0)


def measured_now(trial: Trial) -> TrialRun:
    return trial.runs.select_related("session").order_by("-number")[0]


def put(run: TrialRun, state: State, explanation: str = "It ended.") -> None:
    TrainingSession.objects.filter(run_id=run.run_id).update(state=state.value, explanation=explanation)
    run.session.attempts.update(state=state.value)  # type: ignore[union-attr]


def train(run: TrialRun, rate: float, summaries: int = 20) -> None:
    """The points of a trainer that goes at this rate."""
    attempt = run.session.attempts.get()  # type: ignore[union-attr]
    steps = [200 * number for number in range(1, summaries + 1)]
    points.append(attempt, "Ball", [Point("Policy/Is Training", step, 1e9 + step / rate, 1.0) for step in steps])
    points.append(attempt, OF_THE_ATTEMPT, [Point(MEMORY, 0, 2e9, 1024.0**3)])


def again(trial: Trial) -> Trial:
    return Trial.objects.select_related("trainer", "environment").get(pk=trial.pk)


def advance(trial: Trial, **told: bool) -> None:
    measuring.advance(again(trial), **told)


def play(trial: Trial, *rates: float | None) -> Trial:
    """Bring a trial on, with the rate of each setting; None fails."""
    for rate in rates:
        advance(trial)
        run = measured_now(trial)
        put(run, State.RUNNING)
        if rate is not None:
            train(run, rate)
        advance(trial)
        put(run, State.FAILED if rate is None else State.STOPPED, "Its environment crashed.")
        advance(trial)
        advance(trial)  # removes it
    advance(trial)
    return again(trial)


def test_a_setting_is_a_session_like_the_one_asked_for_but_never_ends(ada: User, build: str, home: Path) -> None:
    trial = begun(ada, build, seed=7, tags=("a",), overrides={"behaviors.Ball.max_steps": 900})
    advance(trial)
    run = measured_now(trial)
    session = run.session
    assert session is not None
    assert (session.run_id, session.origin, session.owner) == ("ball-trial-1", "trial", ada)
    assert session.options == {"seed": 7, "num_envs": 1, "time_scale": 100.0}
    assert b"1000000000000" in bytes(session.config_used)
    assert session.rules == {"budget_minutes": pytest.approx((180 + 40) / 60)}
    attempt = session.attempts.get()
    assert Path(attempt.results_dir) == RunDirectory(home, "ball-trial-1").results
    assert Environment.objects.get().path == build
    advance(trial)
    assert TrainingSession.objects.count() == 1


def test_two_environments_that_are_faster_are_proposed_and_nothing_of_the_trial_stays(
    ada: User, build: str, home: Path
) -> None:
    done = play(begun(ada, build), 100.0, 190.0, 101.0)
    assert done.state == "done"
    shape = trial_shape(done)
    assert shape.changes == {"num_envs": 2}
    assert shape.gain == pytest.approx(190 / 101, rel=1e-3)
    assert [(one.num_envs, one.state, one.proposed, one.present) for one in shape.runs] == [
        (1, "done", False, True), (2, "done", True, False), (1, "done", False, True),
    ]  # fmt: skip
    assert shape.runs[1].memory_bytes == 1024.0**3
    assert TrainingSession.objects.count() == 0
    assert not list(Path(home, "runs").iterdir())
    assert open_trials() == []
    asked = trials.request_of(done)
    assert (asked.num_envs, asked.time_scale, asked.run_id, asked.env_path) == (2, 100.0, "ball", build)


def test_what_is_not_faster_is_not_proposed(ada: User, build: str) -> None:
    done = play(begun(ada, build), 100.0, 101.0)
    assert (done.state, done.result["setting"]) == ("done", None)
    assert "No setting was faster" in trial_shape(done).proposal


def test_a_setting_that_fails_says_why_and_the_others_go_on(ada: User, build: str) -> None:
    done = play(begun(ada, build, time_scale=50.0), 100.0, None, 150.0, 100.0)
    shape = trial_shape(done)
    assert [one.state for one in shape.runs] == ["done", "failed", "done", "done"]
    assert shape.runs[1].reason == "Its environment crashed."
    assert shape.changes == {"time_scale": 100.0}


def test_settings_of_now_that_fail_end_the_trial_with_the_reason(ada: User, build: str) -> None:
    failed = play(begun(ada, build), None)
    assert failed.state == "failed"
    assert "Its environment crashed." in trial_shape(failed).explanation


def test_what_is_measured_long_enough_is_stopped_by_rule_and_others_beside_it_are_noted(ada: User, build: str) -> None:
    trial = begun(ada, build)
    advance(trial)
    run = measured_now(trial)
    put(run, State.RUNNING)
    train(run, 1000.0)  # four seconds
    advance(trial)
    run = measured_now(trial)
    assert (run.state, run.beside, run.session.wanted) == ("running", False, "run")  # type: ignore[union-attr]
    make_session(owner=ada, run_id="other", state=State.RUNNING)
    train(run, 100.0)
    advance(trial)
    run = measured_now(trial)
    assert (run.beside, run.session.wanted) == (True, "stop")  # type: ignore[union-attr]


def test_too_few_summaries_are_no_measurement(ada: User, build: str) -> None:
    trial = begun(ada, build)
    advance(trial)
    put(measured_now(trial), State.STOPPED, "Its time is over.")
    advance(trial)
    assert "Its time is over. Too few summaries" in measured_now(trial).reason


def test_what_the_memory_does_not_hold_is_left_out(ada: User, build: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "limits_of", lambda trial: Limits(cores=2, memory_free=1024**3))
    done = play(begun(ada, build), 100.0)
    advance(done)
    shape = trial_shape(again(done))
    assert [one.state for one in shape.runs] == ["done", "failed"]
    assert "Left out" in shape.runs[1].reason
    assert again(done).state == "done"


def test_a_setting_that_waits_for_ports_that_never_come_is_given_up(ada: User, build: str) -> None:
    trial = begun(ada, build)
    watch = TrialWatch()
    watch.tick(0.0)
    run = measured_now(trial)
    TrainingSession.objects.filter(run_id=run.run_id).update(waits_for="port", explanation="Waits for 64 ports.")
    watch.tick(2.0)
    assert TrainingSession.objects.get().wanted == "run"
    watch.tick(2.0 + PATIENCE_SECONDS)
    watch.tick(4.0 + PATIENCE_SECONDS)
    assert measured_now(trial).state == "failed"
    assert "Waits for 64 ports." in measured_now(trial).reason
    watch.tick(6.0 + PATIENCE_SECONDS)
    watch.tick(8.0 + PATIENCE_SECONDS)
    assert again(trial).state == "failed"


def test_a_stop_ends_what_is_measured_and_queues_nothing_further(ada: User, ben: User, cyd: User, build: str) -> None:
    trial = begun(ada, build)
    advance(trial)
    with pytest.raises(NotAllowed):
        trials.stop(trial, by=ben)
    stopped = trials.stop(trial, by=cyd)
    assert (stopped.state, stopped.reason) == ("stopped", "Stopped by cyd.")
    assert trials.stop(trial, by=ada).reason == "Stopped by cyd."
    watch = TrialWatch()
    for second in range(3):
        watch.tick(2.0 * second)
    assert [one.state for one in trial.runs.all()] == ["stopped"]
    assert TrainingSession.objects.count() == 0


def test_a_setting_that_was_queued_while_the_trial_was_stopped_is_stopped_too(ada: User, build: str) -> None:
    trial = begun(ada, build)
    advance(trial)
    Trial.objects.update(state="stopped")
    advance(trial)
    assert TrainingSession.objects.get().wanted == "stop"


def test_two_trials_would_disturb_each_other(ada: User, build: str) -> None:
    begun(ada, build)
    with pytest.raises(Conflict, match="under way"):
        begun(ada, build)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"env_path": None}, "needs a build"),
        ({"env_path": None, "trainer": "practice"}, "needs a build"),
        ({"num_envs": 65}, "from 1 to 64"),
    ],
)
def test_what_cannot_be_tried_is_refused_as_a_start_is(
    ada: User, build: str, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidStart, match=words):
        begun(ada, build, **changes)
    assert not Trial.objects.exists()


def test_who_may_not_start_may_not_try_either_also_later(ada: User, ben: User, cyd: User, build: str) -> None:
    with pytest.raises(NotAllowed):
        begun(ben, build)
    with pytest.raises(InvalidStart, match="not registered"):
        begun(cyd, build)
    with pytest.raises(InvalidInput):
        trials.begin(make_request(env_path=build), by=ada, seconds=1.0)
    trial = begun(ada, build)
    User.objects.filter(pk=ada.pk).update(is_active=False)
    advance(trial)
    assert "may not start sessions any more" in again(trial).reason


def test_a_session_is_tried_as_it_was_started(ada: User, build: str) -> None:
    session = make_session(
        owner=ada, run_id="old", state=State.COMPLETED, trainer="mlagents", env_path=build, num_envs=2, notes="kept"
    )
    trial = trials.begin_like(session, by=ada, seconds=10.0)
    assert (trial.session, trial.run_id) == (session, "old")
    assert trial.present == asdict(Setting(2))
    assert trials.request_of(trial).notes == "kept"
    session.delete()
    assert again(trial).session is None


def test_a_second_look_at_the_same_moment_changes_nothing(ada: User, build: str) -> None:
    trial = begun(ada, build)
    stale = again(trial)
    advance(trial)
    measuring._next(stale, 1, Setting(), "")
    assert trial.runs.count() == TrainingSession.objects.count() == 1


def test_what_is_left_of_a_trial_that_is_gone_is_ended_and_removed(ada: User, build: str, settings: Settings) -> None:
    trial = begun(ada, build)
    advance(trial)
    run = measured_now(trial)
    put(run, State.RUNNING)
    trial.delete()
    TrialWatch().tick(0.0)
    assert TrainingSession.objects.get().wanted == "kill"
    TrainingSession.objects.update(state=State.STOPPED.value)
    TrialWatch().tick(0.0)
    assert not TrainingSession.objects.exists()
    with pytest.raises(Conflict):
        throwing_away.remove(make_session(owner=ada))
