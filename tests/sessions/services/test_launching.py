"""From queued to a shim: slots, ports, one launch per grant, and what goes wrong before a trainer runs."""

from __future__ import annotations

import os
import socket
import stat
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from sessions import tasks
from sessions.domain.states import State
from sessions.errors import IllegalTransition
from sessions.models import Attempt, Machine, PortLease, TrainingSession
from sessions.runtime.rundir import AttemptDirectory
from sessions.services import launching, stopping
from sessions.services.transitions import move
from tests.factories import CONFIG, make_machine, make_mlagents_trainer, make_session

BASE = 15005


class Queue:
    """The launches that were enqueued, instead of a worker."""

    def __init__(self) -> None:
        self.launches: list[int] = []

    def add(self, task: str, attempt_id: int) -> None:
        assert task == launching.LAUNCH_TASK
        self.launches.append(attempt_id)


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch, home: Path) -> Queue:
    queue = Queue()
    monkeypatch.setattr(launching, "async_task", queue.add)
    return queue


@pytest.fixture(autouse=True)
def spawned(monkeypatch: pytest.MonkeyPatch) -> list[AttemptDirectory]:
    """The directories for which a shim would have been spawned."""
    directories: list[AttemptDirectory] = []
    monkeypatch.setattr(launching, "spawn_shim", directories.append)
    monkeypatch.setattr(launching, "wait_for_claim", lambda directory, seconds: None)
    return directories


@pytest.fixture
def machine(db: None) -> Machine:
    return make_machine()


@pytest.fixture
def all_ports_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """What else uses ports on this machine does not matter."""
    monkeypatch.setattr(launching, "port_is_free", lambda port: True)


def options(settings: Settings, **changes: Any) -> None:
    settings.MENTOR = {**settings.MENTOR, "MENTOR_BASE_PORT": BASE, **changes}


@pytest.fixture(autouse=True)
def one_slot_is_not_the_subject(settings: Settings) -> None:
    options(settings, MENTOR_MAX_PARALLEL=10)


def build_at(folder: Path, content: str = "#!/bin/sh\nexit 0\n") -> Path:
    path = folder / ("Ball.exe" if sys.platform == "win32" else "Ball.x86_64")
    path.write_text(content, encoding="utf-8")
    path.chmod(0o755)
    return path


def make_editor_session(owner: User, **changes: Any) -> TrainingSession:
    make_mlagents_trainer()
    return make_session(owner=owner, trainer="mlagents", **changes)


def make_build_session(owner: User, folder: Path, **changes: Any) -> TrainingSession:
    make_mlagents_trainer()
    return make_session(owner=owner, trainer="mlagents", env_path=str(build_at(folder)), **changes)


def again(session: TrainingSession) -> TrainingSession:
    return TrainingSession.objects.get(pk=session.pk)


def states(*sessions: TrainingSession) -> list[str]:
    return [again(session).state for session in sessions]


def ports_of(session: TrainingSession) -> list[int]:
    return sorted(PortLease.objects.filter(attempt__session=session).values_list("port", flat=True))


# Slots


def test_a_grant_gives_machine_and_time_and_enqueues_the_launch(ada: User, machine: Machine, queue: Queue) -> None:
    session = make_session(owner=ada)
    assert launching.grant_waiting(machine) == 1
    attempt = session.attempts.get()
    assert (attempt.state, attempt.machine, attempt.launched_at) == ("launching", machine, None)
    assert attempt.granted_at is not None
    assert queue.launches == [attempt.pk]


def test_no_more_run_than_there_are_slots(ada: User, machine: Machine, settings: Settings, queue: Queue) -> None:
    options(settings, MENTOR_MAX_PARALLEL=2)
    sessions = [make_session(owner=ada) for _ in range(4)]
    assert launching.grant_waiting(machine) == 2
    assert states(*sessions) == ["launching", "launching", "queued", "queued"]
    assert again(sessions[2]).explanation == "Waits for a free slot."
    assert launching.grant_waiting(machine) == 0
    assert len(queue.launches) == 2


def test_an_end_frees_a_slot(ada: User, machine: Machine, settings: Settings) -> None:
    options(settings, MENTOR_MAX_PARALLEL=1)
    first, second = make_session(owner=ada), make_session(owner=ada)
    launching.grant_waiting(machine)
    launching.fail_launch(first.attempts.get(), "It could not.")
    assert launching.grant_waiting(machine) == 1
    assert states(first, second) == ["failed", "launching"]


def test_slots_are_counted_for_each_machine(ada: User, machine: Machine, settings: Settings) -> None:
    options(settings, MENTOR_MAX_PARALLEL=1)
    elsewhere = make_session(owner=ada, state=State.RUNNING)
    elsewhere.attempts.update(machine=Machine.objects.create(name="elsewhere"))
    here = make_session(owner=ada)
    assert launching.grant_waiting(machine) == 1
    assert states(here) == ["launching"]


def test_the_highest_priority_is_first_and_among_equals_the_oldest(
    ada: User, machine: Machine, settings: Settings
) -> None:
    low, old, new, high = (make_session(owner=ada, priority=priority) for priority in (-1, 0, 0, 5))
    order = []
    for slots in range(1, 5):
        options(settings, MENTOR_MAX_PARALLEL=slots)
        assert launching.grant_waiting(machine) == 1
        order += [one for one in (low, old, new, high) if states(one) == ["launching"] and one not in order]
    assert order == [high, old, new, low]


def test_waiting_is_told_once(ada: User, machine: Machine, settings: Settings) -> None:
    make_editor_session(ada, priority=1)
    waiting = make_editor_session(ada)
    launching.grant_waiting(machine)
    told = again(waiting).version
    launching.grant_waiting(machine)
    assert again(waiting).version == told
    options(settings, MENTOR_MAX_PARALLEL=1)
    launching.grant_waiting(machine)
    assert (again(waiting).explanation, again(waiting).version) == ("Waits for a free slot.", told + 1)


def test_who_was_stopped_or_put_away_is_not_granted(ada: User, machine: Machine, queue: Queue) -> None:
    stopped, trashed = make_session(owner=ada), make_session(owner=ada)
    stopping.request_stop(stopped, by="ada")
    TrainingSession.objects.filter(pk=trashed.pk).update(trashed_at=timezone.now())
    assert launching.grant_waiting(machine) == 0
    assert (states(stopped, trashed), queue.launches) == (["stopped", "queued"], [])


def test_a_grant_without_its_launch_is_none(ada: User, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("the queue is gone")

    session = make_editor_session(ada)
    monkeypatch.setattr(launching, "async_task", refuse)
    with pytest.raises(RuntimeError):
        launching.grant(session.attempts.get(), machine)
    assert (states(session), ports_of(session)) == (["queued"], [])


@pytest.mark.usefixtures("all_ports_free")
def test_an_attempt_is_granted_once(ada: User, machine: Machine, tmp_path: Path, queue: Queue) -> None:
    session = make_build_session(ada, tmp_path)
    first, second = session.attempts.get(), session.attempts.get()
    assert launching.grant(first, machine)
    assert not launching.grant(second, machine)
    assert (ports_of(session), queue.launches) == ([BASE], [first.pk])
    assert session.attempts.get().base_port == BASE


# Ports


def test_the_practice_trainer_needs_no_port(ada: User, machine: Machine) -> None:
    session = make_session(owner=ada)
    launching.grant_waiting(machine)
    attempt = session.attempts.get()
    assert (attempt.base_port, ports_of(session)) == (None, [])
    assert not any(word.startswith("--base-port") for word in attempt.command)


def test_one_session_holds_the_editor_and_the_next_is_told_so(ada: User, machine: Machine) -> None:
    first, second = make_editor_session(ada), make_editor_session(ada)
    assert launching.grant_waiting(machine) == 1
    assert states(first, second) == ["launching", "queued"]
    assert again(second).explanation == "Waits for the Editor: another session holds it."
    attempt = first.attempts.get()
    assert (attempt.base_port, ports_of(first)) == (None, [launching.EDITOR_PORT])
    launching.fail_launch(attempt, "It could not.")
    assert launching.grant_waiting(machine) == 1
    assert states(first, second) == ["failed", "launching"]


@pytest.mark.usefixtures("all_ports_free")
def test_who_waits_for_the_editor_holds_nobody_else_back(ada: User, machine: Machine, tmp_path: Path) -> None:
    sessions = [make_editor_session(ada), make_editor_session(ada), make_build_session(ada, tmp_path)]
    assert launching.grant_waiting(machine) == 2
    assert states(*sessions) == ["launching", "queued", "launching"]


@pytest.mark.usefixtures("all_ports_free")
def test_sessions_have_blocks_of_ports_of_their_own(ada: User, machine: Machine, tmp_path: Path) -> None:
    sessions = [make_build_session(ada, tmp_path, num_envs=count) for count in (3, 1, 2)]
    assert launching.grant_waiting(machine) == 3
    blocks = [[BASE, BASE + 1, BASE + 2], [BASE + 3], [BASE + 4, BASE + 5]]
    assert [ports_of(session) for session in sessions] == blocks
    for session, block in zip(sessions, blocks, strict=True):
        attempt = session.attempts.get()
        assert attempt.base_port == block[0]
        assert f"--base-port={block[0]}" in attempt.command


@pytest.mark.usefixtures("all_ports_free")
def test_a_gap_that_is_too_small_for_a_block_is_passed_over(ada: User, machine: Machine, tmp_path: Path) -> None:
    sessions = [make_build_session(ada, tmp_path, num_envs=1) for _ in range(3)]
    launching.grant_waiting(machine)
    launching.fail_launch(sessions[1].attempts.get(), "It could not.")
    wide, narrow = (make_build_session(ada, tmp_path, num_envs=count) for count in (2, 1))
    launching.grant_waiting(machine)
    assert (ports_of(wide), ports_of(narrow)) == ([BASE + 3, BASE + 4], [BASE + 1])


def test_a_port_that_something_listens_on_is_passed_over(
    ada: User, machine: Machine, tmp_path: Path, settings: Settings
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = int(other.getsockname()[1])
        assert not launching.port_is_free(taken)
        options(settings, MENTOR_BASE_PORT=taken)
        session = make_build_session(ada, tmp_path)
        assert launching.grant_waiting(machine) == 1
    base = session.attempts.get().base_port
    assert base is not None
    assert base > taken


def test_a_busy_port_inside_a_block_moves_the_whole_block(
    ada: User, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "port_is_free", lambda port: port != BASE + 1)
    session = make_build_session(ada, tmp_path, num_envs=2)
    launching.grant_waiting(machine)
    assert ports_of(session) == [BASE + 2, BASE + 3]


def test_without_a_free_port_a_session_waits_and_says_so(
    ada: User, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "port_is_free", lambda port: False)
    session = make_build_session(ada, tmp_path)
    assert launching.grant_waiting(machine) == 0
    assert (states(session), again(session).explanation) == (["queued"], "Waits for free ports.")


def test_a_port_that_was_leased_since_the_look_costs_one_round(
    ada: User, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (make_build_session(ada, tmp_path) for _ in range(2))
    with monkeypatch.context() as outdated:
        outdated.setattr(launching, "_ports_for", lambda attempt, machine: [BASE])
        assert launching.grant_waiting(machine) == 1
    assert (states(first, second), ports_of(second)) == (["launching", "queued"], [])
    monkeypatch.setattr(launching, "port_is_free", lambda port: True)
    assert launching.grant_waiting(machine) == 1
    assert ports_of(second) == [BASE + 1]


# The launch task


def granted(session: TrainingSession, machine: Machine) -> Attempt:
    assert launching.grant(session.attempts.get(state="queued"), machine)
    return session.attempts.get(state="launching")


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


def test_a_launch_that_no_worker_took_is_enqueued_again(ada: User, machine: Machine, queue: Queue) -> None:
    attempt = granted(make_session(owner=ada), machine)
    long_ago = timezone.now() - timedelta(minutes=5)
    Attempt.objects.filter(pk=attempt.pk).update(granted_at=long_ago)
    launching.enqueue_again(attempt)
    assert queue.launches == [attempt.pk] * 2
    attempt.refresh_from_db()
    assert attempt.granted_at is not None
    assert attempt.granted_at > long_ago
    launching.claim_launch(attempt.pk)
    launching.enqueue_again(attempt)
    assert queue.launches == [attempt.pk] * 2


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
    assert "sessions.trainers.practice" in spec.argv
    assert spec.env["MENTOR_ATTEMPT"] == attempt.cookie
    assert directory.config.read_bytes() == directory.given_config.read_bytes() == CONFIG
    assert Path(attempt.results_dir).is_dir()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such bits")
def test_the_directory_of_an_attempt_is_its_owner_s_alone(ada: User, machine: Machine) -> None:
    attempt = granted(make_session(owner=ada), machine)
    tasks.launch_attempt(attempt.pk)
    assert stat.S_IMODE(launching.directory_of(attempt).path.stat().st_mode) == 0o700


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
    assert (states(session), ports_of(session)) == (["starting"], [launching.EDITOR_PORT])


# Force


def forced(owner: User, machine: Machine) -> tuple[Attempt, Path]:
    """A granted attempt with force, and the results of the one before."""
    session = make_session(owner=owner, state=State.COMPLETED)
    results = Path(session.attempts.get().results_dir, session.run_id)
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
    results = Path(session.attempts.get().results_dir, session.run_id)
    (results / "Ball").mkdir(parents=True)
    (results / "Ball" / "checkpoint.pt").write_bytes(b"x")
    make_session(owner=ada, run_id=session.run_id, resume=True)
    tasks.launch_attempt(granted(session, machine).pk)
    assert (results / "Ball" / "checkpoint.pt").is_file()
