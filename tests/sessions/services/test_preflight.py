"""The checks of a start: what refuses it, what is only told, and what the trainer's own parser says."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from sessions.domain.preflight.checks import Check, Level
from sessions.domain.preflight.installed import Installed
from sessions.domain.states import State
from sessions.errors import InvalidStart
from sessions.models import BehaviorProgress, Connection, Environment, ParserVerdict, PortLease, TrainingSession
from sessions.selectors import machine
from sessions.selectors import preflight as facts
from sessions.services import batches, environments, launching, preflight, starting
from sessions.services.planning import StartRequest, plan_start
from sessions.trainers import packages
from sessions.trainers.connecting import Connected
from sessions.trainers.parser import Verdict
from tests.factories import (
    CONFIG,
    NOWHERE,
    make_machine,
    make_mlagents_trainer,
    make_practice_trainer,
    make_request,
    make_session,
)

pytestmark = [pytest.mark.usefixtures("home", "trainers"), pytest.mark.django_db]
GAIL = CONFIG + b"    reward_signals:\n      extrinsic:\n        gamma: 0.9\n      gail:\n        demo_path: %s\n"


@pytest.fixture
def trainers() -> None:
    make_practice_trainer()
    make_mlagents_trainer()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The configurations that the trainer's parser was given; it refuses those with the word refuse."""
    given: list[bytes] = []

    def have_parsed(interpreter: str, config: bytes, **_: object) -> Verdict:
        given.append(config)
        said = Verdict(False, "configuration", "ML-Agents refuses this configuration: no.", "Change it.")
        return said if b"refuse" in config else Verdict(True)

    monkeypatch.setattr(preflight, "have_parsed", have_parsed)
    return given


def checks(request: StartRequest, by: User) -> dict[str, Check]:
    return {one.id: one for one in preflight.preflight(plan_start(request, by=by), by=by).checks}


def mlagents(**changes: object) -> StartRequest:
    return make_request(**{"trainer": "mlagents", **changes})


def build_at(folder: Path, name: str = "Ball", content: bytes = b"#!/bin/sh\n") -> Path:
    path = folder / name
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def test_a_start_in_order_passes_every_check(ada: User) -> None:
    found = checks(mlagents(), ada)
    assert set(found) == {"versions", "demonstrations", "gpu", "paths", "behaviors", "memory", "disk", "ports"}
    assert {one.level for one in found.values()} <= {Level.OK, Level.WARNING}
    assert found["versions"].level is Level.OK


def test_the_practice_trainer_needs_less(ada: User) -> None:
    assert set(checks(make_request(), ada)) == {"paths", "behaviors", "memory", "disk", "ports"}


def test_versions_that_do_not_fit_refuse_the_start_at_the_trainer(ada: User) -> None:
    packages.remember(NOWHERE, Installed("3.10", {"mlagents": "1.1.0", "protobuf": "4.0"}, stamp="0"), ())
    with pytest.raises(InvalidStart) as refused:
        starting.start_session(mlagents(), by=ada)
    assert "protobuf 4.0" in refused.value.errors["trainer"][0]
    assert "protobuf==3.20.3" in refused.value.hint
    assert not TrainingSession.objects.exists()


def test_one_wrong_start_of_many_starts_none(ada: User) -> None:
    wrong = mlagents(run_id="b", config=GAIL % b"/nowhere.demo")
    with pytest.raises(InvalidStart, match="There is no demonstration"):
        batches.start_many([mlagents(run_id="a"), wrong], by=ada)
    assert not TrainingSession.objects.exists()


def test_a_demonstration_must_be_where_the_trainer_looks(ada: User, tmp_path: Path) -> None:
    (tmp_path / "walk.demo").write_bytes(b"demo")
    assert checks(mlagents(config=GAIL % str(tmp_path).encode()), ada)["demonstrations"].level is Level.OK
    check = checks(mlagents(config=GAIL % b"walk.demo"), ada)["demonstrations"]
    assert (check.level, check.field) == (Level.ERROR, "config")
    assert "whole path" in check.fix


def test_an_error_in_a_file_stands_at_the_files_field(ada: User, tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "gail.yaml"
    path.write_bytes(GAIL % b"/nowhere.demo")
    with pytest.raises(InvalidStart) as refused:
        starting.start_session(mlagents(config=None, config_path=str(path)), by=ada)
    assert list(refused.value.errors) == ["config_path"]


@pytest.mark.skipif(sys.platform != "linux", reason="a build of another system than this one")
def test_a_build_for_another_system_is_refused(ada: User, tmp_path: Path) -> None:
    build = build_at(tmp_path, content=b"MZ" + bytes(80))
    with pytest.raises(InvalidStart) as refused:
        starting.start_session(mlagents(env_path=str(build)), by=ada)
    assert "a program for Windows" in refused.value.errors["env_path"][0]


def test_a_build_made_anew_is_told_to_who_may_register_it(ada: User, tmp_path: Path) -> None:
    build = build_at(tmp_path)
    starting.start_session(mlagents(env_path=str(build)), by=ada)
    assert checks(mlagents(env_path=str(build)), ada)["build"].level is Level.OK
    build_at(tmp_path, content=b"#!/bin/sh\nexit 1\n")
    assert "has changed" in checks(mlagents(env_path=str(build)), ada)["build"].finding


def test_behaviors_are_compared_with_the_last_that_trained_there(ada: User, tmp_path: Path) -> None:
    build = build_at(tmp_path)
    first = starting.start_session(mlagents(env_path=str(build)), by=ada)
    BehaviorProgress.objects.create(session=first, name="Balls", seen=True)
    check = checks(mlagents(env_path=str(build)), ada)["behaviors"]
    assert "Is Ball meant to be Balls?" in check.fix
    assert Environment.objects.get().name == "Ball"


def test_a_held_editor_is_a_warning_with_its_holder(ada: User) -> None:
    holder = make_session(owner=ada, run_id="holder")
    PortLease.objects.create(machine=make_machine(), port=5004, attempt=holder.attempts.get())
    check = checks(mlagents(), ada)["ports"]
    assert check.level is Level.WARNING
    assert check.finding.startswith("holder holds the Editor")


def test_ports_that_are_all_taken_are_a_warning(ada: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "port_is_free", lambda port: False)
    check = checks(mlagents(env_path=str(build_at(tmp_path)), num_envs=3), ada)["ports"]
    assert check.finding.startswith("There are not 3 free ports in a row")


def test_a_device_beyond_the_last_is_refused_at_its_field(ada: User) -> None:
    machine = make_machine()
    machine.gpus = ["One"]
    machine.save()
    with pytest.raises(InvalidStart) as refused:
        starting.start_session(mlagents(device="cuda:3"), by=ada)
    assert list(refused.value.errors) == ["device"]


def test_a_resume_with_another_network_is_told(ada: User) -> None:
    session = make_session(owner=ada, run_id="ball", state=State.STOPPED)
    folder = session.attempts.get().results / "Ball"
    folder.mkdir(parents=True)
    (folder / "checkpoint.pt").write_bytes(b"half a")
    other = CONFIG + b"    network_settings:\n      hidden_units: 32\n"
    found = checks(make_request(run_id="ball", config=other, resume=True), ada)
    assert "broken" in found["checkpoint"].finding
    assert "hidden_units of Ball was 128 and is 32" in found["networks"].finding


def test_networks_of_another_session_are_compared_as_well(ada: User) -> None:
    source = make_session(owner=ada, run_id="ball", state=State.COMPLETED)
    folder = source.attempts.get().results / "Ball"
    folder.mkdir(parents=True)
    (folder / "checkpoint.pt").write_bytes(b"")
    found = checks(make_request(initialize_from="ball", config=CONFIG.replace(b"ppo", b"sac")), ada)
    assert found["networks"].level is Level.WARNING


def test_warnings_never_stand_in_the_way(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "port_is_free", lambda port: False)
    monkeypatch.setattr(facts, "memory_of_machine", lambda: (1, 1))
    assert starting.start_session(mlagents(), by=ada).state == "queued"


def test_the_parser_is_asked_once_and_its_answer_stays(ada: User, asked: list[bytes]) -> None:
    plan = plan_start(mlagents(), by=ada)
    assert preflight.preflight(plan, by=ada).parser == "unasked"
    for _ in range(2):
        preflight.ask(plan)
    assert asked == [plan.config.used]
    found = preflight.preflight(plan, by=ada)
    assert found.parser == "answered"
    assert next(one for one in found.checks if one.id == "parser").level is Level.OK


def test_what_the_parser_refuses_is_not_started(ada: User, asked: list[bytes]) -> None:
    request = mlagents(config=CONFIG + b"# refuse\n")
    preflight.ask(plan_start(request, by=ada))
    with pytest.raises(InvalidStart) as refused:
        starting.start_session(request, by=ada)
    assert refused.value.errors == {"config": ["ML-Agents refuses this configuration: no. Change it."]}


def test_a_refusal_may_be_asked_again_and_packages_make_it_another_question(ada: User, asked: list[bytes]) -> None:
    plan = plan_start(mlagents(config=CONFIG + b"# refuse\n"), by=ada)
    preflight.ask(plan)
    ParserVerdict.objects.update(asked_at=ParserVerdict.objects.get().asked_at - timedelta(minutes=2))
    preflight.ask(plan)
    assert len(asked) == 2
    packages.remember(NOWHERE, Installed("3.10.12", {"mlagents": "1.0.0", "torch": "2.2.2"}, stamp="0"), ())
    assert preflight.preflight(plan, by=ada).parser == "unasked"


def test_questions_wait_for_one_another(ada: User, asked: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    monkeypatch.setattr(preflight, "async_task", lambda task, key: told.append(key))
    for number in range(3):
        preflight.ask(plan_start(mlagents(config=CONFIG + b"# %d\n" % number), by=ada))
    assert len(told) == 1
    for _ in range(3):
        preflight.answer(told[-1])
    assert len(told) == len(asked) == 3
    assert not ParserVerdict.objects.filter(answered_at=None).exists()


def test_a_question_that_nobody_answered_is_asked_again(
    ada: User, asked: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr(preflight, "async_task", lambda task, key: told.append(key))
    plan = plan_start(mlagents(), by=ada)
    preflight.ask(plan)
    preflight.ask(plan)
    assert len(told) == 1
    ParserVerdict.objects.update(asked_at=ParserVerdict.objects.get().asked_at - timedelta(minutes=2))
    assert preflight.preflight(plan, by=ada).parser == "waits"
    preflight.ask(plan)
    assert len(told) == 2


def test_what_is_wrong_is_told_first(ada: User) -> None:
    plan = plan_start(mlagents(config=GAIL % b"/nowhere.demo"), by=ada)
    levels = [one.level for one in preflight.preflight(plan, by=ada).checks]
    assert levels[0] is Level.ERROR
    assert levels == sorted(levels, key=[Level.ERROR, Level.WARNING, Level.OK].index)


def test_an_answer_that_comes_twice_changes_nothing(ada: User, asked: list[bytes]) -> None:
    preflight.ask(plan_start(mlagents(), by=ada))
    verdict = ParserVerdict.objects.get()
    preflight.answer(verdict.pk)
    preflight.answer(verdict.pk + 1)
    assert len(asked) == 1


def test_the_practice_trainer_has_no_other_parser(ada: User, asked: list[bytes]) -> None:
    plan = plan_start(make_request(), by=ada)
    preflight.ask(plan)
    assert preflight.preflight(plan, by=ada).parser == "none"
    assert asked == []


def test_a_launch_looks_again_and_ends_with_the_sentence(ada: User, tmp_path: Path) -> None:
    demo = tmp_path / "walk.demo"
    demo.write_bytes(b"demo")
    session = starting.start_session(mlagents(config=GAIL % str(demo).encode()), by=ada)
    demo.unlink()
    attempt = session.attempts.get()
    attempt.state = State.LAUNCHING.value
    attempt.machine = make_machine()
    attempt.save()
    launching.launch(launching.claim_launch(attempt.pk))
    attempt.refresh_from_db()
    assert attempt.state == State.FAILED.value
    assert attempt.failure.startswith("There is no demonstration at")
    assert "whole path" in attempt.failure


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The arguments with which the environment was started; it has the behaviors that its last argument names."""
    given: list[list[str]] = []

    def connect(interpreter: str, environment: str, *, arguments: list[str], **_: object) -> Connected:
        given.append(list(arguments))
        if arguments[-1] == "nothing":
            return Connected(sentence="It could not be connected: no.", fix="Mend it.")
        return Connected([{"name": name, "observations": [[8]], "continuous": 2, "discrete": []} for name in arguments])

    monkeypatch.setattr(preflight, "connect", connect)
    return given


@pytest.fixture
def in_a_build(ada: User, tmp_path: Path) -> Environment:
    return environments.register(build_at(tmp_path), by=ada)


def in_build(environment: Environment, *behaviors: str) -> StartRequest:
    return mlagents(env_path=environment.path, env_args=behaviors)


def test_an_environment_is_asked_once_for_its_behaviors(
    ada: User, asked: list[bytes], connected: list[list[str]], in_a_build: Environment
) -> None:
    request = in_build(in_a_build, "Ball")
    plan = plan_start(request, by=ada)
    assert preflight.preflight(plan, by=ada).connection == "unasked"
    for _ in range(2):
        preflight.ask(plan)
    assert connected == [["Ball"]]
    assert preflight.preflight(plan, by=ada).connection == "answered"
    assert checks(request, ada)["behaviors"].finding == "The environment has Ball, as configured."
    assert machine.environment_shapes()[0].behaviors == ["Ball"]


def test_a_behavior_without_settings_refuses_the_start(
    ada: User, asked: list[bytes], connected: list[list[str]], in_a_build: Environment
) -> None:
    request = in_build(in_a_build, "ball")
    preflight.ask(plan_start(request, by=ada))
    with pytest.raises(InvalidStart) as refused:
        starting.start_session(request, by=ada)
    assert "The environment has ball. ball is not configured." in refused.value.errors["config"][0]
    assert "Is Ball meant to be ball?" in refused.value.hint


def test_a_build_that_changed_or_other_arguments_are_another_question(
    ada: User, asked: list[bytes], connected: list[list[str]], in_a_build: Environment
) -> None:
    preflight.ask(plan_start(in_build(in_a_build, "Ball"), by=ada))
    other = plan_start(in_build(in_a_build, "Ball", "Other"), by=ada)
    assert preflight.preflight(other, by=ada).connection == "unasked"
    Environment.objects.update(sha256="new")
    assert machine.environment_shapes()[0].behaviors == []


def test_a_build_that_was_changed_is_not_started(
    ada: User, asked: list[bytes], connected: list[list[str]], in_a_build: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr(preflight, "async_task", lambda task, key: told.append(key))
    plan = plan_start(in_build(in_a_build, "Ball"), by=ada)
    preflight.ask(plan)
    Path(in_a_build.path).write_bytes(b"#!/bin/sh\nrm -rf\n")
    preflight.answer_connection(told[-1])
    assert connected == []
    assert "has changed since it was registered" in Connection.objects.get().sentence


def test_an_environment_that_does_not_answer_is_told_and_asked_again_later(
    ada: User, asked: list[bytes], connected: list[list[str]], in_a_build: Environment
) -> None:
    request = in_build(in_a_build, "nothing")
    preflight.ask(plan_start(request, by=ada))
    check = checks(request, ada)["behaviors"]
    assert (check.level, check.finding, check.fix) == (Level.WARNING, "It could not be connected: no.", "Mend it.")
    preflight.ask(plan_start(request, by=ada))
    Connection.objects.update(asked_at=Connection.objects.get().asked_at - timedelta(minutes=2))
    preflight.ask(plan_start(request, by=ada))
    assert len(connected) == 2


def test_without_a_registered_build_nothing_is_started(ada: User, asked: list[bytes], tmp_path: Path) -> None:
    preflight.ask(plan_start(mlagents(env_path=str(build_at(tmp_path))), by=ada))
    preflight.ask(plan_start(mlagents(), by=ada))
    assert not Connection.objects.exists()
