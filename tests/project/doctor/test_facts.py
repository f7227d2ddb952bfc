"""The doctor's facts: gathered where they are, from real files, ports and programs, and nothing is changed by it."""

from __future__ import annotations

import os
import socket
import sys
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from mentor_site.doctor import known, nvml
from mentor_site.doctor.checks.services import Unit
from mentor_site.doctor.facts import access, machine, ports, services, storage, trainers
from mentor_site.doctor.known import Known, KnownEnvironment, KnownTrainer
from sessions.domain.states import State
from sessions.models import Attempt, Machine
from sessions.runtime.rundir import create_once
from sessions.services.launching import directory_of
from tests.factories import make_machine, make_session
from tests.sessions.services.queueing import options

NOTHING = Known()


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("0::/\n", ("", False)),
        ("0::/system.slice/mentor.service\n", ("mentor.service", False)),
        ("12:cpu:/\n1:name=systemd:/system.slice/mentor.service\n", ("mentor.service", False)),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/mentor.service\n", ("mentor.service", True)),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-5.scope\n", ("", False)),
        ("0::/user.slice/user-1000.slice/session-2.scope\n", ("", False)),
        ("5:memory:/other.service\n", ("", False)),
        ("nonsense", ("", False)),
    ],
)
def test_the_service_is_read_from_the_control_group(text: str, unit: tuple[str, bool]) -> None:
    assert services.unit_in(text) == unit


@pytest.mark.skipif(sys.platform != "linux", reason="systemd")
def test_the_kill_mode_is_asked_of_systemd(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    systemctl = tmp_path / "systemctl"
    systemctl.write_text('#!/bin/sh\n[ "$1 $4" = "show mentor.service" ] && echo control-group\n')
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(services, "unit_in", lambda _: ("mentor.service", False))
    assert services.unit() == Unit("mentor.service", "control-group")


def test_the_file_system_is_that_of_the_nearest_mount(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [("/", "ext4"), ("/mnt", "ext4"), ("/mnt/share", "nfs4")]
    mounts = [SimpleNamespace(mountpoint=point, fstype=kind) for point, kind in parts]
    monkeypatch.setattr("mentor_site.doctor.facts.storage.psutil.disk_partitions", lambda **_: mounts)
    assert storage.file_system_of(Path("/mnt/share/lab/mentor")) == "nfs4"
    assert storage.file_system_of(Path("/mnt/shared/mentor")) == "ext4"


def test_ports_in_the_block_that_no_training_holds_are_taken(home: Path, settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        options(settings, MENTOR_BASE_PORT=port - 3, MENTOR_PORT=8600)
        assert port in ports.ports(NOTHING).taken
        assert f"process {os.getpid()}" in ports.ports(NOTHING).holders.get(port, f"process {os.getpid()}")
        assert port not in ports.ports(Known(leases=frozenset({port}))).taken
        options(settings, MENTOR_BASE_PORT=port - 3, MENTOR_PORT=port)
        assert (port in ports.ports(NOTHING).taken, ports.ports(NOTHING).web_taken) == (False, True)
    assert ports.ports(NOTHING).web_taken is False


def test_attempts_in_jobs_are_those_whose_shims_said_so(home: Path, ada: User) -> None:
    inside, outside, ended = (
        make_session(owner=ada, state=state) for state in (State.RUNNING, State.RUNNING, State.STOPPED)
    )
    for session, in_job in ((inside, True), (outside, False), (ended, True)):
        directory = directory_of(session.attempts.get())
        directory.path.mkdir(parents=True)
        facts_of_shim = {"pid": 1, "boot_id": "b", "started": 1, "trainer_pid": 2, "trainer_started": 2}
        create_once(directory.shim_json, {**facts_of_shim, "in_parent_job": in_job})
    assert services.attempts_in_jobs(known.ask()) == [inside.run_id]


def test_a_time_that_was_written_ahead_of_the_clock_is_measured(home: Path, db: None) -> None:
    assert machine.seconds_in_the_future(known.ask()) == 0.0
    make_machine()
    Machine.objects.update(supervisor_seen_at=timezone.now() + timedelta(hours=1))
    assert 3500 < machine.seconds_in_the_future(known.ask()) <= 3600
    assert known.ask().supervisor_online is False
    (home / "supervisor.lock").touch()
    os.utime(home / "supervisor.lock", (time.time() + 7200,) * 2)
    assert 7100 < machine.seconds_in_the_future(NOTHING) <= 7200


def test_a_launch_that_nobody_took_has_waited(home: Path, ada: User) -> None:
    assert known.longest_wait_for_a_launch() == 0.0
    make_session(owner=ada, state=State.LAUNCHING)
    Attempt.objects.update(granted_at=timezone.now() - timedelta(minutes=5))
    assert 299 < known.longest_wait_for_a_launch() < 400
    Attempt.objects.update(launched_at=timezone.now())
    assert known.longest_wait_for_a_launch() == 0.0


def test_trainings_of_a_machine_that_nobody_hears_of_are_known(home: Path, ada: User, settings: Settings) -> None:
    make_session(owner=ada, state=State.RUNNING)
    assert known.ask().silent_machines == ()
    settings.MENTOR_MACHINE = "renamed"
    assert len(known.ask().silent_machines) == 1


def test_runs_that_the_database_does_not_know_are_counted(home: Path, ada: User) -> None:
    make_session(owner=ada)
    assert storage.unknown_run_count(known.ask()) == 0
    (home / "runs/strange").mkdir(parents=True)
    (home / "runs/strange/session.json").write_text('{"run_id": "strange", "attempts": [{"number": 1, "cookie": "c"}]}')
    assert storage.unknown_run_count(known.ask()) == 1


def test_a_new_installation_is_in_no_trouble(home: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "file_of_database", lambda: home / "mentor.sqlite3")
    assert (storage.there_is_a_database(), storage.first_trouble()) == (False, None)
    (home / "runs/ball").mkdir(parents=True)
    (home / "runs/ball/session.json").write_text('{"run_id": "ball", "attempts": [{"number": 1, "cookie": "c"}]}')
    assert storage.first_trouble() is not None


def test_folders_that_cannot_be_written_say_why(home: Path, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    options(settings, MENTOR_RESULTS_DIR=tmp_path / "file" / "results")
    found = {one.name: one.problem for one in access.folders()}
    assert found["MENTOR's folder"] == ""
    assert "no folder" in found["Results"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_noticed(home: Path, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir(mode=0o500)
    options(settings, MENTOR_RESULTS_DIR=tmp_path / "results")
    assert "no right" in {one.name: one.problem for one in access.folders()}["Results"]


def test_an_environment_is_judged_by_its_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "Ball.x86_64"
    assert trainers.build_of(KnownEnvironment("Ball", str(path), 1, 1)).size is None
    path.write_bytes(b"\x7fELF")
    path.chmod(0o755)
    found = trainers.build_of(KnownEnvironment("Ball", str(path), 1, 1))
    assert (found.size, found.executable) == (4, True)


def test_a_trainer_that_is_on_the_path_and_not_registered_is_looked_at(
    home: Path, settings: Settings, tmp_path: Path
) -> None:
    learn = tmp_path / "mlagents-learn"
    learn.write_text(f"#!{sys.executable}\n")
    options(settings, MENTOR_MLAGENTS_LEARN=learn)
    registered = (KnownTrainer("other", "mlagents", "/opt/other/python"), KnownTrainer("practice", "practice", "x"))
    names = [one.name for one in trainers.trainers_of(Known(trainers=registered))]
    assert names == ["other", "mlagents"]
    mine = (KnownTrainer("mine", "mlagents", sys.executable),)
    assert [one.name for one in trainers.trainers_of(Known(trainers=mine))] == ["mine"]


class Nvml:
    """NVML of a machine with one GPU; `broken` says why it does not begin."""

    class NVMLError(Exception):
        pass

    def __init__(self, broken: str = "") -> None:
        self.broken = broken

    def nvmlInit(self) -> None:
        if self.broken:
            raise self.NVMLError(self.broken)

    def __getattr__(self, name: str) -> object:
        answers = {
            "nvmlDeviceGetCount": 1,
            "nvmlDeviceGetHandleByIndex": "card",
            "nvmlDeviceGetName": b"RTX 4090",
            "nvmlSystemGetDriverVersion": "550.54",
            "nvmlDeviceGetMemoryInfo": SimpleNamespace(total=24 << 30),
            "nvmlSystemGetCudaDriverVersion": 12040,
        }
        return lambda *_: answers[name]


def test_what_nvml_says_is_told_and_so_is_its_silence() -> None:
    said = nvml.answer(Nvml())
    assert said == {"names": ["RTX 4090"], "driver": "550.54", "memory": [24 << 30], "cuda": [12, 4]}
    assert nvml.answer(Nvml("Driver/library version mismatch")) == {"problem": "Driver/library version mismatch"}


def test_a_driver_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "mentor_site" / "doctor"
    package.mkdir(parents=True)
    (package / "nvml.py").write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(trainers, "BASE_DIR", tmp_path)
    monkeypatch.setattr(trainers, "NVML_SECONDS", 0.3)
    assert "said nothing" in trainers.gpus().problem


def test_the_driver_is_asked_by_a_program_of_its_own() -> None:
    found = trainers.gpus()
    assert "failed" not in found.problem
