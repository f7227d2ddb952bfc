"""From a grant to a shim: one launch per grant, and what goes wrong before a trainer runs."""

from __future__ import annotations

import os
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import Settings

from sessions import tasks
from sessions.domain.queue import EDITOR_PORT, Grant
from sessions.domain.states import State
from sessions.errors import IllegalTransition
from sessions.models import Attempt, Machine, PortLease
from sessions.runtime.rundir import AttemptDirectory
from sessions.services import launching, queue
from sessions.services.transitions import move
from tests.factories import CONFIG, make_session
from tests.sessions.services.queueing import (
    Launches,
    again,
    build_at,
    granted,
    make_build_session,
    make_editor_session,
    options,
    ports_of,
    states,
)
from tests.sessions.trainers.test_checkpoints import torch_like

pytestmark = pytest.mark.usefixtures("launches", "spawned")


# The launch task


def test_a_launch_is_taken_once(ada: User, machine: Machine) -> None:
    attempt = granted(make_session(owner=ada), machine)
    assert launching.claim_launch(attempt.pk).launched_at is not None
    with pytest.raises(IllegalTransition):
        launching.claim_launch(attempt.pk)


@pytest.mark.parametrize("state", [State.QUEUED, State.STOPPED, State.RUNNING, State.FAILED])
def test_only_who_is_launching_can_be_launched(ada: User, state: State) -> None:
    attempt = make_session(owner=ada, state=state).attempts.get()
    with pytest.raises(IllegalTransition):
        launching.claim_launch(attempt.pk)
    attempt.refresh_from_db()
    assert attempt.launched_at is None


def test_a_task_that_is_delivered_twice_spawns_one_shim(
    ada: User, machine: Machine, spawned: list[AttemptDirectory]
) -> None:
    attempt = granted(make_session(owner=ada), machine)
    for _ in range(2):
        tasks.launch_attempt(attempt.pk)
    tasks.launch_attempt(attempt.pk + 1000)
    assert [directory.path for directory in spawned] == [launching.directory_of(attempt).path]
    assert attempt.session.attempts.get().state == "launching"


def test_a_launch_that_no_worker_took_is_enqueued_again(ada: User, machine: Machine, launches: Launches) -> None:
    attempt = granted(make_session(owner=ada), machine)
    long_ago = timezone.now() - timedelta(minutes=5)
    Attempt.objects.filter(pk=attempt.pk).update(granted_at=long_ago)
    launching.enqueue_again(attempt)
    assert launches.attempts == [attempt.pk] * 2
    attempt.refresh_from_db()
    assert attempt.granted_at is not None
    assert attempt.granted_at > long_ago
    launching.claim_launch(attempt.pk)
    launching.enqueue_again(attempt)
    assert launches.attempts == [attempt.pk] * 2


def test_the_shim_finds_all_it_needs_in_the_directory(
    ada: User, machine: Machine, spawned: list[AttemptDirectory]
) -> None:
    session = make_session(owner=ada, seed=7)
    attempt = granted(session, machine)
    tasks.launch_attempt(attempt.pk)
    directory = spawned[0]
    spec = directory.read_spec()
    assert spec is not None
    assert (spec.run_id, spec.attempt, spec.cookie) == (session.run_id, 1, attempt.cookie)
    assert spec.argv[0] == session.trainer.interpreter
    assert spec.argv[-len(attempt.command[1:]) :] == attempt.command[1:]
    assert "sessions.trainers.practice.__main__" in spec.argv
    assert spec.env["MENTOR_ATTEMPT"] == attempt.cookie
    assert directory.config.read_bytes() == directory.given_config.read_bytes() == CONFIG
    assert Path(attempt.results_dir).is_dir()


def test_a_configuration_that_changes_after_the_start_changes_no_attempt(
    ada: User, machine: Machine, tmp_path: Path, settings: Settings
) -> None:
    options(settings, MENTOR_FOLDERS=[tmp_path], MENTOR_MAX_PARALLEL=10)
    file = tmp_path / "ball.yaml"
    file.write_bytes(CONFIG)
    session = make_session(owner=ada, config=None, config_path=str(file))
    file.write_text("behaviors: {}", encoding="utf-8")
    attempt = granted(session, machine)
    tasks.launch_attempt(attempt.pk)
    assert launching.directory_of(attempt).config.read_bytes() == CONFIG


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such bits")
def test_the_directory_of_an_attempt_is_its_owner_s_alone(ada: User, machine: Machine) -> None:
    attempt = granted(make_session(owner=ada), machine)
    tasks.launch_attempt(attempt.pk)
    assert stat.S_IMODE(launching.directory_of(attempt).path.stat().st_mode) == 0o700


def test_a_port_of_a_machine_is_leased_once(ada: User, machine: Machine) -> None:
    first, second = (make_session(owner=ada).attempts.get() for _ in range(2))
    PortLease.objects.create(machine=machine, port=5005, attempt=first)
    with pytest.raises(IntegrityError), transaction.atomic():
        PortLease.objects.create(machine=machine, port=5005, attempt=second)
    assert not queue.grant(second, machine, Grant(second.pk, ports=(5005,)))
    assert states(second.session) == ["queued"]


# What goes wrong before the trainer runs


@pytest.mark.usefixtures("all_ports_free")
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda path: path.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8"), "has changed since it was registered."),
        (lambda path: path.unlink(), "There is no Unity build at "),
    ],
)
def test_a_build_that_changed_since_it_was_registered_is_not_started(
    ada: User, machine: Machine, tmp_path: Path, spawned: list[AttemptDirectory], change: Any, sentence: str
) -> None:
    session = make_build_session(ada, tmp_path)
    attempt = granted(session, machine)
    change(build_at(tmp_path))
    tasks.launch_attempt(attempt.pk)
    session = again(session)
    assert (session.state, spawned, ports_of(session)) == ("failed", [], [])
    assert sentence in session.explanation
    assert session.attempts.get().failure == session.explanation


def test_a_shim_that_cannot_be_spawned_fails_the_attempt_with_the_reason(
    ada: User, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(directory: AttemptDirectory) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(launching, "spawn_shim", refuse)
    session = make_editor_session(ada)
    tasks.launch_attempt(granted(session, machine).pk)
    assert (states(session), ports_of(session)) == (["failed"], [])
    assert again(session).explanation == "The attempt could not be started: no more processes."


def test_a_directory_that_was_prepared_before_is_not_used_again(
    ada: User, machine: Machine, spawned: list[AttemptDirectory]
) -> None:
    session = make_session(owner=ada)
    attempt = granted(session, machine)
    directory = launching.directory_of(attempt)
    directory.path.mkdir(parents=True)
    directory.spec.write_text("{}", encoding="utf-8")
    tasks.launch_attempt(attempt.pk)
    assert (states(session), spawned) == (["failed"], [])
    assert "prepared once" in again(session).explanation


def test_who_has_started_cannot_fail_to_launch(ada: User, machine: Machine) -> None:
    session = make_editor_session(ada)
    attempt = granted(session, machine)
    move(attempt, State.STARTING, who="supervisor")
    launching.fail_launch(attempt, "Too late.")
    assert (states(session), ports_of(session)) == (["starting"], [EDITOR_PORT])


# Force


def forced(owner: User, machine: Machine) -> tuple[Attempt, Path]:
    """A granted attempt with force, and the results of the one before."""
    session = make_session(owner=owner, state=State.COMPLETED)
    results = session.attempts.get().results
    (results / "Ball").mkdir(parents=True)
    (results / "Ball" / "events.out.tfevents.1").write_bytes(b"precious")
    make_session(owner=owner, run_id=session.run_id, force=True)
    return granted(session, machine), results


def test_force_sets_earlier_results_aside_and_deletes_nothing(
    ada: User, machine: Machine, spawned: list[AttemptDirectory]
) -> None:
    attempt, results = forced(ada, machine)
    tasks.launch_attempt(attempt.pk)
    assert not results.exists()
    aside = results.with_name(f"{results.name}.before-attempt-2")
    assert (aside / "Ball" / "events.out.tfevents.1").read_bytes() == b"precious"
    assert len(spawned) == 1


def test_when_results_cannot_be_set_aside_nothing_starts_and_all_stays(
    ada: User, machine: Machine, spawned: list[AttemptDirectory]
) -> None:
    attempt, results = forced(ada, machine)
    aside = results.with_name(f"{results.name}.before-attempt-2")
    aside.mkdir()
    (aside / "older").write_bytes(b"as precious")
    tasks.launch_attempt(attempt.pk)
    session = again(attempt.session)
    assert (session.state, spawned) == ("failed", [])
    assert "could not be set aside" in session.explanation
    assert (results / "Ball" / "events.out.tfevents.1").read_bytes() == b"precious"
    assert (aside / "older").read_bytes() == b"as precious"


def test_without_force_results_stay_where_they_are(ada: User, machine: Machine) -> None:
    session = make_session(owner=ada, state=State.STOPPED)
    results = session.attempts.get().results
    (results / "Ball").mkdir(parents=True)
    checkpoint = torch_like()  # an archive, and so another one two seconds later
    (results / "Ball" / "checkpoint.pt").write_bytes(checkpoint)
    make_session(owner=ada, run_id=session.run_id, resume=True)
    tasks.launch_attempt(granted(session, machine).pk)
    assert (results / "Ball" / "checkpoint.pt").read_bytes() == checkpoint
