"""The doctor's rules: facts become findings that say what is wrong, why it matters and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from mentor_site.doctor.checks import access, gpu, machine, ports, services, storage, trainers
from mentor_site.doctor.checks.access import Folder, Guarded
from mentor_site.doctor.checks.gpu import Gpus
from mentor_site.doctor.checks.machine import Machine
from mentor_site.doctor.checks.ports import Ports
from mentor_site.doctor.checks.services import Parts, Unit
from mentor_site.doctor.checks.storage import Database, Disk, Home
from mentor_site.doctor.checks.trainers import Build
from mentor_site.doctor.findings import Finding
from mentor_site.doctor.known import KnownEnvironment, KnownTrainer
from sessions.domain import trouble
from sessions.domain.preflight.installed import Installed

GB = 1 << 30
HOME = Home("/home/ada/mentor", "ext4")
DISK = Disk("Disk", "/home/ada/mentor", free=50 * GB, reserve=2 * GB, files=10**6)
PORTS = Ports(editor_taken=False, base_port=5005, block=64, taken=(), web_taken=False, web_port=8600)
ALL = frozenset({"web", "worker", "supervise"})
PARTS = Parts(ALL, {}, supervisor_online=True, seen_seconds=1.0)
MACHINE = Machine("Linux", (3, 11, 4), 64, processors=8, memory=32 * GB, available=16 * GB, descriptors=4096)
TWO = Gpus(("RTX 4090", "RTX 3060"), (24 * GB, 12 * GB), driver="550.54", cuda=(12, 4))
GOOD = Installed(
    "3.10.12",
    {"mlagents": "1.1.0", "mlagents_envs": "1.1.0", "torch": "2.2.2", "numpy": "1.23.5", "protobuf": "3.20.3"},
    cuda="12.1",
)
BALL = KnownTrainer("mlagents", "mlagents", "/opt/ml/bin/python", "1.1.0")
BUILD = KnownEnvironment("Ball", "/builds/Ball.x86_64", size=10, modified_ns=5)


def bad(found: Iterator[Finding]) -> str:
    """What the findings say is wrong; each says why and what to do, too. Something was looked at in any case."""
    wrong = [one for one in found if one.level != "ok"]
    assert all(one.why.endswith(".") and one.fix for one in wrong)
    return " ".join(one.what for one in wrong)


@pytest.mark.parametrize(
    ("unit", "wrong"),
    [
        (None, False),
        (Unit("mentor.service", "process"), False),
        (Unit("mentor.service", "control-group"), True),
        (Unit("mentor.service", "mixed"), True),
    ],
)
def test_a_service_that_would_end_trainings_with_it_is_an_error(unit: Unit | None, wrong: bool) -> None:
    assert ("KillMode" in bad(services.of_unit(unit))) is wrong
    assert all(one.level in ("ok", "error") for one in services.of_unit(unit))


def test_a_container_is_said_to_end_its_trainings_and_without_init_more() -> None:
    assert bad(services.of_container(False, "python3")) == ""
    assert bad(services.of_container(True, "tini")) == "MENTOR runs in a container."
    assert "python3, which is no init" in bad(services.of_container(True, "python3"))


def test_a_shim_that_stayed_in_its_parents_job_is_named() -> None:
    assert bad(services.of_jobs([])) == ""
    assert "ball-1, ball-2" in bad(services.of_jobs(["ball-1", "ball-2"]))


@pytest.mark.parametrize(
    ("parts", "word"),
    [
        (PARTS, ""),
        (replace(PARTS, running=None), ""),
        (replace(PARTS, running=None, supervisor_online=False), "does not run"),
        (replace(PARTS, running=ALL - {"worker"}), "without its worker"),
        (replace(PARTS, running=frozenset(), supervisor_online=False), "without its web and worker and supervise"),
        (replace(PARTS, supervisor_online=False), "not been heard of"),
        (replace(PARTS, halted={"supervise": 7}, supervisor_online=False), "supervise process was halted"),
    ],
)
def test_parts_that_are_missing_halted_or_silent_are_noticed(parts: Parts, word: str) -> None:
    found = bad(services.of_parts(parts))
    assert word in found if word else not found


def test_launches_that_wait_machines_that_are_silent_and_restores_that_broke_off_are_noticed() -> None:
    assert bad(services.of_launches(5.0)) == ""
    assert "waited 90 s" in bad(services.of_launches(90.0))
    assert "lab-1" in bad(services.of_machines(["lab-1"], here="lab-2"))
    assert [one.level for one in services.of_restore(True)] == ["error"]
    assert not list(services.of_restore(False))


@pytest.mark.parametrize(
    ("home", "word"),
    [
        (HOME, ""),
        (replace(HOME, path="\\\\server\\share\\mentor"), "another machine"),
        (replace(HOME, file_system="nfs4"), "another machine"),
        (replace(HOME, file_system="CIFS"), "another machine"),
        (replace(HOME, path="C:\\Users\\ada\\OneDrive - Lab\\mentor"), "OneDrive keeps in step"),
        (replace(HOME, path="/home/ada/Dropbox/mentor"), "Dropbox"),
    ],
)
def test_where_the_home_lies_matters(home: Home, word: str) -> None:
    assert word in bad(storage.of_home(home)) if word else not bad(storage.of_home(home))


@pytest.mark.parametrize(
    ("disk", "word"),
    [
        (DISK, ""),
        (replace(DISK, free=1 * GB), "Only 1.0 GB"),
        (replace(DISK, free=None), "does not tell"),
        (replace(DISK, files=12), "Only 12 more files"),
    ],
)
def test_room_on_the_disk_is_compared_with_the_reserve(disk: Disk, word: str) -> None:
    assert word in bad(storage.of_disk(disk)) if word else not bad(storage.of_disk(disk))


@pytest.mark.parametrize("one", [trouble.DAMAGED, trouble.BEHIND, trouble.LOCKED])
def test_trouble_with_the_database_is_a_finding_with_its_own_words(one: trouble.Trouble) -> None:
    (found,) = storage.of_trouble(one, new=False)
    assert (found.what, found.fix) == (one.detail, one.hint)
    assert found.level == ("error" if one is trouble.DAMAGED else "warning")


def test_a_new_installation_has_no_database_yet_and_that_is_right() -> None:
    (found,) = storage.of_trouble(None, new=True)
    assert (found.level, "none yet" in found.what) == ("ok", True)


def test_journal_history_and_long_paths_are_looked_at() -> None:
    assert bad(storage.of_database(Database("sqlite", "wal"))) == ""
    assert bad(storage.of_database(Database("postgresql"))) == ""
    assert "journal is delete" in bad(storage.of_database(Database("sqlite", "delete")))
    assert "2.0 GB wait" in bad(storage.of_database(Database("sqlite", "wal", waiting=2 * GB)))
    assert "of 3 runs" in bad(storage.of_unknown_runs(3))
    assert bad(storage.of_unknown_runs(0)) == ""
    assert bad(storage.of_long_paths("C:\\mentor", enabled=False)) == ""
    assert bad(storage.of_long_paths("C:\\" + "x" * 200, enabled=True)) == ""
    assert "203 characters" in bad(storage.of_long_paths("C:\\" + "x" * 200, enabled=False))


def test_a_clock_that_went_back_is_noticed() -> None:
    assert bad(machine.of_clock(5.0)) == ""
    assert "3600 s in the future" in bad(machine.of_clock(3600.0))


def test_the_machine_is_compared_with_what_a_training_takes() -> None:
    assert (
        bad(machine.of_python(MACHINE)) == bad(machine.of_memory(MACHINE)) == bad(machine.of_descriptors(MACHINE)) == ""
    )
    assert "for which it was not made" in bad(machine.of_python(replace(MACHINE, python=(3, 14, 0))))
    assert "32 bits" in bad(machine.of_python(replace(MACHINE, bits=32)))
    assert "on 8 processors" in bad(machine.of_processors(MACHINE, slots=9))
    assert bad(machine.of_processors(MACHINE, slots=2)) == ""
    assert "0.5 of 32.0 GB" in bad(machine.of_memory(replace(MACHINE, available=GB // 2)))
    assert "may use 1.0 GB" in bad(machine.of_memory(replace(MACHINE, memory_limit=GB)))
    assert "256 files" in bad(machine.of_descriptors(replace(MACHINE, descriptors=256)))


def test_variables_that_change_what_trainers_import_are_named() -> None:
    assert bad(machine.of_variables({"PATH", "HOME"})) == ""
    assert "PYTHONHOME and PYTHONPATH are set" in bad(machine.of_variables({"PYTHONPATH", "PYTHONHOME"}))
    assert bad(machine.of_display("linux", {"PATH"})) == ""


@pytest.mark.parametrize(
    ("gpus", "word"),
    [
        (TWO, ""),
        (Gpus(), ""),
        (Gpus(problem="Driver/library version mismatch"), "version mismatch"),
        (Gpus(cards=1), "1 NVIDIA card, and no driver"),
    ],
)
def test_a_gpu_without_an_answering_driver_is_noticed(gpus: Gpus, word: str) -> None:
    assert word in bad(gpu.of_gpus(gpus)) if word else not bad(gpu.of_gpus(gpus))


def test_every_gpu_is_shown_with_its_number_memory_and_driver() -> None:
    (found,) = gpu.of_gpus(TWO)
    assert found.what == "cuda:0 is RTX 4090, 24 GB, cuda:1 is RTX 3060, 12 GB. Driver 550.54, which has CUDA 12.4."


@pytest.mark.parametrize(
    ("installed", "gpus", "word"),
    [
        (GOOD, TWO, ""),
        (GOOD, Gpus(), ""),
        (replace(GOOD, cuda=""), Gpus(), ""),
        (replace(GOOD, cuda=""), TWO, "RTX 4090 stays idle"),
        (replace(GOOD, cuda="12.8"), TWO, "built for CUDA 12.8; the driver has CUDA 12.4"),
        (replace(GOOD, cuda="13.0"), TWO, "built for CUDA 13.0"),
        (replace(GOOD, cuda=None), TWO, ""),
        (replace(GOOD, packages={**GOOD.packages, "torch": "2.3.0+rocm5.7"}, cuda="57.1"), TWO, ""),
    ],
)
def test_pytorch_is_compared_with_the_driver(installed: Installed, gpus: Gpus, word: str) -> None:
    found = bad(gpu.of_torch("mlagents", installed, gpus))
    assert word in found if word else not found


@pytest.mark.parametrize(
    ("trainer", "installed", "gone", "level", "word"),
    [
        (BALL, GOOD, False, "ok", "fit together"),
        (BALL, Installed(problem="no such file"), True, "error", "/opt/ml/bin/python is gone"),
        (BALL, Installed(problem="It did not answer.", late=True), False, "warning", "did not answer"),
        (BALL, Installed("3.10.1"), False, "error", "mlagents is not installed"),
        (replace(BALL, problem="It was gone."), GOOD, False, "warning", "When MENTOR last asked: It was gone."),
        (BALL, replace(GOOD, packages={**GOOD.packages, "protobuf": "4.25.0"}), False, "error", "protobuf 4.25.0"),
        (BALL, replace(GOOD, packages={**GOOD.packages, "mlagents_envs": "0.30.0"}), False, "warning", "0.30.0"),
    ],
)
def test_every_trainer_is_looked_at(
    trainer: KnownTrainer, installed: Installed, gone: bool, level: str, word: str
) -> None:
    found = list(trainers.of_trainer(trainer, installed, {}, gone=gone))
    assert word in next(one.what for one in found if one.level == level)
    assert all(one.fix for one in found if one.level != "ok")


def test_no_trainer_for_unity_is_said() -> None:
    assert "only the practice trainer" in bad(trainers.of_kinds(0))
    assert not list(trainers.of_kinds(1))


@pytest.mark.parametrize(
    ("build", "word"),
    [
        (Build(10, 5), ""),
        (Build(None), "The file is gone"),
        (Build(10, 5, executable=False), "may not be executed"),
        (Build(11, 5), "written anew"),
        (Build(10, 6), "written anew"),
    ],
)
def test_environments_that_are_gone_or_changed_are_noticed(build: Build, word: str) -> None:
    found = bad(trainers.of_environment(BUILD, build))
    assert word in found if word else not found


def test_ports_of_others_are_named_and_the_pages_own_is_not() -> None:
    assert bad(ports.of_ports(PORTS, mentor_runs=False)) == ""
    assert "5004" in bad(ports.of_ports(replace(PORTS, editor_taken=True), mentor_runs=True))
    assert "5006, 5009" in bad(ports.of_ports(replace(PORTS, taken=(5006, 5009)), mentor_runs=True))
    held = replace(PORTS, editor_taken=True, holders={5004: "mlagents-learn, process 7"})
    assert "Port 5004 (mlagents-learn, process 7) is used" in bad(ports.of_ports(held, mentor_runs=True))
    taken = replace(PORTS, web_taken=True)
    assert "8600" in bad(ports.of_ports(taken, mentor_runs=False))
    assert bad(ports.of_ports(taken, mentor_runs=True)) == ""


def test_folders_that_cannot_be_written_are_errors() -> None:
    (found,) = access.of_folders([Folder("Results", "/results", "MENTOR's user has no right to")])
    assert (found.level, "/results cannot be written" in found.what) == ("error", True)
    assert bad(access.of_folders([Folder("Results", "/results")])) == ""


@pytest.mark.parametrize(
    ("folder", "file", "is_open"),
    [(0o700, 0o644, False), (0o755, 0o600, False), (0o755, 0o644, True), (0o750, 0o640, True), (0o710, 0o604, False)],
)
def test_secrets_are_open_where_the_way_to_them_is(folder: int, file: int, is_open: bool) -> None:
    found = bad(access.of_guarded(Guarded("/home", folder), [Guarded("/home/secret_key", file)]))
    assert ("may read /home/secret_key" in found) is is_open


def test_other_owners_root_and_readable_passwords_are_noticed() -> None:
    assert "another user" in bad(access.of_guarded(Guarded("/home", 0o700, owned=False), []))
    assert "root" in bad(access.of_user(True))
    assert "192.168.1.2" in bad(access.of_address("192.168.1.2", loopback=False, https=False))
    assert bad(access.of_address("192.168.1.2", loopback=False, https=True)) == ""
