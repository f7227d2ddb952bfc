"""The doctor: facts become findings that say what is wrong, why it matters and what to do."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone
from pytest_django import Settings

from mentor_site import facts, findings
from mentor_site.findings import Finding, Home, Ports, Unit
from sessions.domain import trouble
from sessions.domain.states import State
from sessions.models import Attempt, Machine
from sessions.runtime.rundir import create_once
from sessions.services import trainers
from sessions.services.launching import directory_of
from tests.factories import make_machine, make_practice_trainer, make_session
from tests.sessions.services.queueing import options

HOME = Home("/home/ada/mentor", "ext4", free=50 << 30, reserve=2 << 30, unknown_runs=0)
PORTS = Ports(editor_taken=False, base_taken=False, base_port=5005, web_taken=False, web_port=8600)


def said(found: Iterator[Finding]) -> str:
    """What the findings say is wrong; each says why and what to do, too."""
    listed = list(found)
    assert all(one.why.endswith(".") and one.fix for one in listed)
    return " ".join(one.what for one in listed)


# From facts to findings


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
    found = list(findings.of_unit(unit))
    assert [one.kind for one in found] == (["error"] if wrong else [])
    assert "KillMode" in said(findings.of_unit(unit)) if wrong else not found


def test_a_container_is_said_to_end_its_trainings_and_without_init_more() -> None:
    assert said(findings.of_container(False, "python3")) == ""
    assert said(findings.of_container(True, "tini")) == "MENTOR runs in a container."
    assert "python3, which is no init" in said(findings.of_container(True, "python3"))


def test_a_shim_that_stayed_in_its_parents_job_is_named() -> None:
    assert said(findings.of_jobs([])) == ""
    assert "ball-1, ball-2" in said(findings.of_jobs(["ball-1", "ball-2"]))


@pytest.mark.parametrize(
    ("home", "word"),
    [
        (HOME, ""),
        (replace(HOME, path="\\\\server\\share\\mentor"), "another machine"),
        (replace(HOME, file_system="nfs4"), "another machine"),
        (replace(HOME, file_system="CIFS"), "another machine"),
        (replace(HOME, path="C:\\Users\\ada\\OneDrive - Lab\\mentor"), "OneDrive keeps in step"),
        (replace(HOME, path="/home/ada/Dropbox/mentor"), "Dropbox"),
        (replace(HOME, free=1 << 30), "Only 1.0 GB"),
        (replace(HOME, unknown_runs=3), "everything of 3 runs"),
    ],
)
def test_where_the_home_lies_matters(home: Home, word: str) -> None:
    assert word in said(findings.of_home(home)) if word else not list(findings.of_home(home))


@pytest.mark.parametrize("one", [trouble.DAMAGED, trouble.BEHIND, trouble.LOCKED])
def test_trouble_with_the_database_is_a_finding_with_its_own_words(one: trouble.Trouble) -> None:
    (found,) = findings.of_database(one)
    assert (found.what, found.fix) == (one.detail, one.hint)
    assert found.kind == ("error" if one is trouble.DAMAGED else "warning")


def test_a_clock_that_went_back_is_noticed() -> None:
    assert said(findings.of_clock(5.0)) == ""
    assert "3600 s in the future" in said(findings.of_clock(3600.0))


def test_ports_of_others_are_named_and_the_pages_own_is_not() -> None:
    assert said(findings.of_ports(PORTS, mentor_runs=False)) == ""
    assert "5004" in said(findings.of_ports(replace(PORTS, editor_taken=True), mentor_runs=True))
    assert "5005" in said(findings.of_ports(replace(PORTS, base_taken=True), mentor_runs=True))
    taken = replace(PORTS, web_taken=True)
    assert "8600" in said(findings.of_ports(taken, mentor_runs=False))
    assert said(findings.of_ports(taken, mentor_runs=True)) == ""


@pytest.mark.parametrize(
    ("running", "online", "wait", "word"),
    [
        (None, False, 0.0, "does not run"),
        (None, True, 0.0, ""),
        (frozenset({"web", "worker", "supervise"}), True, 0.0, ""),
        (frozenset({"web", "supervise"}), True, 0.0, "without its worker"),
        (frozenset(), False, 0.0, "without its web and worker and supervise"),
        (frozenset({"web", "worker", "supervise"}), False, 0.0, "not been heard of"),
        (frozenset({"web", "worker", "supervise"}), True, 90.0, "waited 90 s"),
    ],
)
def test_parts_that_are_missing_or_silent_are_noticed(
    running: frozenset[str] | None, online: bool, wait: float, word: str
) -> None:
    found = said(findings.of_parts(running, online, wait))
    assert word in found if word else not found


# Facts


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
    assert facts.unit_in(text) == unit


@pytest.mark.skipif(sys.platform != "linux", reason="systemd")
def test_the_kill_mode_is_asked_of_systemd(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    systemctl = tmp_path / "systemctl"
    systemctl.write_text('#!/bin/sh\n[ "$1 $4" = "show mentor.service" ] && echo control-group\n')
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(facts, "unit_in", lambda _: ("mentor.service", False))
    assert facts.unit() == Unit("mentor.service", "control-group")


def test_the_file_system_is_that_of_the_nearest_mount(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [("/", "ext4"), ("/mnt", "ext4"), ("/mnt/share", "nfs4")]
    mounts = [type("Part", (), {"mountpoint": point, "fstype": kind}) for point, kind in parts]
    monkeypatch.setattr("mentor_site.facts.psutil.disk_partitions", lambda **_: mounts)
    assert facts.file_system_of(Path("/mnt/share/lab/mentor")) == "nfs4"
    assert facts.file_system_of(Path("/mnt/shared/mentor")) == "ext4"


def test_a_port_that_a_training_holds_is_not_taken(home: Path, ada: User, settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        options(settings, MENTOR_BASE_PORT=port, MENTOR_PORT=port)
        assert (facts.ports().base_taken, facts.ports().web_taken) == (True, True)
        attempt = make_session(owner=ada, state=State.RUNNING).attempts.get()
        attempt.leases.create(machine=make_machine(), port=port)
        assert facts.ports().base_taken is False
    assert facts.ports().web_taken is False


def test_attempts_in_jobs_are_those_whose_shims_said_so(home: Path, ada: User) -> None:
    inside, outside, ended = (
        make_session(owner=ada, state=state) for state in (State.RUNNING, State.RUNNING, State.STOPPED)
    )
    for session, in_job in ((inside, True), (outside, False), (ended, True)):
        directory = directory_of(session.attempts.get())
        directory.path.mkdir(parents=True)
        facts_of_shim = {"pid": 1, "boot_id": "b", "started": 1, "trainer_pid": 2, "trainer_started": 2}
        create_once(directory.shim_json, {**facts_of_shim, "in_parent_job": in_job})
    assert facts.attempts_in_jobs() == [inside.run_id]


def test_a_time_that_was_written_ahead_of_the_clock_is_measured(home: Path, db: None) -> None:
    assert facts.seconds_in_the_future() == 0.0
    make_machine()
    Machine.objects.update(supervisor_seen_at=timezone.now() + timedelta(hours=1))
    assert 3500 < facts.seconds_in_the_future() <= 3600


def test_a_launch_that_nobody_took_has_waited(home: Path, ada: User) -> None:
    assert facts.longest_wait_for_a_launch() == 0.0
    make_session(owner=ada, state=State.LAUNCHING)
    Attempt.objects.update(granted_at=timezone.now() - timedelta(minutes=5))
    assert 299 < facts.longest_wait_for_a_launch() < 400
    Attempt.objects.update(launched_at=timezone.now())
    assert facts.longest_wait_for_a_launch() == 0.0


# The command


@pytest.fixture
def quiet(home: Path, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nothing is wrong but that MENTOR does not run."""
    make_practice_trainer()
    monkeypatch.setattr(trainers, "discover", lambda: None)
    monkeypatch.setattr(facts, "home", lambda: HOME)
    monkeypatch.setattr(facts, "ports", lambda: PORTS)
    monkeypatch.setattr(facts, "in_container", lambda: False)
    monkeypatch.setattr(facts, "unit", lambda: None)


@pytest.mark.usefixtures("quiet")
def test_findings_are_told_with_reason_and_fix(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("doctor")
    out = capsys.readouterr().out
    assert "warning: MENTOR does not run.\n  Nothing is started and nothing stored.\n  Start it: manage.py up\n" in out
    assert "warning: ML-Agents was not found" in out
    assert out.endswith("Nothing is in the way of a training.\n")


@pytest.mark.usefixtures("quiet")
def test_an_error_ends_the_command_with_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(facts, "unit", lambda: Unit("mentor.service", "control-group"))
    with pytest.raises(CommandError, match="needs mending"):
        call_command("doctor")
    assert "error: mentor.service has KillMode=control-group." in capsys.readouterr().out


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("one", [trouble.DAMAGED, trouble.BEHIND])
def test_a_database_in_trouble_is_not_asked_anything_more(
    one: trouble.Trouble, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(facts, "database_trouble", lambda: one)
    monkeypatch.setattr(facts, "home", lambda: pytest.fail("the database was asked"))
    if one is trouble.DAMAGED:
        with pytest.raises(CommandError):
            call_command("doctor")
    else:
        call_command("doctor")
    assert one.detail in capsys.readouterr().out


def test_a_new_installation_is_in_no_trouble(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "database_trouble", lambda: trouble.GONE)
    assert facts.trouble_with_database() is None
    (home / "runs/ball").mkdir(parents=True)
    (home / "runs/ball/session.json").write_text('{"run_id": "ball", "attempts": [{"number": 1, "cookie": "c"}]}')
    assert facts.trouble_with_database() is trouble.GONE
