"""A history that is rebuilt from the run directories is the history that was lost."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from sessions.domain.states import State
from sessions.models import (
    Artifact,
    Attempt,
    BehaviorProgress,
    Environment,
    Machine,
    PortLease,
    Series,
    SessionEvent,
    Trainer,
    TrainingSession,
)
from sessions.runtime.identity import current_boot
from sessions.runtime.launch import trainer_argv
from sessions.runtime.locks import FileLock
from sessions.runtime.memo import as_facts
from sessions.runtime.records import Claim, ExitRecord, LaunchSpec
from sessions.runtime.rundir import atomic_write, create_once
from sessions.selectors import keeping
from sessions.services import closing, editing, memo, upkeep
from sessions.services.recovery import WHO
from sessions.services.repair import aside_of
from sessions.supervisor.recovering import Rebuilt, recover, unknown_runs
from sessions.trainers.kinds import KINDS
from tests.factories import CONFIG, make_machine, make_request, make_session
from tests.sessions.attempts import CONNECTED, INTERRUPTED, NEW_BRAIN, OnDisk, record_of, summary
from tests.sessions.services.queueing import make_build_session

BEGAN = 1.7e9


@pytest.fixture(autouse=True)
def nothing_follows(settings: Settings, home: Path) -> None:
    settings.MENTOR_AFTER_SESSION = []


@pytest.fixture
def held() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def launched(session: TrainingSession, *, at: float) -> OnDisk:
    """The latest attempt as a launch leaves it: its spec, its configuration and the shim's claim."""
    written = OnDisk(session)
    attempt = written.attempt
    Attempt.objects.filter(pk=attempt.pk).update(state="launching", machine=make_machine())
    module = KINDS[session.trainer.kind].module
    argv = trainer_argv("/nowhere/python", written.directory, module, attempt.command[1:])
    spec = LaunchSpec(session.run_id, attempt.number, attempt.cookie, argv, "/", {})
    written.directory.prepare(spec, config=bytes(session.config_used), given=bytes(session.config_given))
    create_once(written.directory.claim, asdict(Claim("shim", void=False, at=at, boot_id=current_boot())))
    return written


def train(written: OnDisk, *, to: int, at: float) -> None:
    """Everything that a trainer writes on its way to a step, saved there."""
    written.say(CONNECTED, NEW_BRAIN, *(summary(step) for step in range(500, to + 1, 500)))
    written.append_events(
        b"".join(record_of("Losses/Loss", step, 0.5) for step in range(500, to + 1, 500)), begun=int(at)
    )
    model = written.save("Ball.onnx", f"model of {to}".encode())
    status = written.save("run_logs/training_status.json", json.dumps(status_of(to)).encode())
    for path in (model, status, written.save(f"Ball/Ball-{to}.pt"), written.save("Ball/checkpoint.pt")):
        os.utime(path, (at + 50, at + 50))


def status_of(step: int) -> dict[str, Any]:
    return {"Ball": {"final_checkpoint": {"steps": step, "reward": 1.5}, "checkpoints": []}}


def end(written: OnDisk, *, at: float, code: int = 0, stop: bool = False) -> None:
    """The shim records the end, and the supervisor closes the attempt."""
    if stop:
        written.say(INTERRUPTED)
    size = written.directory.console.stat().st_size
    record = ExitRecord(code, at, size, 0, stop_requested=stop)
    create_once(written.directory.exit, asdict(record))
    ingester = written.ingester()
    assert closing.close(ingester, record)


def trained_twice(owner: User) -> TrainingSession:
    """A session that was paused at half its way and came to its goal when it was resumed."""
    session = make_session(owner=owner, run_id="ball", name="Ball", notes="n", tags=("a",), priority=2, seed=7)
    first = launched(session, at=BEGAN)
    train(first, to=1000, at=BEGAN)
    TrainingSession.objects.update(wanted="pause")
    end(first, at=BEGAN + 100, stop=True)
    session.refresh_from_db()
    assert session.state == "paused"
    editing.resume(session, by="ada")
    second = launched(session, at=BEGAN + 200)
    train(second, to=2000, at=BEGAN + 200)
    end(second, at=BEGAN + 300)
    session.refresh_from_db()
    assert session.state == "completed"
    keep(session)
    return session


def keep(session: TrainingSession) -> None:
    """The memo, which is written on commit, and no test commits."""
    directory = Path(session.attempts.all()[0].results_dir).parent
    directory.mkdir(parents=True, exist_ok=True)
    atomic_write(directory / "session.json", as_facts(memo.memo_of(TrainingSession.objects.get(pk=session.pk))))


def forget() -> None:
    """Lose the database."""
    for model in (PortLease, TrainingSession, Environment, Trainer, Machine, User):
        model.objects.all().delete()


def rebuild(home: Path) -> list[Rebuilt]:
    return list(recover(home, make_machine()))


def story(run_id: str) -> dict[str, Any]:
    """All that is known of a session, without keys, and without times that only a live view has."""
    session = TrainingSession.objects.get(run_id=run_id)
    columns = [
        "run_id",
        "name",
        "notes",
        "tags",
        "state",
        "explanation",
        "config_name",
        "options",
        "rules",
        "priority",
        "place",
        "held",
    ]
    ended = [
        "number",
        "state",
        "cookie",
        "resume",
        "force",
        "command",
        "base_port",
        "exit_code",
        "ended_at",
        "failure",
        "console_size",
    ]
    return {
        **{name: getattr(session, name) for name in columns},
        "config": (bytes(session.config_given), bytes(session.config_used)),
        "names": (session.owner and session.owner.username, session.trainer.name, session.mode),
        "created_at": session.created_at,
        "ended_at": session.ended_at,
        "attempts": list(session.attempts.order_by("number").values(*ended)),
        "saved": [[one["path"] for one in saved] for saved in session.attempts.values_list("saved", flat=True)],
        "behaviors": list(session.behaviors.values("name", "step", "max_steps", "mean_reward", "seen")),
        "series": list(
            Series.objects.filter(attempt__session=session)
            .order_by("attempt__number", "tag")
            .values("attempt__number", "behavior", "tag", "count", "last_step", "last_value")
        ),
        "artifacts": list(
            session.artifacts.filter(kept=False)
            .order_by("path")
            .values("path", "attempt__number", "step", "sha256", "final", "present")
        ),
    }


def test_a_lost_history_comes_back_as_it_was(home: Path, ada: User) -> None:
    trained_twice(ada)
    before = story("ball")
    forget()
    assert rebuild(home) == [Rebuilt("ball", [1, 2], "completed")]
    after = story("ball")
    # A file that the second attempt wrote over is the second's.
    assert [one["path"] for one in after.pop("artifacts")] == [one["path"] for one in before.pop("artifacts")]
    before["saved"][0] = after["saved"][0] = []
    assert after == before
    assert [one["attempt__number"] for one in after["series"]] == [1, 2]
    assert [one["count"] for one in after["series"]] == [2, 4]


def test_times_are_those_of_the_files_and_events_say_what_was_rebuilt(home: Path, ada: User) -> None:
    trained_twice(ada)
    forget()
    rebuild(home)
    session = TrainingSession.objects.get(run_id="ball")
    assert session.started_at is not None
    assert session.started_at.timestamp() == BEGAN
    first, second = session.attempts.order_by("number")
    assert [one.started_at and one.started_at.timestamp() for one in (first, second)] == [BEGAN, BEGAN + 200]
    events = list(SessionEvent.objects.filter(attempt=first).values_list("who", "to_state", "why"))
    assert events[0] == (WHO, "launching", "Rebuilt from its run directory.")
    assert events[-1][1] == "paused"
    ended = SessionEvent.objects.get(attempt=second, to_state="completed")
    assert ended.at.timestamp() == BEGAN + 300


def test_an_archived_history_comes_back_with_what_was_compressed(
    home: Path, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = trained_twice(ada)
    before = story("ball")
    monkeypatch.setattr(keeping, "LEAST_BYTES", 1)
    editing.edit(session, {"project": "Paper"}, by="ada")
    editing.archive(session, by="ada")

    assert upkeep.work()
    console = home / "runs" / "ball" / "attempts" / "1" / "console.log"
    assert not console.exists()
    keep(session)
    forget()
    rebuild(home)
    after = story("ball")
    assert {name: after[name] for name in ("attempts", "behaviors", "series")} == {
        name: before[name] for name in ("attempts", "behaviors", "series")
    }
    session = TrainingSession.objects.get()
    assert (session.project, session.archived_at is not None, session.chore) == ("Paper", True, "pack")
    assert console.is_file()


def test_what_is_known_is_left_alone(home: Path, ada: User) -> None:
    session = trained_twice(ada)
    editing.edit(session, {"notes": "newer than the memo"}, by="ada")
    before = story("ball")
    assert rebuild(home) == []
    assert story("ball") == before
    forget()
    rebuild(home)
    events = SessionEvent.objects.count()
    assert rebuild(home) == []
    assert SessionEvent.objects.count() == events


def test_an_attempt_that_an_older_database_does_not_know_is_added(home: Path, ada: User) -> None:
    session = trained_twice(ada)
    before = story("ball")["attempts"]
    session.attempts.get(number=2).delete()
    TrainingSession.objects.update(state="paused", notes="older")
    assert rebuild(home) == [Rebuilt("ball", [2], "completed")]
    after = story("ball")
    assert (after["attempts"], after["notes"]) == (before, "older")


def test_an_older_database_in_which_the_attempt_still_runs_is_brought_on(home: Path, ada: User) -> None:
    session = trained_twice(ada)
    session.attempts.get(number=2).delete()
    Attempt.objects.filter(number=1).update(state="running", ended_at=None)
    TrainingSession.objects.update(state="running", wanted="pause")
    assert rebuild(home) == [Rebuilt("ball", [2], "completed")]
    assert list(session.attempts.values_list("state", flat=True)) == ["paused", "completed"]


def test_an_attempt_that_was_launched_after_the_backup_does_not_start_twice(home: Path, ada: User) -> None:
    session = trained_twice(ada)
    Attempt.objects.filter(number=2).update(state="queued", machine=None, launched_at=None)
    TrainingSession.objects.update(state="queued")
    assert rebuild(home) == [Rebuilt("ball", [2], "completed")]
    assert session.attempts.count() == 2


def test_without_memo_the_files_of_the_attempts_say_what_they_can(home: Path, ada: User) -> None:
    trained_twice(ada)
    (home / "runs/ball/session.json").unlink()
    before = story("ball")
    forget()
    assert [one.state for one in rebuild(home)] == ["completed"]
    after = story("ball")
    assert after["options"] == {"seed": 7}
    assert after["names"] == (None, "practice", "editor")
    assert after["config"] == before["config"]
    assert after["series"] == before["series"]
    # That the first was a pause, only the memo knew.
    assert [one["state"] for one in after["attempts"]] == ["stopped", "completed"]


def test_a_training_that_runs_is_found_again_and_holds_its_ports(
    home: Path, ada: User, tmp_path: Path, held: ExitStack
) -> None:
    session = make_build_session(ada, tmp_path, num_envs=2)
    attempt = session.attempts.get()
    command = [*attempt.command[:2], "--base-port=15020", *attempt.command[2:]]
    Attempt.objects.filter(pk=attempt.pk).update(command=command, base_port=15020)
    written = launched(session, at=BEGAN)
    written.say(CONNECTED, NEW_BRAIN, summary(500))
    lock = FileLock(written.directory.shim_lock)
    assert lock.acquire()
    held.callback(lock.release)
    keep(session)
    forget()
    assert [one.state for one in rebuild(home)] == ["running"]
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.machine) == ("running", make_machine())
    assert sorted(PortLease.objects.values_list("port", flat=True)) == [15020, 15021]
    assert attempt.session.environment is not None
    assert attempt.session.environment.path == session.environment.path if session.environment else False
    assert BehaviorProgress.objects.get().step == 500


def test_one_that_ended_without_a_word_is_told_apart_as_always(home: Path, ada: User) -> None:
    session = make_session(owner=ada)
    written = launched(session, at=BEGAN)
    written.say(CONNECTED, NEW_BRAIN, summary(500))
    keep(session)
    forget()
    (one,) = rebuild(home)
    assert one.state == "lost"
    assert "without leaving an exit code" in TrainingSession.objects.get().explanation


def test_what_waited_waits_again_in_its_place(home: Path, ada: User) -> None:
    first = make_session(owner=ada, priority=1)
    second = make_session(owner=ada)
    later = timezone.now() + timedelta(hours=1)
    Attempt.objects.filter(session=second).update(after=first, not_before=later)
    TrainingSession.objects.filter(pk=first.pk).update(held=True)
    for session in (first, second):
        keep(session)
    stories = [story(first.run_id), story(second.run_id)]
    forget()
    assert {one.state for one in rebuild(home)} == {"queued"}
    assert [story(first.run_id), story(second.run_id)] == stories
    attempt = Attempt.objects.get(session__run_id=second.run_id)
    assert attempt.after is not None
    assert (attempt.after.run_id, attempt.not_before) == (first.run_id, later)


def test_one_that_was_stopped_before_it_started_stays_stopped(home: Path, ada: User) -> None:
    session = make_session(owner=ada)
    ended = {"state": "stopped", "ended_at": timezone.now()}
    Attempt.objects.update(**ended)
    TrainingSession.objects.update(explanation="Stopped before it started.", **ended)
    keep(session)
    before = story(session.run_id)
    forget()
    rebuild(home)
    assert story(session.run_id) == before


def test_results_that_were_set_aside_are_read_for_the_attempt_that_made_them(home: Path, ada: User) -> None:
    from sessions.services.starting import start_session

    session = make_session(owner=ada, run_id="ball")
    first = launched(session, at=BEGAN)
    train(first, to=1000, at=BEGAN)
    end(first, at=BEGAN + 100, stop=True)
    session = start_session(make_request(run_id="ball", force=True), by=ada)
    first.results.rename(aside_of(first.results, 2))
    second = launched(session, at=BEGAN + 200)
    train(second, to=2000, at=BEGAN + 200)
    end(second, at=BEGAN + 300)
    keep(session)
    before = story("ball")
    forget()
    rebuild(home)
    after = story("ball")
    assert after["series"] == before["series"]
    assert [one["state"] for one in after["attempts"]] == ["stopped", "completed"]


def test_one_run_that_cannot_be_rebuilt_costs_only_itself(home: Path, ada: User) -> None:
    trained_twice(ada)
    shutil.copytree(home / "runs/ball", home / "runs/copy")
    (home / "runs/.hidden").mkdir()
    (home / "runs/empty/attempts/1").mkdir(parents=True)
    (home / "runs/file").write_text("")
    forget()
    done = {one.run_id: one for one in rebuild(home)}
    assert set(done) == {"ball", "copy"}
    assert [done["ball"].state, bool(done["ball"].note)] == ["completed", False]
    assert "copy of another run" in done["copy"].note


def test_looking_changes_nothing(home: Path, ada: User) -> None:
    trained_twice(ada)
    forget()
    ((run, unknown),) = unknown_runs(home)
    assert (run.run_id, [one.number for one in unknown]) == ("ball", [1, 2])
    assert not TrainingSession.objects.exists()
    assert [len(list(unknown_runs(home, known=lambda _: {})))] == [1]


def test_an_owner_who_went_with_the_database_comes_back_without_rights(home: Path, ada: User) -> None:
    trained_twice(ada)
    forget()
    rebuild(home)
    owner = User.objects.get(username="ada")
    assert (owner.is_superuser, owner.has_usable_password(), owner.get_all_permissions()) == (False, False, set())


def test_a_configuration_comes_back_byte_for_byte(home: Path, ada: User) -> None:
    session = make_session(owner=ada, config=CONFIG + "# näher\r\n".encode())
    keep(session)
    given = bytes(session.config_given)
    forget()
    rebuild(home)
    assert bytes(TrainingSession.objects.get().config_given) == given


def test_states_of_a_memo_that_nobody_knows_are_taken_as_waiting(home: Path, ada: User) -> None:
    session = make_session(owner=ada)
    told = memo.memo_of(session)
    strange = replace(told, attempts=tuple(replace(one, state="dreaming") for one in told.attempts))
    path = home / "runs" / session.run_id / "session.json"
    atomic_write(path, as_facts(strange))
    forget()
    assert [one.state for one in rebuild(home)] == [State.QUEUED.value]
    assert not Artifact.objects.exists()


RESTART = {"restart_limit": 3, "restart_pause_seconds": 0.0}


def crashed(owner: User) -> TrainingSession:
    """A session that crashed, with a rule that restarts crashed ones; it was left alone afterwards."""
    session = make_session(owner=owner, run_id="ball")
    written = launched(session, at=BEGAN)
    written.say(CONNECTED, NEW_BRAIN, summary(500))
    end(written, at=BEGAN + 100, code=-11)
    TrainingSession.objects.update(rules=RESTART)
    keep(session)
    return session


def test_rules_do_not_act_on_what_is_long_past_and_are_there_afterwards(home: Path, ada: User) -> None:
    crashed(ada)
    forget()
    assert rebuild(home) == [Rebuilt("ball", [1], "failed")]
    session = TrainingSession.objects.get()
    assert (session.state, session.rules, session.attempts.count()) == ("failed", RESTART, 1)


def test_a_memo_is_left_alone_until_all_it_knows_is_stored(
    home: Path, ada: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    trained_twice(ada)
    path = home / "runs/ball/session.json"
    before = path.read_bytes()
    forget()
    rebuilding = recover(home, make_machine())
    with django_capture_on_commit_callbacks(execute=True):
        next(rebuilding)
    assert path.read_bytes() == before
    with django_capture_on_commit_callbacks(execute=True):
        assert list(rebuilding) == []
    assert path.read_bytes() != before
    after = json.loads(path.read_bytes())
    assert [one["number"] for one in after["attempts"]] == [1, 2]


def test_an_attempt_that_was_never_claimed_never_starts_and_is_queued_again(home: Path, ada: User) -> None:
    session = make_session(owner=ada)
    written = launched(session, at=BEGAN)
    written.directory.claim.unlink()
    os.utime(written.directory.spec, (BEGAN, BEGAN))
    keep(session)
    forget()
    assert [one.state for one in rebuild(home)] == ["queued"]
    assert list(Attempt.objects.order_by("number").values_list("state", flat=True)) == ["failed", "queued"]
    claim = written.directory.read_claim()
    assert claim is not None
    assert claim.void
