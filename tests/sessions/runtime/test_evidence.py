from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
import zlib
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from sessions.runtime import evidence, takeover
from sessions.runtime.evidence import infer_exit, look
from sessions.runtime.identity import identity_of, own_identity, with_cookie
from sessions.runtime.locks import FileLock, is_held
from sessions.runtime.records import Claim, ExitRecord, ShimRecord, TrainerRecord
from sessions.runtime.rundir import AttemptDirectory, atomic_write, create_once
from sessions.runtime.takeover import interrupt_trainer, kill_attempt
from tests.sessions.runtime.conftest import Trial, until

DEADLY = getattr(signal, "SIGKILL", signal.SIGTERM)  # on Windows SIGTERM is the deadly one


def kill_shim(trial: Trial) -> None:
    claim = trial.directory.read_claim()
    assert claim is not None
    os.kill(claim.pid, DEADLY)
    until(lambda: not is_held(trial.directory.shim_lock))


def kill_trainer(trial: Trial) -> None:
    trainer = trial.directory.read_trainer()
    assert trainer is not None
    os.kill(trainer.pid, DEADLY)
    until(lambda: not look(trial.directory).trainer_alive)


def test_a_training_in_good_order_is_seen_as_such(trial: Trial) -> None:
    trial.start()
    seen = look(trial.directory)
    assert (seen.shim_alive, seen.trainer_alive, seen.trainer_started, seen.boot) == (
        True,
        True,
        True,
        "same",
    )
    assert seen.exit is None
    assert seen.claim is not None
    assert seen.claim_age is not None
    assert 0 <= seen.claim_age <= (seen.spec_age or 0) < 30


def test_an_attempt_that_was_only_prepared_has_nothing_but_an_age(trial: Trial) -> None:
    trial.prepare()
    os.utime(trial.directory.spec, (time.time() - 40, time.time() - 40))
    seen = look(trial.directory)
    assert (seen.claim, seen.claim_age, seen.boot, seen.trainer_started) == (None, None, None, False)
    assert seen.spec_age == pytest.approx(40, abs=5)


def test_a_directory_that_is_gone_is_no_exception(tmp_path: Path) -> None:
    seen = look(AttemptDirectory(tmp_path / "gone"))
    assert not (seen.shim_alive or seen.trainer_alive or seen.trainer_started)
    assert (seen.claim, seen.exit, seen.spec_age) == (None, None, None)


def test_when_the_shim_is_killed_the_training_goes_on_and_tells_its_code_itself(trial: Trial) -> None:
    trial.start()
    kill_shim(trial)
    seen = look(trial.directory)
    assert (seen.shim_alive, seen.trainer_alive, seen.exit) == (False, True, None)
    trial.directory.request_stop("ada")
    until(lambda: not look(trial.directory).trainer_alive)
    record = infer_exit(trial.directory)
    printed = trial.directory.console.read_bytes()
    assert (record.code, record.inferred, record.stop_requested, record.killed) == (0, True, True, False)
    assert (record.log_size, record.log_crc32) == (len(printed), zlib.crc32(printed))
    assert trial.console().splitlines() == ["training", "interrupted", "saved"]
    assert look(trial.directory).exit == record


def test_when_both_are_killed_the_environment_is_reaped_and_the_code_stays_open(trial: Trial, tmp_path: Path) -> None:
    trial.start("--descendant", str(tmp_path / "pid"))
    kill_shim(trial)
    kill_trainer(trial)
    environment = int((tmp_path / "pid").read_text(encoding="utf-8"))
    if os.name != "nt":  # there the job object has ended it already
        assert with_cookie(trial.cookie) == [environment]
    record = infer_exit(trial.directory)
    assert record.code is None
    assert record.reaped == ([] if os.name == "nt" else [environment])
    assert with_cookie(trial.cookie) == []
    assert record.ended_at == pytest.approx(time.time(), abs=10)


def test_an_exit_record_is_never_written_over(trial: Trial) -> None:
    trial.start("--code", "5")
    record = trial.ended()
    assert infer_exit(trial.directory) == record
    assert trial.directory.read_exit() == record


def test_an_attempt_that_ends_during_the_look_is_seen_with_its_record(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = ExitRecord(0, 1.0, 0, 0)

    def ends_now(path: Path) -> bool:
        trial.directory.exit.write_text(json.dumps(asdict(record)), encoding="utf-8")
        return False

    trial.prepare()
    monkeypatch.setattr(evidence, "is_held", ends_now)
    assert look(trial.directory).exit == record


def test_a_trainer_of_another_boot_is_dead_whatever_its_number(trial: Trial) -> None:
    trial.prepare()
    own = own_identity()
    record = TrainerRecord(own.pid, own.boot_id, own.started)
    trial.directory.train_json.write_text(json.dumps(asdict(record)), encoding="utf-8")
    assert (look(trial.directory).trainer_alive, look(trial.directory).boot) == (True, "same")
    record = replace(record, boot_id="before the power went")
    trial.directory.train_json.write_text(json.dumps(asdict(record)), encoding="utf-8")
    assert (look(trial.directory).trainer_alive, look(trial.directory).boot) == (False, "other")


def test_a_trainer_that_has_not_said_its_name_yet_is_known_from_its_shim(trial: Trial) -> None:
    trial.prepare()
    own = own_identity()
    record = ShimRecord(1, own.boot_id, 1, own.pid, own.started)
    trial.directory.shim_json.write_text(json.dumps(asdict(record)), encoding="utf-8")
    assert (look(trial.directory).trainer_alive, look(trial.directory).trainer_started) == (True, True)


def test_the_shim_is_alive_while_its_lock_is_held(trial: Trial) -> None:
    trial.prepare()
    lock = FileLock(trial.directory.shim_lock)
    assert lock.acquire()
    assert look(trial.directory).shim_alive
    lock.release()
    assert not look(trial.directory).shim_alive


def test_a_trainer_without_its_shim_can_be_killed_with_all_that_is_its(trial: Trial, tmp_path: Path) -> None:
    trial.start("--descendant", str(tmp_path / "pid"))
    kill_shim(trial)
    trainer = trial.directory.read_trainer()
    assert trainer is not None
    killed = kill_attempt(trial.directory)
    assert trainer.pid in killed
    if os.name != "nt":
        assert int((tmp_path / "pid").read_text(encoding="utf-8")) in killed
    assert not look(trial.directory).trainer_alive
    assert infer_exit(trial.directory, killed=True).killed


@pytest.mark.skipif(os.name == "nt", reason="needs a console of its own there")
def test_a_trainer_without_its_shim_is_interrupted_once(trial: Trial) -> None:
    trial.start()
    kill_shim(trial)
    assert interrupt_trainer(trial.directory)
    assert not interrupt_trainer(trial.directory)
    until(lambda: not look(trial.directory).trainer_alive)
    assert trial.console().splitlines() == ["training", "interrupted", "saved"]


def test_files_that_name_the_supervisor_itself_do_not_end_it(trial: Trial) -> None:
    trial.prepare()
    own = own_identity()
    record = TrainerRecord(own.pid, own.boot_id, own.started)
    trial.directory.train_json.write_text(json.dumps(asdict(record)), encoding="utf-8")
    assert kill_attempt(trial.directory) == []


def test_nobody_is_signalled_for_a_number_that_was_given_away(trial: Trial) -> None:
    trial.prepare()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as heir:
        identity = identity_of(heir.pid)
        assert identity is not None
        record = TrainerRecord(heir.pid, identity.boot_id, identity.started + 1)
        trial.directory.train_json.write_text(json.dumps(asdict(record)), encoding="utf-8")
        assert not interrupt_trainer(trial.directory)
        assert kill_attempt(trial.directory) == []
        assert identity_of(heir.pid) == identity
        heir.kill()


# A trainer and a supervisor that miss each other


def test_a_trainer_that_comes_after_its_end_was_written_does_not_train(trial: Trial) -> None:
    trial.prepare()
    assert infer_exit(trial.directory).inferred
    trial.launch()
    record = trial.directory.read_exit()
    until(lambda: "has ended already" in trial.console())
    until(lambda: not is_held(trial.directory.shim_lock))
    assert "training" not in trial.console()
    assert trial.directory.read_exit() == record


def test_a_process_with_the_cookie_is_the_trainer_until_that_has_said_its_name(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.prepare()
    create_once(trial.directory.claim, asdict(Claim("shim", void=False)))
    monkeypatch.setattr(evidence, "with_cookie", lambda cookie: [4711] if cookie == trial.cookie else [])
    seen = look(trial.directory, trial.cookie)
    assert (seen.trainer_alive, seen.leftovers) == (True, (4711,))
    trial.directory.train_json.write_text(json.dumps({"pid": 1, "boot_id": "x", "started": 1}), encoding="utf-8")
    assert not look(trial.directory, trial.cookie).trainer_alive


@pytest.mark.parametrize("started", [True, False])
def test_without_a_claim_processes_are_only_looked_for_when_the_attempt_has_started(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, started: bool
) -> None:
    monkeypatch.setattr(evidence, "with_cookie", lambda cookie: [4711])
    assert look(trial.directory, trial.cookie, started=started).leftovers == ((4711,) if started else ())


@pytest.mark.skipif(os.name == "nt", reason="Windows counts handles otherwise")
def test_a_look_without_descriptors_left_is_an_error_and_no_answer(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.start()

    def exhausted(*_: object, **__: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="Too many open files"):
        patch.setattr(os, "open", exhausted)
        look(trial.directory)
    with monkeypatch.context() as patch, pytest.raises(OSError, match="Too many open files"):
        patch.setattr(Path, "iterdir", exhausted)
        with_cookie(trial.cookie)
    assert look(trial.directory).trainer_alive


def test_a_shim_that_does_nothing_can_be_ended_and_only_that_very_process(trial: Trial) -> None:
    trial.start()
    claim = trial.directory.read_claim()
    assert claim is not None
    for forged in (replace(claim, started=claim.started + 1), replace(claim, boot_id="before the power went")):
        atomic_write(trial.directory.claim, asdict(forged))
        assert not takeover.kill_shim(trial.directory)
    assert is_held(trial.directory.shim_lock)
    atomic_write(trial.directory.claim, asdict(claim))
    assert takeover.kill_shim(trial.directory)
    until(lambda: not is_held(trial.directory.shim_lock))
    assert look(trial.directory).trainer_alive
