"""The trash emptied: MENTOR's own files and rows go, a user's results stay unless he names them, kills cost nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from reports.models import Report
from sessions.domain.states import State
from sessions.errors import Conflict, NotAllowed
from sessions.models import Attempt, Removal, SeriesChunk, SessionEvent, TrainingSession
from sessions.runtime import removing
from sessions.runtime.locks import FileLock
from sessions.selectors.keeping import leaving
from sessions.selectors.sessions import visible_sessions
from sessions.services import chores, deletion, editing, upkeep
from sessions.services.deletion import Consent, empty_trash
from tests.factories import make_one_of_everything, make_session


@pytest.fixture(autouse=True)
def nothing_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's slices are taken by the tests."""
    monkeypatch.setattr(chores, "async_task", lambda task: None)


def in_trash(owner: User, run_id: str = "ball") -> TrainingSession:
    session = make_session(owner=owner, run_id=run_id, state=State.STOPPED)
    run = Path(session.attempts.get().results_dir).parent
    for name in ("attempts/1/console.log", f"results/{run_id}/Ball/checkpoint.pt"):
        file = run / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * 1000)
    editing.trash(session, by="ada")
    session.refresh_from_db()
    return session


def results_elsewhere(session: TrainingSession, folder: Path) -> Path:
    """Put the session's results into a folder of its user."""
    results = folder / session.run_id
    (results / "Ball").mkdir(parents=True)
    (results / "Ball" / "checkpoint.pt").write_bytes(b"x" * 500)
    Attempt.objects.filter(session=session).update(results_dir=str(folder))
    return results


def finish() -> None:
    for _ in range(50):
        if upkeep.work():
            return
    raise AssertionError("there is still something to do")


def test_what_is_deleted_is_seen_by_nobody_at_once_and_gone_soon(ada: User, home: Path) -> None:
    session = in_trash(ada)
    editing.trash(make_session(owner=ada, run_id="kept", state=State.STOPPED), by="ada")
    assert empty_trash(by=ada, run_ids=["ball"]) == ["ball"]
    assert [one.run_id for one in visible_sessions(ada)] == ["kept"]
    assert (home / "runs" / "ball").is_dir()
    finish()
    assert not (home / "runs" / "ball").exists()
    assert list((home / "removed").iterdir()) == []
    assert not TrainingSession.objects.filter(pk=session.pk).exists()
    removal = Removal.objects.get()
    assert (removal.run_id, removal.who, removal.folder, removal.folder_deleted) == ("ball", "ada", "", False)
    assert removal.freed_bytes >= 2000
    assert removal.ended_at is not None
    assert (home / "runs" / "kept").is_dir()


def test_everything_that_belongs_to_it_goes_along_reports_too(ada: User, home: Path) -> None:
    session = make_one_of_everything(ada)
    report = Report.objects.get()
    report.path.parent.mkdir(exist_ok=True)
    report.path.write_text("report", encoding="utf-8")
    TrainingSession.objects.update(state=State.STOPPED.value, trashed_at=timezone.now())
    empty_trash(by=ada, run_ids=["ball"])
    finish()
    assert not report.path.exists()
    for model in (TrainingSession, Attempt, SeriesChunk, SessionEvent, Report):
        assert not model.objects.exists(), model
    assert session.pk is not None


def test_a_users_results_stay_and_are_named(ada: User, home: Path, tmp_path: Path) -> None:
    results = results_elsewhere(in_trash(ada), tmp_path / "mine")
    empty_trash(by=ada, run_ids=["ball"])
    finish()
    assert (results / "Ball" / "checkpoint.pt").is_file()
    removal = Removal.objects.get()
    assert (removal.folder, removal.folder_deleted) == (str(results.resolve()), False)


def test_a_users_results_go_with_a_consent_that_names_them(ada: User, home: Path, tmp_path: Path) -> None:
    session = in_trash(ada)
    results = results_elsewhere(session, tmp_path / "mine")
    (tmp_path / "mine" / "another").mkdir()
    shown = leaving(session)
    assert (shown.folder, shown.folder_bytes) == (str(results.resolve()), 500)
    empty_trash(by=ada, run_ids=["ball"], folders={"ball": Consent(shown.folder, shown.folder_bytes)})
    finish()
    assert [one.name for one in (tmp_path / "mine").iterdir()] == ["another"]
    assert Removal.objects.get().folder_deleted


@pytest.mark.parametrize("wrong", ["another folder", "grown", "shared", "home"])
def test_a_consent_that_does_not_fit_deletes_nothing(ada: User, home: Path, tmp_path: Path, wrong: str) -> None:
    session = in_trash(ada)
    results = results_elsewhere(session, tmp_path / "mine")
    consent = Consent(str(results.resolve()), 500)
    if wrong == "another folder":
        consent = Consent(str(tmp_path), 10**9)
    elif wrong == "grown":
        (results / "new.pt").write_bytes(b"x")
    elif wrong == "shared":
        other = make_session(owner=ada, run_id="other", state=State.STOPPED)
        TrainingSession.objects.filter(pk=other.pk).update(origin="imported")
        other.attempts.update(results_dir=str(results / "Ball"))
    else:
        TrainingSession.objects.filter(pk=session.pk).update(origin="imported")
        session.attempts.update(results_dir=str(home.parent))
        consent = Consent(str(home.parent.resolve()), 10**12)
    with pytest.raises(Conflict):
        empty_trash(by=ada, run_ids=["ball"], folders={"ball": consent})
    finish()
    assert TrainingSession.objects.filter(run_id="ball", trashed_at__isnull=False, chore="").exists()
    assert (results / "Ball" / "checkpoint.pt").is_file()


def test_an_imported_folder_stays(ada: User, home: Path, tmp_path: Path) -> None:
    session = in_trash(ada)
    folder = tmp_path / "old" / "run7"
    folder.mkdir(parents=True)
    (folder / "events").write_bytes(b"x")
    TrainingSession.objects.filter(pk=session.pk).update(origin="imported")
    session.attempts.update(results_dir=str(folder))
    empty_trash(by=ada, run_ids=["ball"])
    finish()
    assert (folder / "events").is_file()


def test_it_goes_on_after_a_kill_at_any_step(ada: User, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_trash(ada)
    empty_trash(by=ada, run_ids=["ball"])
    steps = ["_files_are_gone", "_remove", "_rows_are_gone"]
    for step in steps:
        real = getattr(deletion, step)

        def killed(*arguments: object, real: object = real) -> bool:
            assert callable(real)
            real(*arguments)
            raise KeyboardInterrupt

        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(deletion, step, killed)
            upkeep.work()
    finish()
    assert not TrainingSession.objects.exists()
    assert not (home / "runs" / "ball").exists()


def test_slices_end_when_their_time_is_over_and_go_on(ada: User, home: Path) -> None:
    in_trash(ada)
    empty_trash(by=ada, run_ids=["ball"])
    assert not upkeep.work(seconds=-1.0)
    assert TrainingSession.objects.exists()
    finish()
    assert not TrainingSession.objects.exists()


def test_what_turns_out_to_live_is_left_for_later(ada: User, home: Path) -> None:
    in_trash(ada)
    lock = FileLock(home / "runs" / "ball" / "attempts" / "1" / "train.lock")
    assert lock.acquire()
    empty_trash(by=ada, run_ids=["ball"])
    upkeep.work()
    lock.release()
    assert TrainingSession.objects.exists()
    TrainingSession.objects.update(chore_after=None)
    finish()
    assert not TrainingSession.objects.exists()


def test_a_file_that_cannot_be_deleted_costs_only_itself(
    ada: User, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ball", "wall"):
        in_trash(ada, name)
    empty_trash(by=ada, run_ids=["ball", "wall"])
    real = removing.remove_tree

    def refused(path: Path, *, deadline: float) -> object:
        if path.name.endswith("-ball"):
            raise PermissionError("in use")
        return real(path, deadline=deadline)

    with monkeypatch.context() as patched:
        patched.setattr(deletion, "remove_tree", refused)
        finish()
    left = TrainingSession.objects.get()
    assert (left.run_id, left.chore_after is not None) == ("ball", True)
    assert "in use" in SessionEvent.objects.latest("pk").why
    TrainingSession.objects.update(chore_after=None)
    finish()
    assert not TrainingSession.objects.exists()


def test_only_who_may_delete_empties_the_trash_and_only_what_is_in_it(ada: User, cyd: User, home: Path) -> None:
    in_trash(cyd)
    make_session(owner=ada, run_id="kept", state=State.STOPPED)
    with pytest.raises(NotAllowed):
        empty_trash(by=cyd)
    assert empty_trash(by=ada, run_ids=["kept"]) == []
    assert empty_trash(by=ada) == ["ball"]
    assert empty_trash(by=ada) == [], "it is on its way already"


def test_what_is_being_deleted_does_not_come_back(ada: User, home: Path) -> None:
    session = in_trash(ada)
    empty_trash(by=ada)
    editing.restore(session, by="ada")
    assert TrainingSession.objects.get().trashed_at is not None


def test_remains_of_a_run_whose_rows_are_gone_are_swept(ada: User, home: Path, settings: Settings) -> None:
    left = home / "removed" / "4711-gone"
    left.mkdir(parents=True)
    (left / "console.log").write_bytes(b"x")
    upkeep.work()
    assert not left.exists()
