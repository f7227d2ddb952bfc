"""The examination: all checks beside each other, each within its time; on the command line, on its page and by REST."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from pytest_django import Settings

from mentor_site.doctor import examination, known
from mentor_site.doctor.checks.services import Unit
from mentor_site.doctor.examination import Check, examine, run
from mentor_site.doctor.facts import services, storage
from mentor_site.doctor.findings import Finding, ok
from mentor_site.options import BASE_DIR
from sessions.domain import trouble
from sessions.domain.preflight.installed import Installed
from sessions.models import Environment, Trainer
from sessions.trainers import packages
from tests.factories import NOWHERE, PACKAGES, make_mlagents_trainer

CONTROL_GROUP = Unit("mentor.service", "control-group")


def test_a_check_that_hangs_is_said_and_costs_the_others_nothing() -> None:
    let_go = threading.Event()
    looks: list[int] = []

    def hang() -> list[Finding]:
        looks.append(1)
        let_go.wait(30)
        return [ok("Driver", "It answers.")]

    checks = [Check("GPU", "Driver", hang), Check("Disks", "Disk", lambda: [ok("Disk", "Enough.")])]
    found = run(checks, seconds=0.1)
    assert (found.late, found.level) == (["Driver"], "warning")
    assert [one.what for one in found.findings] == ["This has not answered yet.", "Enough."]
    run(checks, seconds=0.1)
    assert looks == [1], "a look that hangs is waited for, and not begun once more"
    let_go.set()
    found = run(checks, seconds=10)
    assert ([one.what for one in found.findings], looks) == (["It answers.", "Enough."], [1])


def test_a_check_that_fails_is_a_finding(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> list[Finding]:
        raise PermissionError("not yours")

    (found,) = run([Check("Disks", "Disk", fail)], seconds=10).findings
    assert (found.level, found.title) == ("warning", "Disk")
    assert "not yours" in found.what
    assert "The check Disk failed" in caplog.text


@pytest.mark.usefixtures("quiet")
def test_what_is_right_is_shown_as_well_and_each_subject_is_looked_at() -> None:
    found = examine()
    assert found.level == "warning"
    assert {one.subject for one in found.findings} == set(examination.SUBJECTS) - {"Environments"}
    assert {one.title for one in found.findings if one.level == "warning"} == {"MENTOR's processes", "ML-Agents"}
    assert len([one for one in found.findings if one.level == "ok"]) > 10


def test_every_subject_is_documented() -> None:
    page = (BASE_DIR / "docs" / "doctor.md").read_text(encoding="utf-8")
    assert all(f"| {subject} |" in page for subject in examination.SUBJECTS)


@pytest.mark.usefixtures("quiet")
def test_looking_changes_nothing(home: Path) -> None:
    def everything() -> list[tuple[str, int]]:
        return sorted((str(path), path.stat().st_mtime_ns) for path in [home, *home.rglob("*")])

    Trainer.objects.create(name="old", kind="mlagents", interpreter="/gone/python", origin="registered")
    before = everything(), list(Trainer.objects.values())
    examine()
    assert (everything(), list(Trainer.objects.values())) == before


@pytest.mark.usefixtures("quiet")
def test_faults_of_the_set_up_are_named_with_their_fixes() -> None:
    make_mlagents_trainer()
    packages.remember(NOWHERE, Installed("3.10.12", {**PACKAGES, "protobuf": "4.25.1"}, stamp="0"), ())
    Trainer.objects.create(name="old", kind="mlagents", interpreter="/gone/python", origin="registered")
    Environment.objects.create(name="Ball", path="/builds/Ball", sha256="0", size=1, modified_ns=1)
    found = {one.title: one for one in examine().findings if one.level != "ok"}
    assert "protobuf==3.20.3" in found["Trainer mlagents"].fix
    assert "/gone/python is gone" in found["Trainer old"].what
    assert "Build it again" in found["Environment Ball"].fix


# The command


@pytest.mark.usefixtures("quiet")
def test_findings_are_told_with_reason_and_fix(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("doctor")
    out = capsys.readouterr().out
    assert "warning: MENTOR does not run.\n  Nothing is started and nothing stored.\n  Start it: manage.py up\n" in out
    assert "warning: ML-Agents was not found" in out
    assert "ok: Clock: It has not gone back." in out
    assert out.endswith("Nothing is in the way of a training.\n")


@pytest.mark.usefixtures("quiet")
def test_an_error_ends_the_command_with_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(services, "unit", lambda: CONTROL_GROUP)
    with pytest.raises(CommandError, match="needs mending"):
        call_command("doctor")
    assert "error: mentor.service has KillMode=control-group." in capsys.readouterr().out


@pytest.mark.usefixtures("quiet")
def test_programs_are_told_the_same_as_one_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(services, "unit", lambda: CONTROL_GROUP)
    with pytest.raises(CommandError):
        call_command("doctor", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["level"] == "error"
    assert {"subject", "level", "title", "what", "why", "fix"} == set(told["findings"][0])


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("one", [trouble.DAMAGED, trouble.BEHIND])
def test_a_database_in_trouble_is_not_asked_anything_more(
    one: trouble.Trouble, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(storage, "first_trouble", lambda: one)
    monkeypatch.setattr(known, "ask", lambda: pytest.fail("the database was asked"))
    if one is trouble.DAMAGED:
        with pytest.raises(CommandError):
            call_command("doctor")
    else:
        call_command("doctor")
    out = capsys.readouterr().out
    assert one.detail in out
    assert "ok: Memory" in out, "what needs no database is looked at all the same"


def test_a_session_is_put_into_a_bundle_only() -> None:
    with pytest.raises(CommandError, match="--bundle"):
        call_command("doctor", "--session", "ball")


# The page and the API


@pytest.mark.usefixtures("quiet")
def test_the_page_shows_what_is_wrong_and_what_was_looked_at(client: Client, ada: User) -> None:
    client.force_login(ada)
    page = client.get("/doctor/?patient").content.decode()
    assert "MENTOR does not run." in page
    assert "Start it: manage.py up" in page
    assert "It has not gone back." in page
    assert "data-late" not in page


@pytest.mark.usefixtures("quiet")
def test_a_page_does_not_wait_for_what_is_slow(client: Client, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()
    monkeypatch.setattr(examination, "_service", lambda: let_go.wait(30) and [])
    monkeypatch.setattr("mentor_site.doctor.pages.PAGE_SECONDS", 0.2)
    client.force_login(ada)
    page = client.get("/doctor/").content.decode()
    let_go.set()
    assert "data-late" in page
    assert "Service" in page
    assert "data-late" not in client.get("/doctor/?patient").content.decode()


@pytest.mark.usefixtures("quiet")
def test_programs_may_ask_for_it(client: Client, ada: User) -> None:
    client.force_login(ada)
    told = client.get("/api/doctor/").json()
    assert (told["level"], told["findings"][0]["subject"]) == ("warning", "Settings")


@pytest.mark.parametrize("address", ["/doctor/", "/doctor/bundle/", "/api/doctor/"])
def test_how_the_machine_stands_is_for_staff(client: Client, ben: User, cyd: User, home: Path, address: str) -> None:
    for user in (ben, cyd):
        client.force_login(user)
        assert client.get(address).status_code == 403


@pytest.mark.usefixtures("quiet")
def test_staff_finds_the_way_there(client: Client, ada: User, ben: User, settings: Settings) -> None:
    for user, seen in ((ada, True), (ben, False)):
        client.force_login(user)
        assert ("/doctor/" in client.get("/trainers/").content.decode()) is seen
