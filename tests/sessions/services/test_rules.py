"""Sessions that nobody watches: warned about, stopped and restarted by their rules, once, with the reason."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from sessions.domain.resources import MEMORY
from sessions.domain.rules import MEGABYTE, InvalidRules
from sessions.domain.states import State
from sessions.errors import Conflict, InvalidStart
from sessions.metrics.events import Point
from sessions.models import Attempt, Machine, SessionEvent, TrainingSession
from sessions.runtime.rundir import ExitRecord
from sessions.services import closing, launching, points, queue, rules, starting, stopping
from sessions.services.editing import resume
from sessions.services.transitions import move
from sessions.supervisor import guard
from tests.factories import make_request, make_session
from tests.sessions.attempts import CONNECTED, LISTENING, OnDisk, summary
from tests.sessions.services.queueing import Launches, again

pytestmark = pytest.mark.usefixtures("home")
followed: list[int] = []
RESTART = {"restart_limit": 2, "restart_pause_seconds": 60}


def follow(session_id: int) -> None:
    """A task of MENTOR_AFTER_SESSION; the name is how settings name it."""
    followed.append(session_id)


@pytest.fixture(autouse=True)
def tasks(settings: Settings) -> None:
    followed.clear()
    settings.MENTOR_AFTER_SESSION = [f"{__name__}.follow"]


def training(owner: User, chosen: dict[str, Any], state: State = State.RUNNING) -> OnDisk:
    """A session with these rules that started a minute ago."""
    written = OnDisk(make_session(owner=owner, state=state, rules=chosen))
    started = timezone.now() - timedelta(minutes=1)
    Attempt.objects.filter(pk=written.pk).update(launched_at=started, started_at=started)
    return written


def look(written: OnDisk, times: int = 1, **known: Any) -> None:
    """Look at the attempt as the supervisor does, each time from what is stored."""
    for _ in range(times):
        attempt = Attempt.objects.select_related("session").get(pk=written.pk)
        if rules.trains(attempt):
            rules.obey(attempt, rules.judge(attempt, **known))


def events(written: OnDisk, who: str = "rule: ") -> list[str]:
    found = SessionEvent.objects.filter(session=written.session, who__startswith=who)
    return [f"{event.who}: {event.why}" for event in found]


def wanted(written: OnDisk) -> str:
    return again(written.session).wanted


def end(written: OnDisk, code: int | None = 1, **changes: Any) -> TrainingSession:
    record = ExitRecord(
        **{"code": code, "ended_at": timezone.now().timestamp(), "log_size": 0, "log_crc32": 0, **changes}
    )
    assert closing.close(written.ingester(), record)
    return again(written.session)


def seen_at(written: OnDisk, minutes_ago: float) -> None:
    at = timezone.now() - timedelta(minutes=minutes_ago)
    Attempt.objects.filter(pk=written.pk).update(progressed_at=at, started_at=at - timedelta(minutes=1))


def reward(written: OnDisk, values: Iterable[float], *, first: int = 100, behavior: str = "Ball") -> None:
    rows = [Point("Environment/Cumulative Reward", first + 100 * index, 1e9, one) for index, one in enumerate(values)]
    points.append(written.attempt, behavior, rows)


# Steps


def test_a_summary_of_a_new_step_is_progress_and_the_same_one_again_is_none(ada: User) -> None:
    written = training(ada, {})
    assert written.attempt.progressed_at is None
    written.say(summary(500))
    written.ingester().step()
    first = written.attempt.progressed_at
    assert first is not None
    written.say(summary(500))
    written.ingester().step()
    assert written.attempt.progressed_at == first
    written.say(summary(1000))
    written.ingester().step()
    assert written.attempt.progressed_at > first


# The watchdog


def test_a_warning_stands_until_the_step_grows_and_is_told_once(ada: User) -> None:
    written = training(ada, {"stall_minutes": 10})
    seen_at(written, minutes_ago=9)
    look(written)
    assert (written.attempt.alarm, events(written)) == ("", [])
    seen_at(written, minutes_ago=11)
    look(written, 3)
    assert written.attempt.alarm == "Watchdog: No new step in 10 minutes."
    assert events(written) == ["rule: stall: No new step in 10 minutes."]
    assert wanted(written) == "run"
    written.say(summary(500))
    written.ingester().step()
    look(written)
    assert written.attempt.alarm == ""
    assert len(events(written)) == 1


def test_an_attempt_that_never_made_a_step_is_measured_from_its_start(ada: User) -> None:
    written = training(ada, {"stall_minutes": 0.5}, State.STARTING)
    look(written)
    assert written.attempt.alarm


def test_waiting_for_the_editor_is_no_stall_and_play_begins_the_count(ada: User) -> None:
    written = training(ada, {"stall_minutes": 0.5}, State.STARTING)
    written.say(LISTENING)
    written.ingester().step()
    look(written)
    assert (again(written.session).state, written.attempt.alarm) == ("waiting_for_editor", "")
    written.say(CONNECTED)
    written.ingester().step()
    look(written)
    assert (again(written.session).state, written.attempt.alarm) == ("running", "")


def test_a_machine_that_was_suspended_has_its_minutes_again(ada: User) -> None:
    written = training(ada, {"stall_minutes": 10})
    seen_at(written, minutes_ago=11)
    look(written, counts_from=timezone.now())
    assert written.attempt.alarm == ""
    watcher = guard.Guard(written.pk)
    watcher._seen -= timedelta(hours=8)
    watcher.tick(1000.0)
    assert written.attempt.alarm == ""
    guard.Guard(written.pk).tick(1000.0)
    assert written.attempt.alarm != ""


def test_somebody_elses_alarm_is_left_alone(ada: User) -> None:
    written = training(ada, {"stall_minutes": 10})
    Attempt.objects.filter(pk=written.pk).update(alarm="The console was cut.")
    look(written)
    seen_at(written, minutes_ago=11)
    look(written)
    assert (written.attempt.alarm, events(written)) == ("The console was cut.", [])


def test_a_warning_ends_with_its_attempt(ada: User) -> None:
    written = training(ada, {"stall_minutes": 10})
    seen_at(written, minutes_ago=11)
    look(written)
    stopping.request_stop(written.session, by="ada")
    end(written, 0, stop_requested=True)
    assert written.attempt.alarm == ""


def test_a_stall_stops_the_session_once_with_its_reason(ada: User) -> None:
    written = training(ada, {"stall_minutes": 10, "stall_action": "stop"})
    seen_at(written, minutes_ago=11)
    look(written, 3)
    assert (wanted(written), written.attempt.stop_asked_by) == ("stop", "rule: stall")
    assert events(written) == ["rule: stall: No new step in 10 minutes."]
    move(written.attempt, State.STOPPING, who="rule: stall", why="Carried by the supervisor.")
    session = end(written, 0, stop_requested=True)
    assert (session.state, session.explanation) == (
        "stopped", "No new step in 10 minutes. Stopped as asked; nothing new was saved.",
    )  # fmt: skip
    assert followed == [session.pk]


@pytest.mark.parametrize("asked", [stopping.request_stop, stopping.request_pause, stopping.request_kill])
def test_a_rule_leaves_alone_what_a_person_asked_to_end(ada: User, asked: Any) -> None:
    written = training(ada, {**RESTART, "stall_minutes": 10, "stall_action": "restart"})
    seen_at(written, minutes_ago=11)
    asked(written.session, by="ada")
    before = wanted(written)
    look(written)
    stopping.end_by_rule(written.session, "restart", rule="stall", why="A look that came late.")
    assert (wanted(written), events(written)) == (before, [])


def test_a_stall_may_be_followed_by_a_restart(ada: User) -> None:
    written = training(ada, {**RESTART, "stall_minutes": 10, "stall_action": "restart"})
    written.save("Ball/checkpoint.pt")
    seen_at(written, minutes_ago=11)
    look(written, 2)
    assert wanted(written) == "restart"
    session = end(written, -9, killed=True)
    assert (session.state, session.wanted) == ("queued", "run")
    assert "(1 of 2) after: No new step in 10 minutes. Ended at once, by force." in session.explanation


@pytest.mark.parametrize(
    ("asked", "state"),
    [
        (stopping.request_stop, "stopped"),
        (stopping.request_pause, "paused"),
        (stopping.request_kill, "stopped"),
    ],
)
def test_a_person_may_call_a_restart_off_while_the_trainer_still_saves(ada: User, asked: Any, state: str) -> None:
    written = training(ada, {**RESTART, "stall_minutes": 10, "stall_action": "restart"})
    seen_at(written, minutes_ago=11)
    look(written)
    asked(written.session, by="ada")
    assert events(written, "ada")[-1] == "ada: Its restart was called off."
    assert end(written, 0, stop_requested=True).state == state
    assert written.session.attempts.count() == 1


def memory(written: OnDisk, *megabytes: float, every: float = 10.0) -> None:
    newest = timezone.now().timestamp()
    count = len(megabytes)
    rows = [
        Point(MEMORY, index, newest - every * (count - 1 - index), size * MEGABYTE)
        for index, size in enumerate(megabytes)
    ]
    points.append(written.attempt, "", rows)


def test_memory_above_its_limit_is_warned_about(ada: User) -> None:
    written = training(ada, {"memory_mb": 1000})
    look(written)
    assert written.attempt.alarm == ""
    memory(written, *[1200] * 8)
    look(written, 2)
    assert written.attempt.alarm == "Watchdog: Memory is above 1,000 MB."
    assert events(written) == ["rule: memory: Memory is above 1,000 MB."]
    memory(written, 950)
    look(written)
    assert written.attempt.alarm != ""
    memory(written, 800)
    look(written)
    assert written.attempt.alarm == ""


def test_memory_that_grows_may_stop_the_session(ada: User) -> None:
    written = training(ada, {"memory_growth_percent": 50, "memory_window_minutes": 5, "memory_action": "stop"})
    memory(written, *[1000 + 10 * index for index in range(40)])
    look(written)
    assert wanted(written) == "stop"
    assert events(written) == ["rule: memory: Memory grows by more than 50 % an hour."]


def test_samples_of_long_ago_say_nothing(ada: User) -> None:
    written = training(ada, {"memory_mb": 1000})
    old = timezone.now().timestamp() - 7200
    points.append(written.attempt, "", [Point(MEMORY, one, old + one, 9e12) for one in range(200)])
    look(written)
    assert written.attempt.alarm == ""


def test_two_warnings_stand_together_and_each_is_told_once(ada: User) -> None:
    written = training(ada, {"stall_minutes": 10, "memory_mb": 1000})
    seen_at(written, minutes_ago=11)
    look(written)
    memory(written, *[1200] * 8)
    look(written, 2)
    assert written.attempt.alarm == "Watchdog: No new step in 10 minutes. Memory is above 1,000 MB."
    assert len(events(written)) == 2


# Goals, plateaus, budgets


def test_a_goal_stops_the_session(ada: User) -> None:
    written = training(ada, {"goal_value": 0.9, "goal_summaries": 2})
    reward(written, [0.5, 0.95, math.nan])
    look(written)
    assert wanted(written) == "run"
    reward(written, [0.92], first=400)
    look(written, 2)
    assert wanted(written) == "stop"
    assert events(written) == [
        "rule: goal: Goal reached: Environment/Cumulative Reward of Ball is 0.9 or above for 2 summaries "
        "(0.92 at step 400)."
    ]


def next_attempt(written: OnDisk, *, automatic: bool) -> OnDisk:
    """A further attempt that trains."""
    if not automatic:
        resume(again(written.session), by="ada")
    written.session.attempts.filter(state="queued").update(state="running", started_at=timezone.now())
    TrainingSession.objects.filter(pk=written.session.pk).update(state="running")
    return OnDisk(again(written.session))


@pytest.mark.parametrize("automatic", [True, False])
def test_a_restart_goes_on_counting_and_a_person_begins_anew(ada: User, automatic: bool) -> None:
    written = training(ada, {**RESTART, "goal_value": 0.9, "goal_summaries": 3})
    written.save("Ball/checkpoint.pt")
    reward(written, [0.95, 0.95])
    if not automatic:
        stopping.request_stop(written.session, by="ada")
    end(written)
    further = next_attempt(written, automatic=automatic)
    assert further.attempt.automatic is automatic
    reward(further, [0.95], first=300)
    look(further)
    assert wanted(further) == ("stop" if automatic else "run")


def test_a_plateau_stops_the_session(ada: User) -> None:
    written = training(ada, {"plateau_steps": 500, "plateau_gain": 0.1})
    reward(written, [0.1, 0.5, *[0.55] * 4])
    look(written)
    assert wanted(written) == "run"
    reward(written, [0.55], first=700)
    look(written)
    assert (wanted(written), written.attempt.stop_asked_by) == ("stop", "rule: plateau")


def test_minutes_of_training_are_those_of_all_attempts(ada: User) -> None:
    written = training(ada, {"budget_minutes": 10})
    look(written)
    assert wanted(written) == "run"
    earlier = timezone.now() - timedelta(days=1)
    Attempt.objects.create(
        session=written.session, number=0, state="failed", cookie="earlier",
        started_at=earlier, ended_at=earlier + timedelta(minutes=9.5),
    )  # fmt: skip
    look(written)
    assert events(written) == ["rule: budget: Its 10 minutes of training are over."]


def test_a_session_may_train_until_a_moment(ada: User) -> None:
    written = training(ada, {"budget_until": (timezone.now() - timedelta(seconds=1)).isoformat()})
    look(written)
    assert wanted(written) == "stop"


def test_results_may_take_so_much_disk(ada: User) -> None:
    written = training(ada, {"budget_disk_mb": 0.01})
    written.save("Ball/events", b"x" * 20_000)
    watcher = guard.Guard(written.pk)
    watcher.tick(1000.0)
    assert events(written) == ["rule: budget: Its results take more than 0.01 MB."]


# Restarts


def test_a_crash_queues_a_restart_that_waits_and_says_when_and_why(
    ada: User, machine: Machine, launches: Launches
) -> None:
    written = training(ada, RESTART)
    written.save("Ball/checkpoint.pt")
    session = end(written, -11)
    further = session.attempts.get(number=2)
    assert (session.state, further.state, further.automatic, further.resume) == ("queued", "queued", True, True)
    assert further.not_before is not None
    assert 50 < (further.not_before - timezone.now()).total_seconds() < 61
    told = f"Restarts at {further.not_before:%H:%M:%S} UTC (1 of 2) after: The trainer crashed by a segmentation fault."
    assert session.explanation.startswith(told)
    assert [event.split(": ")[1] for event in events(written)] == ["restart"]
    queue.grant_waiting(machine)
    session = again(session)
    assert (session.waits_for, launches.attempts) == ("time", [])
    assert session.explanation.startswith(told)
    Attempt.objects.filter(pk=further.pk).update(not_before=timezone.now())
    queue.grant_waiting(machine)
    assert launches.attempts == [further.pk]
    assert followed == []  # the session has not ended


def test_without_rules_a_crash_is_the_end(ada: User) -> None:
    session = end(training(ada, {}), -11)
    assert (session.state, session.attempts.count(), followed) == ("failed", 1, [session.pk])


def test_an_end_that_is_seen_twice_restarts_once(ada: User) -> None:
    written = training(ada, RESTART)
    late = written.ingester()
    end(written, -11)
    assert not closing.close(late, ExitRecord(-11, timezone.now().timestamp(), 0, 0))
    assert written.session.attempts.count() == 2


def test_an_end_and_its_restart_are_stored_together_or_not_at_all(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    written = training(ada, RESTART)

    def fail(*args: object, **options: object) -> None:
        raise RuntimeError("killed in the middle")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(rules, "new_attempt", fail)
        end(written, -11)
    assert (again(written.session).state, written.session.attempts.count()) == ("running", 1)
    assert end(written, -11).state == "queued"


def test_without_a_checkpoint_a_restart_begins_anew(ada: User) -> None:
    session = end(training(ada, RESTART), -11)
    further = session.attempts.get(number=2)
    assert (further.resume, further.force) == (False, True)
    assert "Restarts from the beginning at" in session.explanation


def test_a_checkpoint_that_the_crash_took_is_no_reason_to_begin_anew(ada: User) -> None:
    written = training(ada, RESTART)
    written.save("Ball/Ball-500.pt")
    (written.results / "Ball" / "checkpoint.pt").unlink(missing_ok=True)
    session = end(written, -11)
    further = session.attempts.get(number=2)
    assert (further.resume, further.force) == (True, False), "the launch mends it"


def test_the_limit_holds_and_is_explained(ada: User) -> None:
    written = training(ada, RESTART)
    for _ in range(2):
        end(written, -11)
        written = next_attempt(written, automatic=True)
    session = end(written, -11)
    assert (session.state, session.attempts.count(), followed) == ("failed", 3, [session.pk])
    assert session.explanation.endswith("Not restarted: 2 restarts in a row did not help.")
    assert events(written)[-1] == "rule: restart: Not restarted: 2 restarts in a row did not help."


def test_a_restart_that_got_far_begins_the_count_anew(ada: User) -> None:
    written = training(ada, {**RESTART, "restart_reset_minutes": 5})
    end(written, -11)
    written = next_attempt(written, automatic=True)
    now = timezone.now()
    Attempt.objects.filter(pk=written.pk).update(started_at=now - timedelta(minutes=6), progressed_at=now)
    assert "(1 of 2)" in end(written, -11).explanation


def test_what_would_only_repeat_is_not_restarted(ada: User) -> None:
    written = training(ada, RESTART)
    written.say(
        "Traceback (most recent call last):",
        '  File "learn.py", line 1, in <module>',
        "ModuleNotFoundError: No module named 'onnxscript'",
    )
    session = end(written, 1)
    assert session.state == "failed"
    assert "Not restarted: it would fail in the same way again." in session.explanation


def test_a_spent_budget_ends_the_restarts(ada: User) -> None:
    session = end(training(ada, {**RESTART, "budget_minutes": 0.5}), -11)
    assert session.state == "failed"
    assert "Not restarted: its 0.5 minutes of training are over." in session.explanation


@pytest.mark.parametrize("asked", [stopping.request_stop, stopping.request_kill])
def test_a_person_may_call_off_a_restart_that_waits(ada: User, asked: Any) -> None:
    session = end(training(ada, RESTART), -11)
    assert followed == []
    asked(session, by="ada")
    session = again(session)
    assert followed == [session.pk]
    assert (session.state, session.explanation) == ("stopped", "Its restart was called off.")
    assert not session.attempts.filter(state="queued").exists()


@pytest.mark.parametrize(("refused", "state"), [(True, "failed"), (False, "queued")])
def test_a_launch_that_failed_is_tried_again_unless_mentor_refused_it(ada: User, refused: bool, state: str) -> None:
    session = make_session(owner=ada, state=State.LAUNCHING, rules=RESTART)
    launching.fail_launch(session.attempts.get(), "It could not be launched.", refused=refused)
    session = again(session)
    assert session.state == state
    assert ("Not restarted" in session.explanation) is refused


def test_a_look_after_the_end_asks_for_nothing(ada: User) -> None:
    written = training(ada, {"stall_minutes": 10, "stall_action": "stop"})
    attempt = Attempt.objects.select_related("session").get(pk=written.pk)
    seen_at(written, minutes_ago=11)
    found = rules.judge(Attempt.objects.select_related("session").get(pk=written.pk))
    end(written, 0)
    rules.obey(attempt, found)
    assert events(written) == []


# Choosing rules


def test_a_session_has_the_rules_it_was_given_or_those_of_the_option(ada: User, settings: Settings) -> None:
    settings.MENTOR = {**settings.MENTOR, "MENTOR_RULES": {"stall_minutes": 30.0}}
    assert make_session(owner=ada).rules == {"stall_minutes": 30.0}
    assert make_session(owner=ada, rules={"restart_limit": "3"}).rules == {"restart_limit": 3}
    assert make_session(owner=ada, rules={}).rules == {}


def test_a_start_with_wrong_rules_is_refused_with_a_sentence_at_each(ada: User) -> None:
    make_session(owner=ada)
    with pytest.raises(InvalidStart) as refused:
        starting.start_session(make_request(rules={"restart_limit": 0, "luck": 1}), by=ada)
    assert set(refused.value.errors) == {"rules.restart_limit", "rules.luck"}


def test_a_resume_keeps_the_rules_unless_it_brings_others(ada: User) -> None:
    written = training(ada, RESTART)
    stopping.request_stop(written.session, by="ada")
    end(written, 0, stop_requested=True)
    written.save("Ball/checkpoint.pt")
    session = starting.start_session(make_request(run_id=written.session.run_id, resume=True), by=ada)
    assert session.rules == RESTART


def test_rules_change_while_a_session_trains(ada: User) -> None:
    written = training(ada, {"stall_minutes": 10})
    seen_at(written, minutes_ago=11)
    look(written)
    rules.change(written.session, {"stall_minutes": 20}, by="ada")
    rules.change(written.session, {"stall_minutes": "20"}, by="ada")
    assert events(written, "ada")[1:] == ["ada: Rules: Warns after 20 minutes without a new step."]
    look(written)
    assert written.attempt.alarm == ""
    rules.change(written.session, None, by="ada")
    assert (again(written.session).rules, events(written, "ada")[-1]) == ({}, "ada: Rules: none.")
    with pytest.raises(InvalidRules):
        rules.change(written.session, {"stall_minutes": "soon"}, by="ada")


def test_a_warning_of_a_rule_that_is_gone_is_gone(ada: User) -> None:
    written = training(ada, {"stall_minutes": 10})
    seen_at(written, minutes_ago=11)
    look(written)
    rules.change(written.session, {}, by="ada")
    guard.Guard(written.pk).tick(1000.0)
    assert written.attempt.alarm == ""


def test_rules_of_another_version_do_nothing(ada: User, caplog: pytest.LogCaptureFixture) -> None:
    written = training(ada, {})
    TrainingSession.objects.filter(pk=written.session.pk).update(rules={"rule_of_tomorrow": 1})
    look(written)
    assert end(written, -11).state == "failed"
    assert "rule_of_tomorrow" in caplog.text


def test_what_has_ended_cannot_be_stopped_by_a_rule(ada: User) -> None:
    written = training(ada, {})
    end(written, -11)
    with pytest.raises(Conflict):
        stopping.end_by_rule(again(written.session), "stop", rule="goal", why="Too late.")


def test_looks_are_seconds_apart(ada: User) -> None:
    written = training(ada, {"stall_minutes": 10})
    watcher = guard.Guard(written.pk)
    watcher.tick(1000.0)
    seen_at(written, minutes_ago=11)
    watcher.tick(1000.0 + guard.GUARD_SECONDS / 2)
    assert written.attempt.alarm == ""
    watcher.tick(1000.0 + guard.GUARD_SECONDS)
    assert written.attempt.alarm != ""


def test_what_costs_more_is_looked_at_once_a_minute(ada: User) -> None:
    written = training(ada, {"plateau_steps": 100})
    watcher = guard.Guard(written.pk)
    watcher.tick(1000.0)
    reward(written, [0.1, 0.1, 0.1])
    watcher.tick(1000.0 + guard.GUARD_SECONDS)
    assert wanted(written) == "run"
    watcher.tick(1000.0 + guard.THOROUGH_SECONDS)
    assert wanted(written) == "stop"
