"""The memo beside a run: what only the database knows, written with every committed change."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from sessions.domain.states import State
from sessions.models import TrainingSession
from sessions.runtime.memo import SessionMemo, read_memo
from sessions.services import editing, memo, queue
from tests.factories import CONFIG, make_session


def read(home: Path, session: TrainingSession) -> SessionMemo:
    found = read_memo(home / "runs" / session.run_id / "session.json")
    assert found is not None
    return found


def test_a_start_leaves_a_memo_of_all_that_was_asked_for(
    home: Path, ada: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        session = make_session(owner=ada, name="Ball", notes="näher", tags=("a", "b"), priority=3, seed=7)
    kept = read(home, session)
    assert (kept.name, kept.notes, kept.tags, kept.priority) == ("Ball", "näher", ["a", "b"], 3)
    assert (kept.owner, kept.trainer["name"], kept.environment) == ("ada", "practice", {})
    assert (kept.options, kept.place) == ({"seed": 7}, session.place)
    assert memo.as_bytes(kept.config_given) == CONFIG
    attempt = session.attempts.get()
    assert [(one.number, one.cookie, one.command) for one in kept.attempts] == [(1, attempt.cookie, attempt.command)]


def test_edits_holds_and_the_trash_are_kept_as_well(
    home: Path, ada: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    session = make_session(owner=ada)
    with django_capture_on_commit_callbacks(execute=True):
        editing.edit(session, {"name": "Better", "tags": ["c"]}, by="ada")
        queue.hold(session, by="ada")
    kept = read(home, session)
    assert (kept.name, kept.tags, kept.held, kept.trashed_at) == ("Better", ["c"], True, None)
    ended = make_session(owner=ada, state=State.STOPPED)
    with django_capture_on_commit_callbacks(execute=True):
        editing.trash(ended, by="ada")
    assert read(home, ended).trashed_at is not None


def test_what_is_rolled_back_leaves_no_memo(
    home: Path, ada: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(RuntimeError), transaction.atomic():
        session = make_session(owner=ada)
        raise RuntimeError
    assert list((home / "runs" / session.run_id).iterdir()) == []


def test_a_disk_that_refuses_the_memo_does_not_undo_the_start(
    home: Path,
    ada: User,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    (home / "runs/ball/session.json").mkdir(parents=True)
    with caplog.at_level(logging.WARNING), django_capture_on_commit_callbacks(execute=True):
        session = make_session(owner=ada, run_id="ball")
    assert TrainingSession.objects.filter(pk=session.pk).exists()
    assert "only the database knows this session" in caplog.text


@pytest.mark.parametrize("data", [CONFIG, "näher".encode(), b"\xff\x00 no text \xe4", b""])
def test_bytes_of_a_configuration_survive_the_memo(data: bytes) -> None:
    assert memo.as_bytes(memo.as_text(data)) == data


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"run_id": "ball", "of_a_later_version": 1}', True),
        ('{"run_id": "ball", "attempts": [{"number": "one"}, 5, {"number": 2, "cookie": "c"}]}', True),
        ('{"run_id": 5}', False),
        ('{"name": "nobody"}', False),
        ("no json", False),
    ],
)
def test_a_memo_is_understood_as_far_as_it_says_what_a_memo_says(tmp_path: Path, text: str, said: bool) -> None:
    (tmp_path / "session.json").write_text(text)
    found = read_memo(tmp_path / "session.json")
    assert (found is not None) is said
    if found is not None and "attempts" in text:
        assert [one.number for one in found.attempts] == [2]
