"""The queue: slots, ports, the Editor, holding, waiting for a time or a session, and moving."""

from __future__ import annotations

import socket
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from sessions.domain.queue import EDITOR_PORT, Grant
from sessions.domain.states import State
from sessions.errors import Conflict
from sessions.models import Attempt, Machine, TrainingSession
from sessions.runtime.ports import port_is_free
from sessions.services import launching, queue, stopping
from tests.factories import make_session
from tests.sessions.services.queueing import (
    BASE,
    Launches,
    again,
    grant_for,
    granted,
    make_build_session,
    make_editor_session,
    options,
    ports_of,
    states,
)

pytestmark = pytest.mark.usefixtures("launches", "spawned")


# Slots


def test_a_grant_gives_machine_and_time_and_enqueues_the_launch(
    ada: User, machine: Machine, launches: Launches
) -> None:
    session = make_session(owner=ada)
    assert queue.grant_waiting(machine) == 1
    attempt = session.attempts.get()
    assert (attempt.state, attempt.machine, attempt.launched_at) == ("launching", machine, None)
    assert attempt.granted_at is not None
    assert launches.attempts == [attempt.pk]


def test_no_more_run_than_there_are_slots(ada: User, machine: Machine, settings: Settings, launches: Launches) -> None:
    options(settings, MENTOR_MAX_PARALLEL=2)
    sessions = [make_session(owner=ada) for _ in range(4)]
    assert queue.grant_waiting(machine) == 2
    assert states(*sessions) == ["launching", "launching", "queued", "queued"]
    assert again(sessions[2]).explanation == "Waits for a free slot."
    assert queue.grant_waiting(machine) == 0
    assert len(launches.attempts) == 2


def test_an_end_frees_a_slot(ada: User, machine: Machine, settings: Settings) -> None:
    options(settings, MENTOR_MAX_PARALLEL=1)
    first, second = make_session(owner=ada), make_session(owner=ada)
    queue.grant_waiting(machine)
    launching.fail_launch(first.attempts.get(), "It could not.")
    assert queue.grant_waiting(machine) == 1
    assert states(first, second) == ["failed", "launching"]


def test_slots_are_counted_for_each_machine(ada: User, machine: Machine, settings: Settings) -> None:
    options(settings, MENTOR_MAX_PARALLEL=1)
    elsewhere = make_session(owner=ada, state=State.RUNNING)
    elsewhere.attempts.update(machine=Machine.objects.create(name="elsewhere"))
    here = make_session(owner=ada)
    assert queue.grant_waiting(machine) == 1
    assert states(here) == ["launching"]


def test_the_highest_priority_is_first_and_among_equals_the_oldest(
    ada: User, machine: Machine, settings: Settings
) -> None:
    low, old, new, high = (make_session(owner=ada, priority=priority) for priority in (-1, 0, 0, 5))
    order = []
    for slots in range(1, 5):
        options(settings, MENTOR_MAX_PARALLEL=slots)
        assert queue.grant_waiting(machine) == 1
        order += [one for one in (low, old, new, high) if states(one) == ["launching"] and one not in order]
    assert order == [high, old, new, low]


def test_waiting_is_told_once(ada: User, machine: Machine, settings: Settings) -> None:
    make_editor_session(ada, priority=1)
    waiting = make_editor_session(ada)
    queue.grant_waiting(machine)
    told = again(waiting).version
    queue.grant_waiting(machine)
    assert again(waiting).version == told
    options(settings, MENTOR_MAX_PARALLEL=1)
    queue.grant_waiting(machine)
    assert (again(waiting).explanation, again(waiting).version) == ("Waits for a free slot.", told + 1)


def test_who_was_stopped_or_put_away_is_not_granted(ada: User, machine: Machine, launches: Launches) -> None:
    stopped, trashed = make_session(owner=ada), make_session(owner=ada)
    stopping.request_stop(stopped, by="ada")
    TrainingSession.objects.filter(pk=trashed.pk).update(trashed_at=timezone.now())
    assert queue.grant_waiting(machine) == 0
    assert (states(stopped, trashed), launches.attempts) == (["stopped", "queued"], [])


def test_a_grant_without_its_launch_is_none(ada: User, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("the queue is gone")

    session = make_editor_session(ada)
    monkeypatch.setattr(queue, "async_task", refuse)
    with pytest.raises(RuntimeError):
        granted(session, machine)
    assert (states(session), ports_of(session)) == (["queued"], [])


@pytest.mark.usefixtures("all_ports_free")
def test_an_attempt_is_granted_once(ada: User, machine: Machine, tmp_path: Path, launches: Launches) -> None:
    session = make_build_session(ada, tmp_path)
    first, second = session.attempts.get(), session.attempts.get()
    offer = grant_for(first, machine)
    assert queue.grant(first, machine, offer)
    assert not queue.grant(second, machine, offer)
    assert (ports_of(session), launches.attempts) == ([BASE], [first.pk])
    assert session.attempts.get().base_port == BASE


# Ports


def test_the_practice_trainer_needs_no_port(ada: User, machine: Machine) -> None:
    session = make_session(owner=ada)
    queue.grant_waiting(machine)
    attempt = session.attempts.get()
    assert (attempt.base_port, ports_of(session)) == (None, [])
    assert not any(word.startswith("--base-port") for word in attempt.command)


def test_one_session_holds_the_editor_and_the_next_is_told_so(ada: User, machine: Machine) -> None:
    first, second = make_editor_session(ada), make_editor_session(ada)
    assert queue.grant_waiting(machine) == 1
    assert states(first, second) == ["launching", "queued"]
    assert again(second).explanation == "Waits for the Editor: another session holds it."
    attempt = first.attempts.get()
    assert (attempt.base_port, ports_of(first)) == (None, [EDITOR_PORT])
    launching.fail_launch(attempt, "It could not.")
    assert queue.grant_waiting(machine) == 1
    assert states(first, second) == ["failed", "launching"]


@pytest.mark.usefixtures("all_ports_free")
def test_who_waits_for_the_editor_holds_nobody_else_back(ada: User, machine: Machine, tmp_path: Path) -> None:
    sessions = [make_editor_session(ada), make_editor_session(ada), make_build_session(ada, tmp_path)]
    assert queue.grant_waiting(machine) == 2
    assert states(*sessions) == ["launching", "queued", "launching"]


@pytest.mark.usefixtures("all_ports_free")
def test_sessions_have_blocks_of_ports_of_their_own(ada: User, machine: Machine, tmp_path: Path) -> None:
    sessions = [make_build_session(ada, tmp_path, num_envs=count) for count in (3, 1, 2)]
    assert queue.grant_waiting(machine) == 3
    blocks = [[BASE, BASE + 1, BASE + 2], [BASE + 3], [BASE + 4, BASE + 5]]
    assert [ports_of(session) for session in sessions] == blocks
    for session, block in zip(sessions, blocks, strict=True):
        attempt = session.attempts.get()
        assert attempt.base_port == block[0]
        assert f"--base-port={block[0]}" in attempt.command


@pytest.mark.usefixtures("all_ports_free")
def test_a_gap_that_is_too_small_for_a_block_is_passed_over(ada: User, machine: Machine, tmp_path: Path) -> None:
    sessions = [make_build_session(ada, tmp_path, num_envs=1) for _ in range(3)]
    queue.grant_waiting(machine)
    launching.fail_launch(sessions[1].attempts.get(), "It could not.")
    wide, narrow = (make_build_session(ada, tmp_path, num_envs=count) for count in (2, 1))
    queue.grant_waiting(machine)
    assert (ports_of(wide), ports_of(narrow)) == ([BASE + 3, BASE + 4], [BASE + 1])


def test_a_port_that_something_listens_on_is_passed_over(
    ada: User, machine: Machine, tmp_path: Path, settings: Settings
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = int(other.getsockname()[1])
        assert not port_is_free(taken)
        options(settings, MENTOR_BASE_PORT=taken)
        session = make_build_session(ada, tmp_path)
        assert queue.grant_waiting(machine) == 1
    base = session.attempts.get().base_port
    assert base is not None
    assert base > taken


def test_a_busy_port_inside_a_block_moves_the_whole_block(
    ada: User, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "port_is_free", lambda port: port != BASE + 1)
    session = make_build_session(ada, tmp_path, num_envs=2)
    queue.grant_waiting(machine)
    assert ports_of(session) == [BASE + 2, BASE + 3]


def test_without_a_free_port_a_session_waits_and_says_so(
    ada: User, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "port_is_free", lambda port: False)
    session = make_build_session(ada, tmp_path)
    assert queue.grant_waiting(machine) == 0
    assert (states(session), again(session).explanation) == (["queued"], "Waits for a port that nothing else uses.")


def test_a_port_that_was_leased_since_the_look_costs_one_round(
    ada: User, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (make_build_session(ada, tmp_path) for _ in range(2))
    with monkeypatch.context() as outdated:
        outdated.setattr(queue, "decide", lambda *_: [Grant(one.attempts.get().pk, (BASE,)) for one in (first, second)])
        assert queue.grant_waiting(machine) == 1
    assert (states(first, second), ports_of(second)) == (["launching", "queued"], [])
    monkeypatch.setattr(queue, "port_is_free", lambda port: True)
    assert queue.grant_waiting(machine) == 1
    assert ports_of(second) == [BASE + 1]


# What a session waits for besides


def waits_for(session: TrainingSession) -> tuple[str, str]:
    return again(session).waits_for, again(session).explanation


def test_a_session_says_in_one_word_what_it_waits_for(
    ada: User, machine: Machine, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_editor_session(ada)
    editor, build = make_editor_session(ada), make_build_session(ada, tmp_path, num_envs=3)
    monkeypatch.setattr(queue, "port_is_free", lambda port: False)
    queue.grant_waiting(machine)
    assert [waits_for(one)[0] for one in (editor, build)] == ["Editor", "port"]
    assert waits_for(build)[1] == "Waits for 3 ports in a row that nothing else uses."
    options(settings, MENTOR_MAX_PARALLEL=1)
    queue.grant_waiting(machine)
    assert [waits_for(one)[0] for one in (editor, build)] == ["slot", "slot"]
    monkeypatch.setattr(queue, "disk_is_short", lambda folder: True)
    queue.grant_waiting(machine)
    assert [waits_for(one)[0] for one in (editor, build)] == ["disk", "disk"]


def test_a_session_whose_results_are_on_a_short_disk_waits_alone(
    ada: User, machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    full = tmp_path / "full"
    there, here = make_session(owner=ada), make_session(owner=ada)
    there.attempts.update(results_dir=str(full / "results"))
    monkeypatch.setattr(queue, "disk_is_short", lambda folder: Path(folder).is_relative_to(full))
    queue.grant_waiting(machine)
    assert states(there, here) == ["queued", "launching"]
    why = "Waits for disk space: less than the reserve is free where its results are kept."
    assert waits_for(there) == ("disk", why)


def test_who_starts_waits_for_nothing_any_more(ada: User, machine: Machine, settings: Settings) -> None:
    options(settings, MENTOR_MAX_PARALLEL=1)
    first, second = make_session(owner=ada), make_session(owner=ada)
    queue.grant_waiting(machine)
    assert again(second).waits_for == "slot"
    launching.fail_launch(first.attempts.get(), "It could not.")
    queue.grant_waiting(machine)
    assert again(second).waits_for == ""


def test_a_held_session_is_passed_by_until_it_is_released(ada: User, machine: Machine) -> None:
    held, other = make_session(owner=ada, priority=5), make_session(owner=ada)
    queue.hold(held, by="ada")
    queue.grant_waiting(machine)
    assert (states(held, other), waits_for(held)[0]) == (["queued", "launching"], "release")
    queue.release(held, by="ada")
    queue.grant_waiting(machine)
    assert states(held) == ["launching"]
    told = [(event.who, event.why) for event in held.events.all()][1:3]
    assert told == [("ada", "Held; it waits to be released."), ("ada", "Released.")]


def test_only_who_waits_can_be_held_or_moved(ada: User) -> None:
    running = make_session(owner=ada, state=State.RUNNING)
    for ask in (queue.hold, queue.release):
        with pytest.raises(Conflict, match="does not wait in the queue"):
            ask(running, by="ada")
    with pytest.raises(Conflict, match="does not wait in the queue"):
        queue.move_to(running, 0, by="ada")


def test_a_session_waits_for_its_time(ada: User, machine: Machine) -> None:
    session = make_session(owner=ada)
    Attempt.objects.filter(session=session).update(not_before=timezone.now() + timedelta(hours=1))
    queue.grant_waiting(machine)
    assert (states(session), waits_for(session)[0]) == (["queued"], "time")
    Attempt.objects.filter(session=session).update(not_before=timezone.now() - timedelta(seconds=1))
    queue.grant_waiting(machine)
    assert states(session) == ["launching"]


@pytest.mark.parametrize(
    ("state", "goes_on"), [("running", False), ("paused", False), ("stopped", True), ("failed", True)]
)
def test_a_session_waits_for_the_end_of_another(ada: User, machine: Machine, state: str, goes_on: bool) -> None:
    before, session = make_session(owner=ada, state=State(state)), make_session(owner=ada)
    Attempt.objects.filter(session=session).update(after=before)
    queue.grant_waiting(machine)
    expected = ("launching", "") if goes_on else ("queued", "session")
    assert (*states(session), waits_for(session)[0]) == expected
    if not goes_on:
        assert waits_for(session)[1] == f"Waits for {before.run_id} to end."


def test_a_moved_session_stands_where_it_was_put(ada: User) -> None:
    low, first, second = (make_session(owner=ada, priority=priority) for priority in (-1, 0, 0))
    queue.move_to(low, 1, by="ada")
    assert [attempt.session_id for attempt in queue.waiting_attempts()] == [first.pk, low.pk, second.pk]
    assert again(low).priority == 0
    queue.move_to(second, 0, by="ada")
    assert [attempt.session_id for attempt in queue.waiting_attempts()] == [second.pk, first.pk, low.pk]


def test_two_gpus_are_used_in_turn_unless_the_user_chose(ada: User, machine: Machine) -> None:
    machine.gpus = ["one", "other"]
    sessions = [make_session(owner=ada, device=device) for device in (None, "cuda", "cpu", None, "cuda:0")]
    queue.grant_waiting(machine)
    assert [session.attempts.get().device for session in sessions] == ["cuda:0", "cuda:1", "", "cuda:0", ""]
    assert "--torch-device=cuda:1" in sessions[1].attempts.get().command
    assert "--torch-device=cpu" in sessions[2].attempts.get().command
