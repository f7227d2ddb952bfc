"""The supervisor's rounds, with a clock that only moves when a test moves it; what is remembered is expendable."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.utils import timezone
from pytest_django import Settings

from sessions.domain.states import State
from sessions.models import Attempt, Machine, PortLease, SessionEvent, TrainingSession
from sessions.runtime.identity import current_boot
from sessions.runtime.locks import FileLock
from sessions.runtime.records import Claim, ExitRecord, Request
from sessions.runtime.rundir import AttemptDirectory, atomic_write, create_once
from sessions.services import launching, queue, stopping
from sessions.services.ingest import Ingester
from sessions.supervisor import loop, watch
from sessions.supervisor.gpus import Gpus
from sessions.supervisor.loop import BUSY_SECONDS, IDLE_SECONDS, Supervisor
from sessions.supervisor.resources import ResourceWatch
from tests.factories import make_machine, make_session
from tests.sessions.attempts import OnDisk, summary

# Longer than every pause of the loop.
A_WHILE = 6.0


class TwoGpus(Gpus):
    """Two that nothing uses."""

    def find(self) -> list[str]:
        return ["T4", "T4"]


class Clock:
    """Monotonic seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def launches(monkeypatch: pytest.MonkeyPatch, settings: Settings, home: Path) -> list[int]:
    """The launches that were enqueued; nothing follows an ended session."""
    enqueued: list[int] = []
    for module in (launching, queue):
        monkeypatch.setattr(module, "async_task", lambda task, attempt_id: enqueued.append(attempt_id))
    settings.MENTOR_AFTER_SESSION = []
    settings.MENTOR = {**settings.MENTOR, "MENTOR_MAX_PARALLEL": 1, "MENTOR_STOP_GRACE_SECONDS": 60}
    return enqueued


@pytest.fixture
def held() -> Iterator[ExitStack]:
    """What keeps locks held until the test has ended."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def supervisor(db: None) -> Supervisor:
    return Supervisor(make_machine(), Clock())


def turn(supervisor: Supervisor, rounds: int = 1) -> float:
    """Tick, with a while before each round; return the last pause."""
    pause = 0.0
    for _ in range(rounds):
        assert isinstance(supervisor.clock, Clock)
        supervisor.clock.now += A_WHILE
        pause = supervisor.tick()
    return pause


def attempt_of(owner: User, state: State, **columns: Any) -> OnDisk:
    written = OnDisk(make_session(owner=owner, state=state))
    Attempt.objects.filter(pk=written.pk).update(**columns)
    return written


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


def hold(path: Path, held: ExitStack) -> None:
    """Be the process that holds this lock."""
    lock = FileLock(path)
    assert lock.acquire()
    held.callback(lock.release)


def claim(directory: AttemptDirectory, boot: str | None = None) -> None:
    create_once(directory.claim, asdict(Claim(by="shim", void=False, boot_id=boot or current_boot() or "")))


def followed(written: OnDisk, held: ExitStack, *, alone: bool = False) -> OnDisk:
    """Make the attempt look as if its shim lived, or, alone, only its trainer."""
    claim(written.directory)
    hold(written.directory.train_lock if alone else written.directory.shim_lock, held)
    return written


def end(written: OnDisk, code: int = 1) -> None:
    create_once(written.directory.exit, asdict(ExitRecord(code, 1.7e9, 0, 0)))


def state_of(written: OnDisk) -> str:
    return TrainingSession.objects.get(pk=written.session.pk).state


# Rounds


def test_with_nothing_to_do_the_rounds_are_slower(supervisor: Supervisor, ada: User, held: ExitStack) -> None:
    assert turn(supervisor) == IDLE_SECONDS
    followed(attempt_of(ada, State.RUNNING), held)
    assert turn(supervisor) == BUSY_SECONDS


def test_the_supervisor_shows_that_it_lives(supervisor: Supervisor) -> None:
    def seen() -> Any:
        return Machine.objects.values_list("supervisor_seen_at", flat=True).get(pk=supervisor.machine.pk)

    assert seen() is None
    supervisor.tick()
    first = seen()
    assert Machine.objects.get(pk=supervisor.machine.pk).supervisor_pid == os.getpid()
    supervisor.tick()
    assert seen() == first
    turn(supervisor)
    assert seen() > first


def test_a_waiting_session_is_granted_and_watched(supervisor: Supervisor, ada: User, launches: list[int]) -> None:
    attempt = make_session(owner=ada).attempts.get()
    turn(supervisor, 3)
    assert launches == [attempt.pk]
    assert list(supervisor.watches) == [attempt.pk]


def test_the_next_session_gets_the_slot_of_one_that_ended(
    supervisor: Supervisor, ada: User, launches: list[int]
) -> None:
    first = attempt_of(ada, State.RUNNING)
    claim(first.directory)
    waiting = make_session(owner=ada).attempts.get()
    end(first)
    supervisor.tick()
    assert (state_of(first), launches) == ("failed", [])
    # Without a while in between: an end is a sign of change.
    supervisor.tick()
    assert (launches, list(supervisor.watches)) == ([waiting.pk], [waiting.pk])


def test_attempts_of_other_machines_are_left_alone(supervisor: Supervisor, ada: User) -> None:
    written = attempt_of(ada, State.RUNNING, machine=Machine.objects.create(name="elsewhere"))
    claim(written.directory)
    end(written)
    turn(supervisor, 2)
    assert (state_of(written), supervisor.watches) == ("running", {})


def test_between_looks_only_what_was_written_is_read(supervisor: Supervisor, ada: User, held: ExitStack) -> None:
    written = followed(attempt_of(ada, State.RUNNING), held)
    turn(supervisor)
    written.say(summary(500))
    end(written)
    supervisor.tick()
    assert (written.session.behaviors.get().step, state_of(written)) == (500, "running")
    turn(supervisor)
    assert state_of(written) == "failed"


# A launch that comes to nothing


@pytest.mark.parametrize("prepared", [True, False])
def test_a_launch_that_nobody_claims_is_voided_and_failed(supervisor: Supervisor, ada: User, prepared: bool) -> None:
    written = attempt_of(ada, State.LAUNCHING, launched_at=ago(31))
    PortLease.objects.create(machine=supervisor.machine, port=5005, attempt=written.attempt)
    if not prepared:
        # The worker died before it made the directory.
        written.directory.path.rmdir()
    turn(supervisor)
    voided = written.directory.read_claim()
    assert voided is not None
    assert voided.void
    turn(supervisor)
    session = TrainingSession.objects.get(pk=written.session.pk)
    assert (session.state, session.explanation) == (
        "failed",
        "The attempt could not be launched within 30 seconds.",
    )
    assert (supervisor.watches, PortLease.objects.count()) == ({}, 0)
    # A shim that comes late finds the claim taken.
    assert not create_once(written.directory.claim, asdict(Claim(by="shim", void=False)))


@pytest.mark.parametrize("columns", [{"launched_at": 10}, {"granted_at": 10}])
def test_a_launch_has_its_time(
    supervisor: Supervisor, ada: User, launches: list[int], columns: dict[str, float]
) -> None:
    written = attempt_of(ada, State.LAUNCHING, **{name: ago(seconds) for name, seconds in columns.items()})
    turn(supervisor, 3)
    assert (state_of(written), launches, written.directory.read_claim()) == ("launching", [], None)


def test_a_lost_launch_is_enqueued_again_and_given_time_again(
    supervisor: Supervisor, ada: User, launches: list[int]
) -> None:
    written = attempt_of(ada, State.LAUNCHING, granted_at=ago(31))
    turn(supervisor, 4)
    assert (state_of(written), launches) == ("launching", [written.pk])
    assert written.directory.read_claim() is None


def test_a_launch_taken_while_it_is_watched_is_not_enqueued_again(
    supervisor: Supervisor, ada: User, launches: list[int]
) -> None:
    written = attempt_of(ada, State.LAUNCHING, granted_at=ago(29))
    turn(supervisor)
    Attempt.objects.filter(pk=written.pk).update(launched_at=timezone.now(), granted_at=ago(40))
    supervisor.watches[written.pk].attempt.granted_at = ago(40)
    turn(supervisor)
    assert launches == []


def test_an_attempt_that_failed_elsewhere_is_not_watched_on(
    supervisor: Supervisor, ada: User, caplog: pytest.LogCaptureFixture
) -> None:
    written = attempt_of(ada, State.LAUNCHING, launched_at=ago(1))
    written.directory.path.rmdir()
    turn(supervisor)
    assert list(supervisor.watches) == [written.pk]
    launching.fail_launch(written.attempt, "The build has changed.")
    turn(supervisor)
    assert (supervisor.watches, written.directory.read_claim(), caplog.text) == ({}, None, "")


# Following


def test_a_claimed_attempt_has_started(supervisor: Supervisor, ada: User, held: ExitStack) -> None:
    written = followed(attempt_of(ada, State.LAUNCHING, launched_at=ago(1)), held)
    turn(supervisor)
    assert state_of(written) == "starting"
    written.say(summary(500))
    turn(supervisor)
    assert state_of(written) == "running"


def test_a_saved_model_is_listed_while_it_trains(supervisor: Supervisor, ada: User, held: ExitStack) -> None:
    written = followed(attempt_of(ada, State.RUNNING), held)
    written.save("Ball/Ball-500.onnx")
    turn(supervisor)
    assert written.session.artifacts.count() == 0
    written.say("[INFO] Exported results/ball/Ball/Ball-500.onnx")
    turn(supervisor)
    assert written.session.artifacts.get().step == 500


def test_a_reader_that_was_overtaken_goes_on_from_the_new_position(
    supervisor: Supervisor, ada: User, held: ExitStack
) -> None:
    written = followed(attempt_of(ada, State.RUNNING), held)
    turn(supervisor)
    written.say(summary(500))
    written.ingester().drain()
    written.say(summary(1000))
    turn(supervisor, 2)
    assert written.session.behaviors.get().step == 1000
    assert written.attempt.console_offset == written.directory.console.stat().st_size


def test_a_new_supervisor_finds_unfinished_attempts_and_goes_on(ada: User, held: ExitStack) -> None:
    written = followed(attempt_of(ada, State.RUNNING), held)
    written.say(summary(500))
    turn(Supervisor(make_machine(), Clock()))
    written.say(summary(1000))
    successor = Supervisor(make_machine(), Clock())
    turn(successor)
    assert (written.session.behaviors.get().step, list(successor.watches)) == (1000, [written.pk])


def test_an_end_while_nobody_watched_is_found(ada: User, supervisor: Supervisor) -> None:
    written = attempt_of(ada, State.RUNNING)
    claim(written.directory)
    written.say(summary(500))
    end(written, code=-11)
    turn(supervisor)
    session = TrainingSession.objects.get(pk=written.session.pk)
    assert (session.state, written.attempt.exit_code, supervisor.watches) == ("failed", -11, {})
    assert "segmentation fault" in session.explanation


@pytest.mark.parametrize(
    ("boot", "sentence"), [(None, "without leaving an exit code"), ("before the power went", "machine was restarted")]
)
def test_an_end_that_nobody_recorded_is_inferred(
    ada: User, supervisor: Supervisor, boot: str | None, sentence: str
) -> None:
    written = attempt_of(ada, State.RUNNING)
    claim(written.directory, boot)
    written.say(summary(500))
    turn(supervisor, 2)
    session = TrainingSession.objects.get(pk=written.session.pk)
    assert session.state == "lost"
    assert sentence in session.explanation
    record = written.directory.read_exit()
    assert record is not None
    assert record.inferred


def test_a_trainer_without_its_shim_is_known_as_such_until_it_has_one(
    supervisor: Supervisor, ada: User, held: ExitStack
) -> None:
    written = followed(attempt_of(ada, State.RUNNING), held, alone=True)
    turn(supervisor, 2)
    assert not written.attempt.supervised
    version = TrainingSession.objects.get(pk=written.session.pk).version
    hold(written.directory.shim_lock, held)
    turn(supervisor)
    assert written.attempt.supervised
    assert TrainingSession.objects.get(pk=written.session.pk).version == version + 1


# Wishes


def test_a_stop_is_carried_once(supervisor: Supervisor, ada: User, held: ExitStack) -> None:
    written = followed(attempt_of(ada, State.RUNNING), held)
    turn(supervisor)
    assert written.directory.read_stop_request() is None
    stopping.request_stop(written.session, by="ben")
    turn(supervisor)
    request = written.directory.read_stop_request()
    assert request is not None
    assert (request.by, request.grace_seconds) == ("ben", 60.0)
    assert (state_of(written), written.directory.read_kill_request()) == ("stopping", None)
    events = SessionEvent.objects.count()
    turn(supervisor, 3)
    assert written.directory.read_stop_request() == request
    assert SessionEvent.objects.count() == events
    assert SessionEvent.objects.latest("pk").who == "ben"


def test_a_kill_after_a_stop_is_carried_too(supervisor: Supervisor, ada: User, held: ExitStack) -> None:
    written = followed(attempt_of(ada, State.RUNNING), held)
    stopping.request_stop(written.session, by="ada")
    turn(supervisor)
    stopping.request_kill(written.session, by="ada")
    turn(supervisor, 2)
    assert written.directory.read_kill_request() is not None
    assert state_of(written) == "stopping"


def test_a_kill_of_a_training_is_carried_without_a_stop(supervisor: Supervisor, ada: User, held: ExitStack) -> None:
    written = followed(attempt_of(ada, State.RUNNING), held)
    stopping.request_kill(written.session, by="ada")
    turn(supervisor)
    assert written.directory.read_kill_request() is not None
    assert written.directory.read_stop_request() is None
    assert TrainingSession.objects.get(pk=written.session.pk).explanation == "Asked to end at once."


def test_a_stop_during_the_launch_waits_for_the_shim(supervisor: Supervisor, ada: User, held: ExitStack) -> None:
    written = attempt_of(ada, State.LAUNCHING, launched_at=ago(1))
    stopping.request_stop(written.session, by="ada")
    turn(supervisor)
    assert (state_of(written), written.directory.read_stop_request()) == ("launching", None)
    followed(written, held)
    turn(supervisor)
    assert state_of(written) == "stopping"
    assert written.directory.read_stop_request() is not None


@pytest.mark.parametrize(
    ("asked_ago", "seen", "killed", "ended", "interrupted"),
    [
        pytest.param(1, False, False, 0, 0, id="just asked"),
        pytest.param(11, False, False, 0, 1, id="asked and not seen"),
        pytest.param(11, True, False, 0, 0, id="asked and seen"),
        pytest.param(61, True, False, 1, 0, id="the time is over"),
        pytest.param(1, False, True, 1, 0, id="to be killed"),
    ],
)
def test_without_a_shim_the_supervisor_keeps_the_deadlines(
    supervisor: Supervisor,
    ada: User,
    held: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
    asked_ago: float,
    seen: bool,
    killed: bool,
    ended: int,
    interrupted: int,
) -> None:
    called: list[str] = []
    monkeypatch.setattr(watch, "kill_attempt", lambda directory: called.append("ended"))
    monkeypatch.setattr(watch, "interrupt_trainer", lambda directory: called.append("interrupted"))
    written = followed(attempt_of(ada, State.RUNNING), held, alone=True)
    stopping.request_stop(written.session, by="ada")
    turn(supervisor)
    assert called == []
    request = written.directory.read_stop_request()
    assert request is not None
    atomic_write(written.directory.stop_request, asdict(replace(request, at=request.at - asked_ago)))
    if seen:
        written.directory.see_stop("training")
    if killed:
        create_once(written.directory.kill_request, asdict(Request(request.at, "ada")))
    turn(supervisor)
    assert called == ["ended"] * ended + ["interrupted"] * interrupted


# Errors


def broken_for(written: OnDisk, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make reading fail for one attempt."""
    step = Ingester.step

    def fail(self: Ingester) -> bool:
        if self.attempt.pk == written.pk:
            raise error
        return step(self)

    monkeypatch.setattr(Ingester, "step", fail)


def test_an_error_in_one_attempt_costs_the_others_nothing(
    supervisor: Supervisor,
    ada: User,
    held: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, well = (followed(attempt_of(ada, State.RUNNING), held) for _ in range(2))
    for written in (broken, well):
        written.say(summary(500))
    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        broken_for(broken, RuntimeError("a page of the disk is bad"), patch)
        turn(supervisor, 2)
    assert well.session.behaviors.get().step == 500
    assert broken.session.behaviors.get().step == 0
    assert set(supervisor.watches) == {broken.pk, well.pk}
    assert str(broken.directory.path) in caplog.text
    assert str(well.directory.path) not in caplog.text
    turn(supervisor)
    assert broken.session.behaviors.get().step == 500


def test_a_look_at_the_machine_that_fails_costs_nothing_else(
    supervisor: Supervisor, ada: User, held: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(folder: Path) -> int:
        raise RuntimeError("no such disk")

    supervisor.disks.free_bytes = broken
    written = followed(attempt_of(ada, State.STARTING), held)
    written.say(summary(500))
    turn(supervisor, 2)
    assert state_of(written) == "running"
    assert [one.getMessage()[:24] for one in caplog.records] == ["This look at the machine"] * 2


def test_the_gpus_are_known_before_anything_is_granted(ada: User) -> None:
    machine = make_machine()
    session = make_session(owner=ada)
    turn(Supervisor(machine, Clock(), resources=ResourceWatch(gpus=TwoGpus())))
    machine.refresh_from_db()
    assert machine.gpus == ["T4", "T4"]
    assert machine.disk_free
    assert session.attempts.get().device == "cuda:0"


def test_a_database_that_is_gone_is_not_an_error_of_one_attempt(
    supervisor: Supervisor, ada: User, held: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = followed(attempt_of(ada, State.RUNNING), held)
    broken_for(written, DatabaseError("gone"), monkeypatch)
    with pytest.raises(DatabaseError):
        turn(supervisor)


def test_sqlite_tells_of_other_connections_commits_only(ada: User) -> None:
    before = loop.data_version()
    make_session(owner=ada)
    assert before is not None
    assert loop.data_version() == before
