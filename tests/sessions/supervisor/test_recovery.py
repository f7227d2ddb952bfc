"""Endings that went wrong: nobody is left behind, nothing is guessed, nothing is kept waiting for ever."""

from __future__ import annotations

import errno
import itertools
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DataError

from sessions.domain.states import State
from sessions.models import PortLease, TrainingSession
from sessions.runtime import evidence as looking
from sessions.runtime import files
from sessions.runtime.records import Request, TrainExit
from sessions.runtime.rundir import AttemptDirectory, create_once
from sessions.services import closing, stopping
from sessions.services.ingest import Ingester
from sessions.supervisor import following, watch
from sessions.supervisor.loop import Supervisor
from tests.sessions.attempts import OnDisk, record_of, summary
from tests.sessions.supervisor.watching import attempt_of, claim, end, followed, state_of, turn


@pytest.fixture
def alive(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The processes with the attempt's cookie; who ends them is told by `kills`."""
    living: set[int] = set()
    monkeypatch.setattr(looking, "with_cookie", lambda cookie: sorted(living))
    return living


@pytest.fixture
def kills(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was killed or interrupted, by whom it was asked."""
    called: list[str] = []
    for module in (watch, following):
        monkeypatch.setattr(module, "kill_attempt", lambda directory, cookie, seconds: called.append("attempt"))
    monkeypatch.setattr(following, "interrupt_trainer", lambda directory: called.append("interrupt"))
    monkeypatch.setattr(following, "kill_shim", lambda directory: called.append("shim"))
    return called


def session_of(written: OnDisk) -> TrainingSession:
    return TrainingSession.objects.get(pk=written.session.pk)


# Nobody may live


@pytest.mark.parametrize("recorded", [True, False])
def test_an_attempt_whose_processes_survive_does_not_end_before_they_do(
    supervisor: Supervisor, ada: User, alive: set[int], kills: list[str], recorded: bool
) -> None:
    written = attempt_of(ada, State.RUNNING)
    PortLease.objects.create(machine=supervisor.machine, port=5005, attempt=written.attempt)
    claim(written.directory)
    create_once(written.directory.train_json, {"pid": 1, "boot_id": "x", "started": 1})
    if recorded:
        end(written, code=-9)
    alive.add(4711)
    turn(supervisor)
    assert (state_of(written), kills, written.attempt.alarm) == ("running", ["attempt"], "")
    turn(supervisor, 3)
    assert "cannot be ended" in written.attempt.alarm
    assert (state_of(written), PortLease.objects.count()) == ("running", 1)
    alive.clear()
    turn(supervisor, 2)
    assert state_of(written) == ("failed" if recorded else "lost")
    assert PortLease.objects.count() == 0
    assert "cannot be ended" in written.attempt.alarm


def test_a_trainer_whose_shim_died_before_it_said_its_name_is_followed(
    supervisor: Supervisor, ada: User, alive: set[int], kills: list[str]
) -> None:
    written = attempt_of(ada, State.LAUNCHING)
    claim(written.directory)
    alive.add(4711)
    turn(supervisor, 3)
    assert (state_of(written), written.attempt.supervised, kills) == ("starting", False, [])


# Deadlines where there is no shim, or one that does nothing


def seconds_pass(supervisor: Supervisor, seconds: int) -> None:
    turn(supervisor, seconds, seconds=1.0)


def test_without_a_shim_an_unseen_stop_is_interrupted_once_and_killed_in_the_end(
    supervisor: Supervisor, ada: User, held: ExitStack, kills: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(directory: AttemptDirectory) -> None:
        directory.see_stop("unanswered")
        kills.append("interrupt")

    monkeypatch.setattr(following, "interrupt_trainer", interrupt)
    written = followed(attempt_of(ada, State.RUNNING), held, alone=True)
    stopping.request_stop(written.session, by="ada")
    seconds_pass(supervisor, 10)
    assert kills == []
    seconds_pass(supervisor, 40)
    assert kills == ["interrupt"]
    seconds_pass(supervisor, 14)
    assert set(kills) == {"interrupt", "attempt"}
    assert written.directory.read_kill_request() is not None


def test_without_a_shim_a_kill_waits_for_nothing(
    supervisor: Supervisor, ada: User, held: ExitStack, kills: list[str]
) -> None:
    written = followed(attempt_of(ada, State.RUNNING), held, alone=True)
    stopping.request_kill(written.session, by="ada")
    turn(supervisor, 2)
    assert kills == ["attempt"]


def test_a_shim_that_does_nothing_is_given_time_and_then_ended_with_its_trainer(
    supervisor: Supervisor, ada: User, held: ExitStack, kills: list[str]
) -> None:
    written = followed(attempt_of(ada, State.RUNNING), held)
    stopping.request_kill(written.session, by="ada")
    seconds_pass(supervisor, 20)
    assert kills == []
    seconds_pass(supervisor, 3)
    assert kills[:2] == ["attempt", "shim"]


def test_the_clock_of_a_request_is_not_trusted(
    supervisor: Supervisor, ada: User, held: ExitStack, kills: list[str]
) -> None:
    """It was asked "an hour ago", because the clock was set since."""
    written = followed(attempt_of(ada, State.RUNNING), held, alone=True)
    create_once(written.directory.stop_request, asdict(Request(1.0, "ada")))
    stopping.request_stop(written.session, by="ada")
    turn(supervisor, 1)
    seconds_pass(supervisor, 9)
    assert kills == []


def test_a_kill_that_the_disk_does_not_take_is_done_all_the_same(
    supervisor: Supervisor, ada: User, held: ExitStack, kills: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = followed(attempt_of(ada, State.RUNNING), held)
    full_disk(monkeypatch)
    stopping.request_stop(written.session, by="ada")
    turn(supervisor)
    assert "No space left" in written.attempt.alarm
    assert kills == []
    stopping.request_kill(written.session, by="ada")
    turn(supervisor)
    assert kills == ["attempt"]


# The record of the end


def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> bool:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "_draft", refuse)


@pytest.mark.parametrize(
    ("inside", "state"),
    [(None, "lost"), (TrainExit(0, "train", "", 1.7e9), "completed"), (TrainExit(1, "train", "X", 1.7e9), "failed")],
)
def test_a_disk_that_takes_no_exit_record_costs_only_what_nobody_knows(
    supervisor: Supervisor, ada: User, monkeypatch: pytest.MonkeyPatch, inside: TrainExit | None, state: str
) -> None:
    written = attempt_of(ada, State.RUNNING)
    claim(written.directory)
    written.say(summary(2000))
    if inside is not None:
        create_once(written.directory.train_exit, asdict(inside))
    full_disk(monkeypatch)
    turn(supervisor)
    assert state_of(written) == "running"  # somebody who was just forked may still show himself
    turn(supervisor, 2)
    assert (state_of(written), written.directory.exit.exists()) == (state, False)


@pytest.mark.parametrize("content", [b"", b'{"code": 0, "ended_at"', b"\0" * 512])
def test_an_exit_record_that_was_cut_is_set_aside_and_never_taken_for_success(
    supervisor: Supervisor, ada: User, content: bytes
) -> None:
    written = attempt_of(ada, State.RUNNING)
    claim(written.directory)
    written.say(summary(2000))
    written.directory.exit.write_bytes(content)
    turn(supervisor, 3)
    assert state_of(written) == "lost"
    record = written.directory.read_exit()
    assert record is not None
    assert (record.inferred, record.code) == (True, None)
    assert (written.directory.path / "exit.unreadable.json").read_bytes() == content


def test_an_exit_record_that_cannot_be_read_is_tried_for_and_then_named(
    supervisor: Supervisor, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = attempt_of(ada, State.RUNNING)
    claim(written.directory)
    end(written, code=0)
    read_regular = files.read_regular

    def bad_sector(path: Path) -> bytes | None:
        return None if path == written.directory.exit else read_regular(path)

    monkeypatch.setattr(files, "read_regular", bad_sector)
    monkeypatch.setattr(looking, "read_regular", bad_sector)
    turn(supervisor, 3)
    assert state_of(written) == "running"
    turn(supervisor, 60)
    session = session_of(written)
    assert session.state == "lost"
    assert "exit.json cannot be read" in session.explanation
    assert written.attempt.alarm == session.explanation
    assert written.directory.read_claim() is not None


# The directory


@pytest.mark.parametrize("vanish", ["directory", "claim"])
def test_an_attempt_whose_folder_is_gone_is_lost_and_not_guessed(
    supervisor: Supervisor, ada: User, alive: set[int], vanish: str
) -> None:
    written = attempt_of(ada, State.RUNNING)
    claim(written.directory)
    written.say(summary(2000))
    turn(supervisor, 0)
    written.directory.claim.unlink()
    if vanish == "directory":
        written.directory.path.rename(written.directory.path.with_name("moved"))
    turn(supervisor, 39)
    assert state_of(written) == "running"
    turn(supervisor)
    session = session_of(written)
    assert (session.state, supervisor.watches) == ("lost", {})
    assert "is gone or cannot be read" in session.explanation
    assert written.attempt.alarm == session.explanation


@pytest.mark.parametrize(("looks", "told"), [(1, False), (30, True)])
def test_a_folder_that_comes_back_is_as_if_it_had_never_been_away(
    supervisor: Supervisor, ada: User, held: ExitStack, looks: int, told: bool
) -> None:
    written = followed(attempt_of(ada, State.RUNNING), held)
    turn(supervisor)
    away = written.directory.path.rename(written.directory.path.with_name("moved"))
    turn(supervisor, looks)
    assert ("Put it back" in written.attempt.alarm) is told
    away.rename(written.directory.path)
    turn(supervisor, 30)
    assert (state_of(written), written.attempt.alarm) == ("running", "")


def test_an_attempt_without_its_folder_lives_as_long_as_its_processes(
    supervisor: Supervisor, ada: User, alive: set[int], kills: list[str]
) -> None:
    written = attempt_of(ada, State.RUNNING)
    written.directory.path.rmdir()
    alive.add(4711)
    turn(supervisor, 50)
    assert (state_of(written), kills) == ("running", [])
    assert "Put it back, or end the attempt at once." in written.attempt.alarm
    stopping.request_kill(written.session, by="ada")
    turn(supervisor)
    assert kills
    alive.clear()
    turn(supervisor, 50)
    assert state_of(written) == "lost"


def test_a_supervisor_that_lacks_descriptors_decides_nothing(
    supervisor: Supervisor, ada: User, held: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = followed(attempt_of(ada, State.RUNNING), held)
    turn(supervisor)

    def exhausted(path: Path, flags: int) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr("sessions.runtime.files.os.open", exhausted)
        turn(supervisor, 60)
    assert (state_of(written), written.attempt.alarm) == ("running", "")
    turn(supervisor, 8)
    assert (state_of(written), written.directory.read_exit()) == ("running", None)


# Trouble of one attempt


def test_a_closing_that_always_fails_ends_as_lost_with_the_reason(
    supervisor: Supervisor, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, well = (attempt_of(ada, State.RUNNING) for _ in range(2))
    for written in (broken, well):
        claim(written.directory)
        end(written)
    PortLease.objects.create(machine=supervisor.machine, port=5005, attempt=broken.attempt)
    close = closing.close
    tries: list[float] = []

    def fail(ingester: Ingester, *arguments: Any, **options: Any) -> bool:
        if ingester.attempt.pk != broken.pk:
            return close(ingester, *arguments, **options)
        assert callable(supervisor.clock)
        tries.append(supervisor.clock())
        raise RuntimeError("the status file is a riddle")

    monkeypatch.setattr(closing, "close", fail)
    turn(supervisor)
    assert (state_of(broken), state_of(well)) == ("running", "failed")
    turn(supervisor, 200, seconds=1.0)
    session = session_of(broken)
    assert (session.state, PortLease.objects.count(), supervisor.watches) == ("lost", 0, {})
    assert session.explanation.endswith("could not be read: the status file is a riddle.")
    assert broken.attempt.alarm == session.explanation
    pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert len(tries) == watch.CLOSING_TRIES
    assert pauses == sorted(pauses)
    assert pauses[-1] > pauses[0]


def test_data_that_the_database_refuses_is_the_trouble_of_one_attempt(
    supervisor: Supervisor, ada: User, held: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, well = (followed(attempt_of(ada, State.RUNNING), held) for _ in range(2))
    step = Ingester.step

    def refuse(self: Ingester) -> bool:
        if self.attempt.pk == broken.pk:
            raise DataError("integer out of range")
        return step(self)

    monkeypatch.setattr(Ingester, "step", refuse)
    well.say(summary(500))
    turn(supervisor, 2)
    assert well.session.behaviors.get().step == 500


def test_what_cannot_be_read_keeps_nobody_from_stopping_it(
    supervisor: Supervisor, ada: User, held: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Ingester) -> bool:
        raise RuntimeError("a page of the disk is bad")

    monkeypatch.setattr(Ingester, "step", fail)
    written = followed(attempt_of(ada, State.RUNNING), held)
    stopping.request_stop(written.session, by="ada")
    turn(supervisor)
    assert written.directory.read_stop_request() is not None


def test_a_long_ending_is_closed_in_slices(supervisor: Supervisor, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "BUDGET_SECONDS", -1.0)
    monkeypatch.setattr("sessions.services.ingest.CONSOLE_BYTES", 200)
    written = attempt_of(ada, State.RUNNING)
    claim(written.directory)
    for step in range(500, 2001, 100):
        written.say(summary(step))
    written.append_events(record_of("Environment/Cumulative Reward", 500, 1.0))
    for number in range(3):
        written.save(f"Ball/Ball-{number}.pt")
    end(written)
    turn(supervisor, 2)
    assert state_of(written) == "running"
    assert 0 < written.attempt.console_offset < written.directory.console.stat().st_size
    monkeypatch.setattr(watch, "BUDGET_SECONDS", 2.0)
    turn(supervisor, 2)
    assert state_of(written) == "failed"
    assert written.session.behaviors.get().step == 2000
    assert all(written.session.artifacts.values_list("sha256", flat=True))
