"""Starting: everything is checked before anything is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from pytest_django import Settings

from sessions.domain.states import State
from sessions.errors import Conflict, InvalidStart, NoPlace, NotAllowed
from sessions.models import Artifact, Attempt, Environment, SessionEvent, TrainingSession
from sessions.services import environments, planning, starting
from tests.factories import CONFIG, make_mlagents_trainer, make_practice_trainer, make_request, make_session

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(autouse=True)
def trainers(db: None) -> None:
    make_practice_trainer()


def refused(by: User, **changes: Any) -> dict[str, list[str]]:
    """The sentences of a refused start; nothing may be stored by it."""
    before = TrainingSession.objects.count(), Attempt.objects.count(), Environment.objects.count()
    with pytest.raises(InvalidStart) as caught:
        starting.start_session(make_request(**changes), by=by)
    assert (TrainingSession.objects.count(), Attempt.objects.count(), Environment.objects.count()) == before
    return caught.value.errors


def test_a_start_stores_session_attempt_and_event(ada: User) -> None:
    session = starting.start_session(make_request(run_id="ball-a", seed=7), by=ada)
    assert (session.state, session.owner, session.options) == ("queued", ada, {"seed": 7})
    attempt = session.attempts.get()
    assert attempt.number == 1
    assert attempt.command[0] == "mlagents-learn"
    assert {"--run-id=ball-a", "--seed=7"} <= set(attempt.command)
    assert SessionEvent.objects.get(session=session).to_state == "queued"


def test_the_configuration_is_kept_byte_for_byte(ada: User) -> None:
    odd = b"# a comment\r\nbehaviors:\r\n  Ball:   # another\r\n    trainer_type: ppo\r\n"
    session = starting.start_session(make_request(config=odd), by=ada)
    assert bytes(session.config_given) == bytes(session.config_used) == odd


def test_overrides_change_what_is_used_and_not_what_was_given(ada: User) -> None:
    overrides = {"behaviors.Ball.max_steps": 9000, "behaviors.Ball.learning_rate": 0.001}
    session = starting.start_session(make_request(overrides=overrides), by=ada)
    assert bytes(session.config_given) == CONFIG
    assert b"9000" in bytes(session.config_used)
    assert session.behaviors.get().max_steps == 9000


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("run_id", {"run_id": "../x"}),
        ("run_id", {"run_id": ""}),
        ("run_id", {"run_id": "CON"}),
        ("config", {"config": b"behaviors: ["}),
        ("config", {"config": b""}),
        ("config", {"config": b"behaviors:\n  Ball:\n    max_steps: -1\n"}),
        ("env_path", {"config": b"env_settings:\n  env_path: /bin/sh\nbehaviors:\n  Ball: {}\n"}),
        ("config", {"config": b"default:\n  trainer: ppo\n"}),
        ("config_path", {"config": None, "config_path": "/nowhere/ball.yaml"}),
        ("config_path", {"config": None, "config_path": "relative.yaml"}),
        ("config_path", {"config": None, "config_path": "//host/share/ball.yaml"}),
        ("config_path", {"config": None, "config_path": "/etc/passwd"}),
        ("overrides", {"overrides": {"behaviors.Nobody.max_steps": 1}}),
        ("overrides", {"overrides": {"env_settings.env_path": "/bin/sh"}}),
        ("trainer", {"trainer": "nobody"}),
        ("env_path", {"env_path": "/nowhere/Ball"}),
        ("env_path", {"env_path": "//host/share/Ball.exe"}),
        ("env_path", {"env_path": "/tmp/*"}),
        ("env_path", {"env_path": "/tmp/x.bat"}),
        ("seed", {"seed": -5}),
        ("width", {"width": 0}),
        ("device", {"device": "gpu; rm"}),
        ("env_args", {"env_args": ("-logFile", "/x")}),
        ("resume", {"resume": True}),
        ("initialize_from", {"initialize_from": "nobody"}),
    ],
)
def test_wrong_input_gets_a_sentence_at_its_field(ada: User, field: str, changes: dict[str, Any]) -> None:
    errors = refused(ada, **changes)
    assert list(errors) == [field]
    assert errors[field][0].endswith((".", ":", ")", "?"))


def test_the_networks_of_a_session_are_for_those_who_may_see_it(ada: User, cyd: User) -> None:
    theirs = starting.start_session(make_request(run_id="theirs"), by=ada)
    checkpoint = theirs.attempts.get().results / "Ball" / "checkpoint.pt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    assert planning.plan_start(make_request(run_id="own", initialize_from="theirs"), by=ada)
    assert "initialize_from" in refused(cyd, run_id="own", initialize_from="theirs")


def test_several_mistakes_are_told_at_once(ada: User) -> None:
    assert set(refused(ada, run_id="..", config=b"[", width=0)) == {"run_id", "config", "width"}


def test_a_run_id_is_taken_whatever_its_case(ada: User) -> None:
    make_session(owner=ada, run_id="Ball")
    assert "run_id" in refused(ada, run_id="bALL")


def test_only_who_may_start_can_start(ben: User) -> None:
    with pytest.raises(NotAllowed):
        starting.start_session(make_request(), by=ben)
    assert not TrainingSession.objects.exists()


def build_at(folder: Path, name: str = "Ball.x86_64") -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\nexit 0\n")
    path.chmod(0o755)
    return path


def test_an_environment_is_registered_by_a_start_of_who_may(ada: User, cyd: User, tmp_path: Path) -> None:
    make_mlagents_trainer()
    path = build_at(tmp_path)
    assert "env_path" in refused(cyd, env_path=str(path), trainer="mlagents")
    session = starting.start_session(make_request(env_path=str(path), trainer="mlagents"), by=ada)
    assert session.environment is not None
    assert session.environment.path == str(path)
    again = starting.start_session(make_request(env_path=str(path), trainer="mlagents"), by=cyd)
    assert again.environment == session.environment


def test_a_build_that_was_replaced_is_refused_for_who_may_not_register(ada: User, cyd: User, tmp_path: Path) -> None:
    make_mlagents_trainer()
    path = build_at(tmp_path)
    starting.start_session(make_request(env_path=str(path), trainer="mlagents"), by=ada)
    path.write_text("#!/bin/sh\nexit 1\n")
    assert "env_path" in refused(cyd, env_path=str(path), trainer="mlagents")
    starting.start_session(make_request(env_path=str(path), trainer="mlagents"), by=ada)
    starting.start_session(make_request(env_path=str(path), trainer="mlagents"), by=cyd)


def test_a_file_that_mlagents_would_prefer_to_the_registered_one_is_noticed(ada: User, tmp_path: Path) -> None:
    make_mlagents_trainer()
    path = build_at(tmp_path, "Ball")
    build_at(tmp_path, "Ball.x86_64")
    assert "env_path" in refused(ada, env_path=str(path), trainer="mlagents")


def test_resume_and_force_need_a_session_that_has_ended(ada: User) -> None:
    make_session(owner=ada, run_id="ball", state=State.RUNNING)
    for wish in ({"resume": True}, {"force": True}):
        with pytest.raises(Conflict):
            starting.start_session(make_request(run_id="ball", **wish), by=ada)


def test_force_begins_a_further_attempt_of_the_same_session(ada: User) -> None:
    session = make_session(owner=ada, run_id="ball", state=State.COMPLETED)
    starting.start_session(make_request(run_id="ball", force=True), by=ada)
    session.refresh_from_db()
    assert session.state == "queued"
    assert [attempt.number for attempt in session.attempts.all()] == [1, 2]


@pytest.mark.parametrize(
    ("saved", "why"),
    [(True, "Resumes from its last checkpoint."), (False, "Begins anew: nothing was saved before.")],
)
def test_resume_says_how_it_goes_on(ada: User, home: Path, saved: bool, why: str) -> None:
    session = make_session(owner=ada, run_id="ball", state=State.STOPPED)
    folder = session.attempts.get().results / "Ball"
    folder.mkdir(parents=True)
    if saved:
        (folder / "Ball-500.pt").write_bytes(b"x")
    session = starting.start_session(make_request(run_id="ball", resume=True), by=ada)
    assert "--resume" in session.attempts.get(number=2).command
    assert session.explanation == why


def test_resume_is_refused_where_checkpoints_were_and_are_gone(ada: User, home: Path) -> None:
    session = make_session(owner=ada, run_id="ball", state=State.STOPPED)
    file = {"path": "Ball/checkpoint.pt", "kind": "pt", "size": 1, "modified_ns": 1}
    Artifact.objects.create(session=session, attempt=session.attempts.get(), **file)
    assert refused(ada, run_id="ball", resume=True)["resume"] == ["The checkpoints of ball are no longer there."]


def test_a_preview_stores_nothing(ada: User, tmp_path: Path) -> None:
    make_mlagents_trainer()
    plan = planning.plan_start(make_request(env_path=str(build_at(tmp_path)), trainer="mlagents"), by=ada)
    assert any(word.startswith("--env=") for word in plan.command)
    assert not TrainingSession.objects.exists()
    assert not Environment.objects.exists()


def test_engine_settings_of_a_configuration_become_options_that_the_command_line_shows(ada: User) -> None:
    sections = b"engine_settings:\n  quality_level: 1\n  time_scale: 5\nenv_settings:\n  num_areas: 3\n  seed: 9\n"
    session = starting.start_session(make_request(config=CONFIG + sections, seed=4), by=ada)
    command = session.attempts.get().command
    assert {"--quality-level=1", "--time-scale=5.0", "--num-areas=3", "--seed=4"} <= set(command)
    assert b"engine_settings" not in bytes(session.config_used)
    assert bytes(session.config_given) == CONFIG + sections


def test_where_files_cannot_be_written_nothing_is_started(home: Path, ada: User) -> None:
    (home / "runs").write_text("a file where the folder should be")
    with pytest.raises(NoPlace) as refusal:
        starting.start_session(make_request(run_id="ball"), by=ada)
    assert str(home / "runs" / "ball") in refusal.value.detail
    assert refusal.value.hint
    assert not TrainingSession.objects.exists()
    (home / "runs").unlink()
    session = make_session(owner=ada, run_id="ball", state=State.STOPPED)
    (home / "runs/ball").rename(home / "runs/gone")
    (home / "runs/ball").write_text("")
    with pytest.raises(NoPlace), transaction.atomic():
        starting.new_attempt(session, by="ada", resume=True, force=False)
    session.refresh_from_db()
    assert (session.state, session.attempts.count()) == ("stopped", 1)


BUILD = b"env_settings:\n  env_path: %s\n  env_args: [--level, '2']\n  base_port: 7000\nbehaviors:\n  Ball: {}\n"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    path = tmp_path / "Ball.x86_64"
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_a_registered_environment_is_taken_from_the_configuration_and_told(ada: User, build: Path) -> None:
    environment = environments.register(build, by=ada)
    session = starting.start_session(make_request(config=BUILD % bytes(build)), by=ada)
    assert (session.environment, session.options["env_args"]) == (environment, ["--level", "2"])
    why = SessionEvent.objects.get(session=session).why
    assert "Line 2: env_path is a field of the session." in why
    assert "base_port" in why
    assert b"env_path" not in bytes(session.config_used)


def test_the_editor_asked_for_is_the_editor(ada: User, build: Path) -> None:
    environments.register(build, by=ada)
    session = starting.start_session(make_request(config=BUILD % bytes(build), editor=True), by=ada)
    assert (session.environment, session.options) == (None, {})


def test_names_of_the_run_in_a_configuration_are_told_and_not_obeyed(ada: User) -> None:
    config = b"checkpoint_settings:\n  run_id: ../../x\n  results_dir: /tmp\n  force: true\nbehaviors:\n  Ball: {}\n"
    plan = planning.plan_start(make_request(run_id="ball-1", config=config), by=ada)
    assert not {"--force", "--resume"} & set(plan.command)
    assert "--run-id=ball-1" in plan.command
    assert all(
        any(f"{name} is a field" in told for told in plan.notices) for name in ("run_id", "results_dir", "force")
    )
    assert b"checkpoint_settings" not in plan.config.used


def test_every_mistake_of_a_configuration_is_told_with_its_line(ada: User) -> None:
    errors = refused(ada, config=b"behaviors:\n  Ball:\n    max_step: 5\n    summary_freq: often\n")
    assert errors == {
        "config": [
            "Line 3: max_step is no setting of a behavior.",
            "Line 4: summary_freq must be a positive whole number.",
        ]
    }


def test_what_is_legal_and_regretted_is_a_notice(ada: User) -> None:
    config = b"behaviors:\n  Ball:\n    max_steps: 500000\n    network_settings:\n      hidden_unit: 9\n"
    notices = " ".join(planning.plan_start(make_request(config=config), by=ada).notices)
    assert "gives 10 points" in notices
    assert "Line 5: hidden_unit is no setting of network_settings" in notices


def test_the_trainer_of_a_plugin_is_taken_when_it_is_named(ada: User, settings: Settings) -> None:
    config = b"behaviors:\n  Ball:\n    trainer_type: a2c\n    hyperparameters: {own: 1}\n"
    assert "no trainer a2c" in refused(ada, config=config)["config"][0]
    settings.MENTOR = {**settings.MENTOR, "MENTOR_PLUGIN_TRAINERS": ["a2c"]}
    assert planning.plan_start(make_request(config=config), by=ada)
