from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import psutil
import pytest

from sessions.runtime.evidence import look
from sessions.runtime.identity import with_cookie
from sessions.runtime.launch import PROJECT, shim_environment, wait_for_claim
from sessions.runtime.locks import is_held
from sessions.runtime.shim import NOT_OURS, UNREADABLE_SPEC
from tests.sessions.runtime.conftest import Trial, until

needs_signals = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")


def attached(trial: Trial) -> int:
    argv = [sys.executable, "-m", "sessions.runtime.shim", "--attached", str(trial.directory.path)]
    return subprocess.run(argv, cwd=PROJECT, check=False, timeout=20).returncode


def test_a_training_that_ends_by_itself_leaves_its_code_and_its_whole_log(trial: Trial) -> None:
    trial.start("--lines", "2000", "--code", "3")
    record = trial.ended()
    printed = trial.directory.console.read_bytes()
    assert (record.code, record.stop_requested, record.killed, record.inferred) == (3, False, False, False)
    assert (record.log_size, record.log_crc32) == (len(printed), zlib.crc32(printed))
    assert printed.count(b"\n") == 2001


@needs_signals
def test_a_stop_saves_although_the_launcher_ignored_interrupts(trial: Trial) -> None:
    trial.prepare()
    code = (
        "import signal, sys, pathlib; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "from sessions.runtime.launch import spawn_shim\n"
        "from sessions.runtime.rundir import AttemptDirectory\n"
        "spawn_shim(AttemptDirectory(pathlib.Path(sys.argv[1])))\n"
    )
    argv = [sys.executable, "-c", code, str(trial.directory.path)]
    subprocess.run(argv, cwd=PROJECT, check=True, timeout=20)
    until(lambda: "training" in trial.console())
    assert trial.directory.request_stop("ada")
    record = trial.ended()
    assert (record.code, record.stop_requested, record.killed) == (0, True, False)
    assert trial.console().splitlines() == ["training", "interrupted", "saved"]
    seen = trial.directory.read_stop_seen()
    assert seen is not None
    assert seen.stage == "train"


def test_many_stop_requests_are_one_interrupt(trial: Trial) -> None:
    # A second interrupt would end the trainer while it saves; the shim's own comes due in the middle of that.
    trial.start("--save-seconds", "1.2", interrupt_after_seconds=0.3)
    assert [trial.directory.request_stop("ada") for _ in range(10)] == [True] + [False] * 9
    assert trial.ended().code == 0
    assert trial.console().count("interrupted") == 1
    assert trial.console().endswith("saved\n")


@needs_signals
def test_a_trainer_that_does_not_see_the_stop_is_interrupted_once_from_outside(trial: Trial) -> None:
    # Without the boot nobody in the trainer looks for the request.
    script = Path(__file__).with_name("fake_trainer.py")
    trial.start(argv=[sys.executable, "-u", str(script)], interrupt_after_seconds=0.3)
    trial.directory.request_stop("ada")
    record = trial.ended()
    seen = trial.directory.read_stop_seen()
    assert (record.code, record.killed) == (0, False)
    assert seen is not None
    assert seen.stage == "unanswered"
    assert trial.console().count("interrupted") == 1


def test_a_trainer_that_ignores_the_interrupt_is_killed_at_the_deadline(trial: Trial) -> None:
    trial.start("--ignore-interrupts")
    trial.directory.request_stop("ada", grace_seconds=0.6)
    record = trial.ended()
    assert record.killed
    assert record.stop_requested
    assert record.code == (1 if os.name == "nt" else -signal.SIGKILL)


def test_a_kill_request_ends_trainer_and_environment_at_once(trial: Trial, tmp_path: Path) -> None:
    trial.start("--descendant", str(tmp_path / "pid"))
    environment = int((tmp_path / "pid").read_text(encoding="utf-8"))
    trial.directory.request_kill("ada")
    record = trial.ended()
    assert record.killed
    assert record.reaped == [environment]
    assert not psutil.pid_exists(environment)


@needs_signals
def test_a_killed_trainer_leaves_no_environment_behind(trial: Trial, tmp_path: Path) -> None:
    trial.start("--descendant", str(tmp_path / "pid"))
    trainer = trial.directory.read_trainer()
    assert trainer is not None
    os.kill(trainer.pid, signal.SIGKILL)
    record = trial.ended()
    assert record.code == -signal.SIGKILL
    assert record.killed is False
    assert record.reaped == [int((tmp_path / "pid").read_text(encoding="utf-8"))]
    assert with_cookie(trial.cookie) == []


def test_the_trainer_sees_exactly_the_environment_of_the_spec(
    trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENTOR_SECRET_KEY", "not for trainers")
    note = tmp_path / "environment.json"
    trial.start("--code", "0", "--note-environment", str(note)).ended()
    spec = trial.directory.read_spec()
    assert spec is not None
    assert spec.env["MENTOR_ATTEMPT"] == trial.cookie
    assert json.loads(note.read_text(encoding="utf-8")) == spec.env
    assert "MENTOR_SECRET_KEY" not in shim_environment()


def test_a_late_shim_starts_nothing_after_a_void_claim(trial: Trial) -> None:
    trial.prepare()
    assert trial.directory.claim_void()
    assert attached(trial) == NOT_OURS
    assert not trial.directory.console.exists()
    assert not trial.directory.exit.exists()


def test_only_one_of_two_shims_starts_the_trainer(trial: Trial) -> None:
    trial.start()
    assert attached(trial) == NOT_OURS
    assert not trial.directory.claim_void()
    trial.directory.request_stop("ada")
    assert trial.ended().code == 0
    assert trial.console().count("training") == 1
    assert attached(trial) == NOT_OURS


def test_a_shim_without_a_readable_spec_claims_nothing(trial: Trial) -> None:
    trial.directory.path.mkdir(parents=True)
    trial.directory.spec.write_text('{"run_id": 5}', encoding="utf-8")
    assert attached(trial) == UNREADABLE_SPEC
    assert not trial.directory.claim.exists()


def test_an_interpreter_that_is_not_there_ends_in_a_record_and_a_reason(trial: Trial) -> None:
    trial.prepare(argv=["/nowhere/python", "boot.py"]).launch()
    assert trial.ended().code == 127
    assert "could not be started" in trial.console()
    assert "/nowhere/python" in trial.console()


def test_a_stop_that_came_before_the_shim_starts_nothing(trial: Trial) -> None:
    trial.prepare()
    trial.directory.request_stop("ada")
    trial.launch()
    record = trial.ended()
    assert (record.code, record.stop_requested) == (75, True)
    assert not trial.directory.console.exists()


def test_the_launcher_keeps_no_zombie_and_is_no_parent(trial: Trial) -> None:
    trial.start()
    claim = trial.directory.read_claim()
    assert claim is not None
    assert claim.pid not in [child.pid for child in psutil.Process().children()]
    assert psutil.STATUS_ZOMBIE not in [child.status() for child in psutil.Process().children()]
    if os.name != "nt":
        assert os.getsid(claim.pid) not in (os.getsid(0), claim.pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt orphans")
def test_the_shim_takes_leave_of_the_orphans_it_adopted(trial: Trial) -> None:
    trial.start("--short-orphan")
    claim = trial.directory.read_claim()
    trainer = trial.directory.read_trainer()
    assert claim is not None
    assert trainer is not None
    shim = psutil.Process(claim.pid)
    until(lambda: len(shim.children()) == 2)  # the trainer and the orphan
    until(lambda: [child.pid for child in shim.children()] == [trainer.pid])


def test_the_shim_shows_that_it_lives(trial: Trial) -> None:
    trial.start()
    claim = wait_for_claim(trial.directory, 1.0)
    assert claim is not None
    assert (claim.by, claim.void) == ("shim", False)
    assert is_held(trial.directory.shim_lock)
    until(trial.directory.heartbeat.exists)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_the_log_is_private_and_the_trainer_keeps_the_launchers_umask(trial: Trial, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        trial.start("--code", "0", "--note-environment", str(tmp_path / "note")).ended()
    finally:
        os.umask(before)
    assert trial.directory.path.stat().st_mode & 0o777 == 0o700
    assert trial.directory.console.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "note").stat().st_mode & 0o777 == 0o640


@needs_signals
def test_a_shim_that_is_held_costs_nothing(trial: Trial) -> None:
    trial.start()
    claim = trial.directory.read_claim()
    assert claim is not None
    os.kill(claim.pid, signal.SIGSTOP)
    try:
        assert look(trial.directory).shim_alive
        trial.directory.request_stop("ada")
        until(lambda: "saved" in trial.console())
        assert trial.directory.read_exit() is None
    finally:
        os.kill(claim.pid, signal.SIGCONT)
    record = trial.ended()
    assert (record.code, record.killed, record.inferred) == (0, False, False)


@needs_signals
def test_a_trainer_that_is_held_is_ended_when_its_time_is_over(trial: Trial) -> None:
    trial.start(grace_seconds=1.0)
    trainer = trial.directory.read_trainer()
    assert trainer is not None
    os.kill(trainer.pid, signal.SIGSTOP)
    assert look(trial.directory).trainer_alive
    trial.directory.request_stop("ada")
    record = trial.ended()
    assert (record.code, record.killed, record.stop_requested) == (-signal.SIGKILL, True, True)
