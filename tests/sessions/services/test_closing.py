"""The end of an attempt: what it wrote is stored, its ending told apart, and what it held given back, once."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone as now
from pytest_django import Settings

from sessions.domain.diagnosis.catalogue import CATALOGUE
from sessions.domain.states import State
from sessions.models import Artifact, Attempt, PortLease, SeriesChunk, SessionEvent, TrainingSession
from sessions.runtime.rundir import ExitRecord
from sessions.selectors.sessions import session_detail, session_named
from sessions.services import artifacts, closing, ending, reserve, stopping
from sessions.trainers.checkpoints import blank
from tests.factories import make_machine, make_session
from tests.sessions.attempts import CONNECTED, INTERRUPTED, LISTENING, OnDisk, record_of, summary
from tests.sessions.trainers.test_checkpoints import torch_like

pytestmark = pytest.mark.usefixtures("home")
FIXES = {entry.id: entry.fix for entry in CATALOGUE}

TRACEBACK = [
    "Traceback (most recent call last):",
    '  File "learn.py", line 1, in <module>',
    "mlagents_envs.exception.UnityTimeOutException: The Unity environment took too long to respond.",
]
ENDED_AT = 1_700_000_000.5
followed: list[int] = []


def follow(session_id: int) -> None:
    """A task of MENTOR_AFTER_SESSION; the name is how settings name it."""
    followed.append(session_id)


@pytest.fixture(autouse=True)
def tasks(settings: Settings) -> None:
    followed.clear()
    settings.MENTOR_AFTER_SESSION = [f"{__name__}.follow"]


@pytest.fixture
def written(ada: User) -> OnDisk:
    return running(ada)


def running(owner: User, state: State = State.RUNNING) -> OnDisk:
    """A session that was launched a minute ago."""
    written = OnDisk(make_session(owner=owner, state=state))
    Attempt.objects.filter(pk=written.pk).update(launched_at=now.now() - timedelta(minutes=1))
    return written


def exit_record(code: int | None = 0, **changes: Any) -> ExitRecord:
    return ExitRecord(**{"code": code, "ended_at": ENDED_AT, "log_size": 7, "log_crc32": 8, **changes})


def save_final(written: OnDisk, step: int, reward: float | None = 1.75) -> None:
    """What ML-Agents leaves at its end: a checkpoint, the final model and the file that knows their steps."""
    written.save(f"Ball/Ball-{step}.onnx", b"checkpoint")
    written.save(f"Ball/Ball-{step}.pt", b"weights")
    written.save("Ball/checkpoint.pt", b"weights")
    written.save("Ball.onnx", b"model")
    status = {
        "Ball": {
            "checkpoints": [{"steps": step, "file_path": f"Ball-{step}.onnx", "reward": reward}],
            "final_checkpoint": {"steps": step, "file_path": "Ball.onnx", "reward": reward},
        },
        "metadata": {"stats_format_version": "0.3.0"},
    }
    written.save("run_logs/training_status.json", json.dumps(status).encode())


def close(written: OnDisk, record: ExitRecord, **options: Any) -> TrainingSession:
    assert closing.close(written.ingester(), record, **options)
    return TrainingSession.objects.get(pk=written.session.pk)


@pytest.mark.parametrize(
    ("lines", "saved_at", "record", "same_boot", "state", "explanation"),
    [
        pytest.param(
            [summary(2000)], 2010, exit_record(), True,
            "completed", "Every behavior reached its max_steps. Ball.onnx was saved at step 2,010.",
            id="completed",
        ),
        pytest.param(
            [summary(2000)], 2010, exit_record(stop_requested=True), True,
            "completed", "Every behavior reached its max_steps. Ball.onnx was saved at step 2,010.",
            id="completed a moment before the stop",
        ),
        pytest.param(
            [summary(1000), INTERRUPTED], 1034, exit_record(stop_requested=True), True,
            "stopped", "Stopped as asked; Ball.onnx was saved at step 1,034.",
            id="stopped with a receipt",
        ),
        pytest.param(
            [summary(500)], None, exit_record(130, stop_requested=True), True,
            "stopped", "Stopped as asked; nothing new was saved.",
            id="stopped unsaved",
        ),
        pytest.param(
            [], None, exit_record(75, stop_requested=True), True,
            "stopped", "Stopped as asked, before training began; nothing new was saved.",
            id="stopped before it trained",
        ),
        pytest.param(
            [summary(1500)], None, exit_record(-9, killed=True), True,
            "stopped", "Ended at once, by force. Nothing new was saved.",
            id="killed",
        ),
        pytest.param(
            [summary(500), *TRACEBACK], None, exit_record(1), True,
            "failed",
            "The trainer ended with exit code 1: UnityTimeOutException: The Unity environment took too long to respond."
            f" {FIXES['timeout']}",
            id="failed with the trainer's words",
        ),
        pytest.param(
            ["mlagents-learn: error: unrecognized arguments: --x"], None, exit_record(2), True,
            "failed", f"The trainer ended with exit code 2: unrecognized arguments: --x. {FIXES['cli_unrecognized']}",
            id="refused its command line",
        ),
        pytest.param(
            [summary(500)], None, exit_record(-11), True,
            "failed", "The trainer crashed by a segmentation fault. Nothing new was saved.",
            id="crashed",
        ),
        pytest.param(
            [summary(500)], 512, exit_record(0), True,
            "failed",
            "The environment closed the connection before max_steps was reached (Ball at 512 of 2,000)."
            " Ball.onnx was saved at step 512.",
            id="exit 0 too early",
        ),
        pytest.param(
            ["[INFO] loading"], None, exit_record(0), True,
            "failed", "The trainer ended before it trained a step. Nothing new was saved.",
            id="exit 0 before the first step",
        ),
        pytest.param(
            [summary(500)], None, exit_record(None, inferred=True), True,
            "lost", "The trainer ended without leaving an exit code. Resume it from its last checkpoint.",
            id="lost",
        ),
        pytest.param(
            [summary(500)], 500, exit_record(None, inferred=True), False,
            "lost", "The machine was restarted while it trained. Resume it from its last checkpoint.",
            id="lost in a restart of the machine",
        ),
        pytest.param(
            [], None, exit_record(None, inferred=True), True,
            "failed", "The trainer could not be started; nothing of it was ever seen.",
            id="never seen",
        ),
    ],
)  # fmt: skip
def test_each_ending_has_its_state_and_its_sentence(
    written: OnDisk,
    lines: list[str],
    saved_at: int | None,
    record: ExitRecord,
    same_boot: bool,
    state: str,
    explanation: str,
) -> None:
    written.say(*lines)
    if saved_at is not None:
        save_final(written, saved_at)
    session = close(written, record, same_boot=same_boot)
    assert (session.state, session.explanation) == (state, explanation)
    assert written.attempt.state == state
    assert written.attempt.failure == (explanation if state in {"failed", "lost"} else "")


def test_a_stop_for_lack_of_room_says_so_at_the_end(written: OnDisk) -> None:
    assert reserve.stop_for_room(written.attempt, written.results, 5)
    save_final(written, 1500)
    session = close(written, exit_record(stop_requested=True))
    assert session.state == "stopped"
    assert session.explanation == "Stopped because its disk was nearly full; Ball.onnx was saved at step 1,500."


def test_a_stop_that_a_user_asked_for_before_stays_the_users(written: OnDisk) -> None:
    stopping.request_stop(written.session, by="ada")
    assert not reserve.stop_for_room(written.attempt, written.results, 5)
    session = close(written, exit_record(stop_requested=True))
    assert session.explanation == "Stopped as asked; nothing new was saved."


def test_the_exit_record_is_kept_with_the_attempt(written: OnDisk) -> None:
    session = close(written, exit_record(3))
    attempt = written.attempt
    assert (attempt.exit_code, attempt.console_size, attempt.console_crc32) == (3, 7, 8)
    ended_at = datetime.fromtimestamp(ENDED_AT, tz=timezone.utc)
    assert (attempt.ended_at, session.ended_at) == (ended_at, ended_at)


def test_what_was_written_last_is_stored_before_the_end(written: OnDisk) -> None:
    reader = written.ingester()
    written.say(summary(500))
    reader.drain()
    written.say(summary(1000, seconds=2.0, reward="7.000"))
    written.append_events(record_of("Environment/Cumulative Reward", 1000, 7.0))
    closing.close(reader, exit_record(1))
    ball = written.session.behaviors.get()
    assert (ball.step, ball.mean_reward) == (1000, 7.0)
    assert SeriesChunk.objects.get(series__attempt=written.pk).count == 1
    assert written.attempt.console_offset == written.directory.console.stat().st_size


def test_the_last_step_is_that_of_the_final_checkpoint(written: OnDisk) -> None:
    written.say(summary(2000))
    save_final(written, 2034)
    close(written, exit_record())
    assert written.session.behaviors.get().step == 2034


# Once, and together


def test_an_attempt_ends_once(written: OnDisk) -> None:
    late = written.ingester()
    close(written, exit_record(0, stop_requested=True))
    before = TrainingSession.objects.get(pk=written.session.pk)
    events = SessionEvent.objects.count()
    assert not closing.close(late, exit_record(1))
    assert not closing.close(written.ingester(), exit_record(1))
    after = TrainingSession.objects.get(pk=written.session.pk)
    assert (after.state, after.explanation, after.version) == ("stopped", before.explanation, before.version)
    assert (written.attempt.exit_code, SessionEvent.objects.count()) == (0, events)
    assert followed == [written.session.pk]


def test_ports_are_given_back_and_only_its_own(ada: User) -> None:
    written, other = running(ada), running(ada)
    for port, attempt in ((5005, written.attempt), (5006, written.attempt), (5007, other.attempt)):
        PortLease.objects.create(machine=make_machine(), port=port, attempt=attempt)
    close(written, exit_record(1))
    assert list(PortLease.objects.values_list("port", flat=True)) == [5007]


def test_without_what_follows_there_is_no_end(
    written: OnDisk, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("the queue is gone")

    PortLease.objects.create(machine=make_machine(), port=5005, attempt=written.attempt)
    with monkeypatch.context() as broken:
        broken.setattr(ending, "announce_end", refuse)
        with pytest.raises(RuntimeError):
            closing.close(written.ingester(), exit_record(1))
    assert (written.attempt.state, PortLease.objects.count(), followed) == ("running", 1, [])
    assert close(written, exit_record(1)).state == "failed"
    assert (PortLease.objects.count(), followed) == (0, [written.session.pk])


def test_every_task_that_is_named_follows(written: OnDisk, settings: Settings) -> None:
    settings.MENTOR_AFTER_SESSION = [f"{__name__}.follow"] * 2
    close(written, exit_record(1))
    assert followed == [written.session.pk] * 2


def test_an_end_that_came_before_the_start_was_seen_takes_both_steps(ada: User) -> None:
    written = running(ada, State.LAUNCHING)
    written.say("[INFO] loading")
    assert close(written, exit_record(1)).state == "failed"
    events = SessionEvent.objects.filter(session=written.session).values_list("from_state", "to_state")
    assert list(events)[-2:] == [("launching", "starting"), ("starting", "failed")]


@pytest.mark.parametrize("state", [State.STARTING, State.WAITING_FOR_EDITOR, State.RUNNING, State.STOPPING])
def test_every_active_state_can_end(ada: User, state: State) -> None:
    assert close(running(ada, state), exit_record(1)).state == "failed"


# Files


def test_models_and_checkpoints_are_listed_with_step_reward_and_digest(written: OnDisk) -> None:
    written.say(summary(1000))
    save_final(written, 1034)
    written.save("Ball/events.out.tfevents.1", b"")
    written.save("configuration.yaml", b"")
    close(written, exit_record(0, stop_requested=True))
    listed = {one.path: (one.behavior, one.kind, one.step, one.reward, one.final, one.sha256)
              for one in Artifact.objects.filter(session=written.session)}  # fmt: skip
    model, checkpoint, weights = (hashlib.sha256(text).hexdigest() for text in (b"model", b"checkpoint", b"weights"))
    assert listed == {
        "Ball.onnx": ("Ball", "onnx", 1034, 1.75, True, model),
        "Ball/Ball-1034.onnx": ("Ball", "onnx", 1034, 1.75, False, checkpoint),
        "Ball/Ball-1034.pt": ("Ball", "pt", 1034, 1.75, False, weights),
        "Ball/checkpoint.pt": ("Ball", "pt", None, None, False, weights),
    }


def test_the_receipt_names_the_models_of_this_attempt(written: OnDisk) -> None:
    old = written.save("Ball/Ball-500.onnx")
    an_hour_ago = now.now().timestamp() - 3600
    os.utime(old, (an_hour_ago, an_hour_ago))
    artifacts.store(written.attempt, written.results, hashed=False)
    save_final(written, 1034)
    close(written, exit_record(0, stop_requested=True))
    saved = {one["path"]: (one["step"], one["final"], one["size"], one["sha256"]) for one in written.attempt.saved}
    digest = hashlib.sha256(b"model").hexdigest()
    assert set(saved) == {"Ball.onnx", "Ball/Ball-1034.onnx", "Ball/checkpoint.pt"}
    assert saved["Ball.onnx"] == (1034, True, 5, digest)
    assert Artifact.objects.get(path="Ball/Ball-500.onnx").sha256 != ""


@pytest.mark.parametrize(
    ("kill_asked", "words"),
    [
        (True, "Ended at once, by force, while it was stopping. Nothing new was saved."),
        (False, "It had not stopped within 2.5 s, and was ended by force. Nothing new was saved."),
    ],
)
def test_a_kill_while_stopping_and_the_end_of_the_grace_time_are_told_apart(
    written: OnDisk, kill_asked: bool, words: str
) -> None:
    written.directory.request_stop("ada", 2.5)
    if kill_asked:
        written.directory.request_kill("ada")
    session = close(written, exit_record(-9, stop_requested=True, killed=True))
    assert (session.state, session.explanation) == ("stopped", words)


def test_the_receipt_says_of_each_file_whether_it_can_be_read(written: OnDisk, ada: User) -> None:
    Attempt.objects.filter(pk=written.pk).update(
        stop_asked_at=datetime.fromtimestamp(ENDED_AT - 12, tz=timezone.utc), stop_asked_by="ada"
    )
    save_final(written, 1034)
    written.save("Ball/checkpoint.pt", torch_like())
    written.save("Ball.onnx", b"\x3a\x02ok\x42\x00")
    written.save("Wall/checkpoint.pt", blank())
    close(written, exit_record(0, stop_requested=True))
    receipt = session_detail(session_named(written.session.run_id, ada)).receipt
    assert receipt is not None
    assert {one.path: one.condition for one in receipt.files} == {
        "Ball.onnx": "whole", "Ball/Ball-1034.onnx": "broken", "Ball/checkpoint.pt": "whole"}  # fmt: skip
    assert (receipt.step, receipt.reward, receipt.whole) == (1034, 1.75, False)
    assert (receipt.asked_by, receipt.seconds) == ("ada", 12.0)


def test_an_attempt_that_saved_nothing_has_a_receipt_that_says_so(written: OnDisk, ada: User) -> None:
    close(written, exit_record(1))
    receipt = session_detail(session_named(written.session.run_id, ada)).receipt
    assert receipt is not None
    assert (receipt.files, receipt.whole, receipt.step, receipt.seconds) == ([], None, None, None)


def test_a_receipt_of_an_earlier_mentor_is_still_read(written: OnDisk, ada: User) -> None:
    close(written, exit_record(1))
    old = {"id": 1, "path": "Ball.onnx", "behavior": "Ball", "step": 5, "size": 5, "sha256": "", "final": True}
    Attempt.objects.filter(pk=written.pk).update(saved=[old])
    receipt = session_detail(session_named(written.session.run_id, ada)).receipt
    assert receipt is not None
    assert (receipt.whole, receipt.files[0].kind, receipt.files[0].condition) == (True, "onnx", "")


@pytest.mark.parametrize(
    "status", [b"", b"[]", b"{", b'{"Ball": 3}', b'{"Ball": {"final_checkpoint": {"steps": "9"}}}', b"[" * 100_000]
)
def test_a_status_that_cannot_be_understood_costs_only_what_it_would_have_said(written: OnDisk, status: bytes) -> None:
    written.say(summary(1000))
    written.save("Ball.onnx")
    written.save("run_logs/training_status.json", status)
    session = close(written, exit_record(0, stop_requested=True))
    assert session.explanation == "Stopped as asked; Ball.onnx was saved."
    assert (Artifact.objects.get().step, written.session.behaviors.get().step) == (None, 1000)


def test_a_reward_that_is_no_number_is_unknown(written: OnDisk) -> None:
    save_final(written, 1034, reward=float("nan"))
    close(written, exit_record(0, stop_requested=True))
    assert set(Artifact.objects.values_list("reward", flat=True)) == {None}


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_links_are_not_files_of_the_session(written: OnDisk) -> None:
    secret = written.save("Ball/Ball-1.onnx")
    (written.results / "Ball.onnx").symlink_to(secret)
    (written.results / "Other").symlink_to(secret.parent)
    close(written, exit_record(0, stop_requested=True))
    assert list(Artifact.objects.values_list("path", flat=True)) == ["Ball/Ball-1.onnx"]


def test_a_file_that_is_gone_is_remembered_as_gone_until_it_is_back(written: OnDisk) -> None:
    path = written.save("Ball/Ball-500.onnx")
    aside = path.with_suffix(".aside")

    def present() -> bool:
        artifacts.store(written.attempt, written.results, hashed=True)
        return Artifact.objects.get().present

    assert present()
    path.rename(aside)
    assert not present()
    aside.rename(path)
    assert present()


def test_a_file_that_was_written_again_gets_a_new_digest(written: OnDisk) -> None:
    written.save("Ball.onnx", b"one")
    artifacts.store(written.attempt, written.results, hashed=True)
    written.save("Ball.onnx", b"three")
    close(written, exit_record(0, stop_requested=True))
    assert Artifact.objects.get().sha256 == hashlib.sha256(b"three").hexdigest()


# The console is what it was


def recorded(written: OnDisk, code: int = 0, **changes: Any) -> ExitRecord:
    """The record of a shim that saw the console as it is now."""
    content = written.directory.console.read_bytes()
    return exit_record(code, log_size=len(content), log_crc32=zlib.crc32(content), **changes)


def understood(written: OnDisk) -> tuple[Any, ...]:
    """Everything that is stored of what a console said."""
    ball = written.session.behaviors.get()
    events = list(SessionEvent.objects.filter(session=written.session).values_list("from_state", "to_state"))
    attempt = written.attempt
    return ball.step, ball.mean_reward, ball.elapsed_seconds, attempt.interrupted, events


def test_a_console_that_is_whole_raises_no_alarm(written: OnDisk) -> None:
    written.say("[INFO] loading", summary(500))
    written.write(b"a last line without an end")
    close(written, recorded(written))
    attempt = written.attempt
    assert attempt.alarm == ""
    assert attempt.console_offset == attempt.console_size == written.directory.console.stat().st_size


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda path: path.write_bytes(b""), "it had 300 bytes then and has 0 now."),
        (lambda path: path.write_bytes(path.read_bytes() + b"more\n"), "it had 300 bytes then and has 305 now."),
        (lambda path: path.write_bytes(b"x" * 300), "it had 300 bytes then and has 300 now of other content."),
        (lambda path: path.unlink(), "it had 300 bytes then and has 0 now."),
    ],
)
def test_a_console_that_changed_after_the_end_is_an_alarm_and_costs_nothing(
    written: OnDisk, change: Any, sentence: str
) -> None:
    written.say(summary(500))
    written.write(b"." * (299 - written.directory.console.stat().st_size) + b"\n")
    record = recorded(written, 1)
    written.ingester().drain()
    change(written.directory.console)
    session = close(written, record)
    assert sentence in written.attempt.alarm
    assert (session.state, session.behaviors.get().step) == ("failed", 500)


@pytest.mark.parametrize("seen", [0, 1, 3])
def test_a_console_that_was_misread_is_read_again_and_everything_is_right_and_single(ada: User, seen: int) -> None:
    """The console was emptied while it grew, and had grown beyond the position before anybody looked."""
    lines = [LISTENING, CONNECTED, summary(500), summary(1000, reward="2.500"), INTERRUPTED]
    misread, right = running(ada, State.STARTING), running(ada, State.STARTING)
    misread.say(*["?" * 40] * seen)
    misread.ingester().drain()
    misread.directory.console.write_bytes(b"")
    for each in (misread, right):
        each.say(*lines)
        close(each, recorded(each, 0, stop_requested=True))
        each.session.refresh_from_db()
    assert understood(misread) == understood(right)
    assert misread.attempt.console_offset == misread.attempt.console_size


def test_a_position_that_lies_about_what_was_read_is_found_out(written: OnDisk) -> None:
    written.say(CONNECTED, summary(500), summary(1500))
    Attempt.objects.filter(pk=written.pk).update(console_offset=written.directory.console.stat().st_size)
    close(written, recorded(written, 1))
    assert written.session.behaviors.get().step == 1500
    assert written.attempt.alarm == ""
