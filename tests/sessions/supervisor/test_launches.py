"""Launches that come to nothing, at whatever moment their worker dies; none starts twice, and none is forgotten."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from sessions import tasks
from sessions.domain.states import State
from sessions.models import Attempt, PortLease, SessionEvent, TrainingSession
from sessions.runtime.records import Claim
from sessions.runtime.rundir import AttemptDirectory, create_once
from sessions.services import launching, stopping, transitions
from sessions.supervisor.loop import Supervisor
from tests.factories import make_session
from tests.sessions.attempts import OnDisk
from tests.sessions.supervisor.watching import LAUNCH_ROUNDS, ago, attempt_of, followed, state_of, turn


class Died(BaseException):
    """The worker was killed here."""


def attempts_of(written: OnDisk) -> list[tuple[int, str]]:
    return list(Attempt.objects.filter(session=written.session).order_by("number").values_list("number", "state"))


def launched(owner: User, **columns: Any) -> OnDisk:
    """An attempt that its launch task took."""
    return attempt_of(owner, State.LAUNCHING, launched_at=timezone.now(), **columns)


# No shim claims it


@pytest.mark.parametrize("prepared", [True, False])
def test_a_launch_that_nobody_claims_is_voided_and_tried_again(
    supervisor: Supervisor, ada: User, launches: list[int], prepared: bool
) -> None:
    written = launched(ada, resume=True)
    place = written.session.place
    PortLease.objects.create(machine=supervisor.machine, port=5005, attempt=written.attempt)
    if not prepared:
        # The worker died before it made the directory.
        written.directory.path.rmdir()
    turn(supervisor, LAUNCH_ROUNDS)
    voided = written.directory.read_claim()
    assert voided is not None
    assert voided.void
    turn(supervisor, 2)
    assert attempts_of(written) == [(1, "failed"), (2, "launching")]
    again = Attempt.objects.get(session=written.session, number=2)
    assert (again.resume, again.force, again.automatic, launches) == (True, False, True, [again.pk])
    assert not PortLease.objects.filter(attempt=written.pk).exists()
    assert TrainingSession.objects.get(pk=written.session.pk).place == place
    # A shim that comes late finds the claim taken.
    assert not create_once(written.directory.claim, asdict(Claim(by="shim", void=False)))


def test_three_launches_in_vain_are_enough(
    supervisor: Supervisor, ada: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed_by: list[str] = []
    settings.MENTOR_AFTER_SESSION = ["reports.tasks.build_report"]
    monkeypatch.setattr(transitions, "async_task", lambda task, session_id: followed_by.append(task))
    written = launched(ada)
    for _ in range(3):
        turn(supervisor, LAUNCH_ROUNDS + 2)
        Attempt.objects.filter(state="launching", launched_at=None).update(launched_at=timezone.now())
    turn(supervisor, LAUNCH_ROUNDS + 2)
    assert attempts_of(written) == [(1, "failed"), (2, "failed"), (3, "failed")]
    session = TrainingSession.objects.get(pk=written.session.pk)
    assert session.explanation == "The attempt could not be launched within 30 seconds, 3 times in a row."
    assert (supervisor.watches, followed_by) == ({}, ["reports.tasks.build_report"])


def test_a_person_who_starts_it_again_gets_three_launches_again(supervisor: Supervisor, ada: User) -> None:
    written = launched(ada)
    for _ in range(3):
        turn(supervisor, LAUNCH_ROUNDS + 3)
        Attempt.objects.filter(state="launching", launched_at=None).update(launched_at=timezone.now())
    turn(supervisor, LAUNCH_ROUNDS + 3)
    make_session(owner=ada, run_id=written.session.run_id, force=True)
    turn(supervisor)
    Attempt.objects.filter(state="launching").update(launched_at=timezone.now())
    turn(supervisor, LAUNCH_ROUNDS + 3)
    assert attempts_of(written)[3:] == [(4, "failed"), (5, "launching")]


@pytest.mark.parametrize("ask", [stopping.request_stop, stopping.request_kill])
def test_a_launch_in_vain_that_nobody_wants_any_more_is_stopped(supervisor: Supervisor, ada: User, ask: Any) -> None:
    written = launched(ada)
    ask(written.session, by="ada")
    turn(supervisor, LAUNCH_ROUNDS + 2)
    assert attempts_of(written) == [(1, "stopped")]
    assert "nothing was trained" in TrainingSession.objects.get(pk=written.session.pk).explanation


def test_a_claim_that_says_nothing_keeps_no_slot(supervisor: Supervisor, ada: User) -> None:
    written = launched(ada)
    written.directory.claim.write_bytes(b"")
    turn(supervisor, LAUNCH_ROUNDS + 1)
    assert attempts_of(written)[0] == (1, "failed")


@pytest.mark.parametrize("columns", [{"launched_at": 10}, {"granted_at": 10}])
def test_a_launch_has_its_time(
    supervisor: Supervisor, ada: User, launches: list[int], columns: dict[str, float]
) -> None:
    written = attempt_of(ada, State.LAUNCHING, **{name: ago(seconds) for name, seconds in columns.items()})
    turn(supervisor, 3)
    assert (state_of(written), launches, written.directory.read_claim()) == ("launching", [], None)


@pytest.mark.parametrize("seconds", [-3600, 3600])
@pytest.mark.parametrize("column", ["launched_at", "granted_at"])
def test_a_clock_that_is_set_ends_no_launch_before_it_was_watched(
    supervisor: Supervisor, ada: User, launches: list[int], seconds: int, column: str
) -> None:
    """The time of day jumped by an hour between the grant and this look."""
    written = attempt_of(ada, State.LAUNCHING, **{column: ago(seconds)})
    turn(supervisor, 3, seconds=1.0)
    assert (state_of(written), launches, written.directory.read_claim()) == ("launching", [], None)


def test_a_supervisor_that_is_killed_again_and_again_still_gives_up_a_launch(supervisor: Supervisor, ada: User) -> None:
    written = attempt_of(ada, State.LAUNCHING, launched_at=ago(31))
    for _ in range(4):
        turn(Supervisor(supervisor.machine, supervisor.clock), 1)
        assert written.directory.read_claim() is None
    turn(Supervisor(supervisor.machine, supervisor.clock), 2)
    voided = written.directory.read_claim()
    assert voided is not None
    assert voided.void


# The worker dies on the way


def test_a_lost_launch_is_enqueued_again_and_given_time_again(
    supervisor: Supervisor, ada: User, launches: list[int]
) -> None:
    written = attempt_of(ada, State.LAUNCHING, granted_at=ago(31))
    turn(supervisor, 3)
    assert (state_of(written), launches) == ("launching", [written.pk])
    assert written.directory.read_claim() is None


def test_a_launch_taken_while_it_is_watched_is_not_enqueued_again(
    supervisor: Supervisor, ada: User, launches: list[int]
) -> None:
    written = attempt_of(ada, State.LAUNCHING, granted_at=timezone.now())
    turn(supervisor, LAUNCH_ROUNDS - 2)
    Attempt.objects.filter(pk=written.pk).update(launched_at=timezone.now())
    turn(supervisor, LAUNCH_ROUNDS - 2)
    assert launches == []


@pytest.mark.parametrize("moment", ["before it takes the launch", "before the directory", "before the spawn"])
def test_a_worker_that_dies_before_it_spawns_costs_time_only(
    supervisor: Supervisor, ada: User, launches: list[int], monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    written = attempt_of(ada, State.LAUNCHING, granted_at=timezone.now())

    def die(*_: object) -> None:
        raise Died

    place = {
        "before it takes the launch": (launching, "claim_launch"),
        "before the directory": (launching, "_prepare"),
        "before the spawn": (launching, "spawn_shim"),
    }
    with monkeypatch.context() as patch, pytest.raises(Died):
        patch.setattr(*place[moment], die)
        tasks.launch_attempt(written.pk)
    turn(supervisor, LAUNCH_ROUNDS + 2)
    newest = Attempt.objects.get(session=written.session, state="launching")
    assert launches == [newest.pk]
    assert newest.number == (1 if moment == "before it takes the launch" else 2)


def test_a_worker_that_dies_after_it_spawned_is_not_missed(
    supervisor: Supervisor, ada: User, held: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = attempt_of(ada, State.LAUNCHING, granted_at=timezone.now())

    def spawn_and_die(directory: AttemptDirectory) -> None:
        followed(written, held)
        raise Died

    monkeypatch.setattr(launching, "spawn_shim", spawn_and_die)
    with pytest.raises(Died):
        tasks.launch_attempt(written.pk)
    turn(supervisor, LAUNCH_ROUNDS)
    assert attempts_of(written) == [(1, "starting")]


def test_a_worker_that_slept_through_its_launch_moves_no_results_of_the_next_one(
    ada: User, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "spawn_shim", lambda directory: None)
    monkeypatch.setattr(launching, "CLAIM_SECONDS", 0)
    written = attempt_of(ada, State.LAUNCHING, granted_at=timezone.now(), force=True)
    asleep = launching.claim_launch(written.pk)
    turn(supervisor, LAUNCH_ROUNDS + 2)
    precious = written.save("Ball/checkpoint.pt")  # the next attempt trains already
    launching.launch(asleep)
    assert precious.is_file()


def test_an_attempt_that_failed_elsewhere_is_not_watched_on(
    supervisor: Supervisor, ada: User, caplog: pytest.LogCaptureFixture
) -> None:
    written = attempt_of(ada, State.LAUNCHING, launched_at=ago(1))
    written.directory.path.rmdir()
    turn(supervisor)
    assert list(supervisor.watches) == [written.pk]
    launching.fail_launch(written.attempt, "The build has changed.")
    turn(supervisor)
    assert (supervisor.watches, written.directory.read_claim(), caplog.text) == ({}, None, "")


def test_every_change_of_a_launch_tried_again_has_its_event(supervisor: Supervisor, ada: User) -> None:
    written = launched(ada)
    turn(supervisor, LAUNCH_ROUNDS + 2)
    changes = SessionEvent.objects.filter(session=written.session).values_list("from_state", "to_state", "who")
    assert list(changes)[1:] == [
        ("launching", "failed", "supervisor"),
        ("failed", "queued", "supervisor"),
        ("queued", "launching", "supervisor"),
    ]
