"""The supervisor's rounds, with a clock that only moves when a test moves it; what is remembered is expendable."""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError

from sessions.domain.states import State
from sessions.models import Machine, SessionEvent, TrainingSession
from sessions.services import stopping
from sessions.services.ingest import Ingester
from sessions.supervisor import loop
from sessions.supervisor.gpus import Gpus
from sessions.supervisor.loop import BUSY_SECONDS, IDLE_SECONDS, Supervisor
from sessions.supervisor.resources import ResourceWatch
from tests.factories import make_machine, make_session
from tests.sessions.attempts import OnDisk, summary
from tests.sessions.supervisor.watching import Clock, ago, attempt_of, claim, end, followed, hold, state_of, turn


class TwoGpus(Gpus):
    """Two that nothing uses."""

    def find(self) -> list[str]:
        return ["T4", "T4"]


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


@pytest.mark.parametrize(("spent", "pause"), [(0.0, BUSY_SECONDS), (0.01, BUSY_SECONDS), (0.35, 0.65), (9.0, 1.0)])
def test_a_round_that_took_long_is_followed_by_a_longer_pause(
    ada: User, held: ExitStack, spent: float, pause: float
) -> None:
    times = iter([5.0, 5.0 + spent])
    supervisor = Supervisor(make_machine(), Clock(), spent=lambda: next(times))
    followed(attempt_of(ada, State.RUNNING), held)
    assert supervisor.tick() == pytest.approx(pause)


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
    assert written.session.artifacts.get(kept=False).step == 500


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
