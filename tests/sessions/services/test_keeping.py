"""What ML-Agents removes is saved first, if it is among the best."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from sessions.domain.states import State
from sessions.models import Artifact, Attempt, TrainingSession
from sessions.runtime import copying
from sessions.selectors.files import artifact_file, kept_bytes
from sessions.services import artifacts, checkpoints, keeping, points, rules
from sessions.services.keeping import Keeper
from tests.factories import make_request, make_session
from tests.sessions.attempts import OnDisk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """The tasks that were enqueued."""
    tasks: list[tuple[object, ...]] = []
    for module in (checkpoints, rules):
        monkeypatch.setattr(module, "async_task", lambda *told: tasks.append(told))
    return tasks


class Training(OnDisk):
    """A trainer that keeps two checkpoints, as ML-Agents would; MENTOR looks after each that it saves."""

    saved: list[int]

    def __init__(self, session: TrainingSession) -> None:
        super().__init__(session)
        self.saved = []
        self.keeper = Keeper(session)

    def reach(self, step: int, reward: float, *, live: bool = True, keep: int = 2) -> None:
        """Reach a step with this reward in five summaries, save there, and remove the oldest beyond `keep`."""
        from sessions.metrics.events import Point

        tag = "Environment/Cumulative Reward"
        rewards = [Point(tag, step - 4 + number, 1e9 + step + number, reward) for number in range(5)]
        points.append(self.attempt, "Ball", rewards)
        self.save(f"Ball/Ball-{step}.pt", f"weights of {step}".encode())
        self.save("Ball/checkpoint.pt", f"weights of {step}".encode())
        self.save(f"Ball/Ball-{step}.onnx", f"model of {step}".encode())
        self.saved.append(step)
        for old in self.saved[:-keep]:
            (self.results / f"Ball/Ball-{old}.pt").unlink(missing_ok=True)
            (self.results / f"Ball/Ball-{old}.onnx").unlink(missing_ok=True)
        self.look(live=live)

    def look(self, *, live: bool = True) -> None:
        artifacts.store(self.attempt, self.results, hashed=False)
        self.keeper.session.refresh_from_db()
        assert self.keeper.keep(live=live)

    @property
    def kept(self) -> Path:
        return self.directory.path.parent.parent / "kept"

    def kept_steps(self) -> set[int]:
        return {int(path.stem.rpartition("-")[2]) for path in self.kept.rglob("*.pt")}


@pytest.fixture
def session(ada: User) -> TrainingSession:
    return make_session(owner=ada, run_id="ball", state=State.RUNNING, rules={"keep_best": 2})


@pytest.fixture
def training(session: TrainingSession) -> Training:
    return Training(session)


def test_the_best_outlive_what_ml_agents_removes(training: Training) -> None:
    for step, reward in ((100, 1.0), (200, 9.0), (300, 8.0), (400, 2.0), (500, 3.0), (600, 1.0)):
        training.reach(step, reward)
    assert training.kept_steps() == {200, 300, 600}  # and the newest, as long as it trains
    training.look(live=False)
    assert training.kept_steps() == {200, 300}
    listed = Artifact.objects.filter(kept=True, present=True).order_by("step", "kind")
    assert [(one.step, one.kind, one.smoothed) for one in listed] == [
        (200, "onnx", 9.0), (200, "pt", 9.0), (300, "onnx", 8.0), (300, "pt", 8.0)
    ]  # fmt: skip
    assert artifact_file(training.session, listed[1].pk).read_bytes() == b"weights of 200"


def test_the_smallest_may_be_the_best(training: Training, session: TrainingSession, asked: list[object]) -> None:
    rules.change(session, {"keep_best": 1, "keep_mode": "min"}, by="ada")
    for step, reward in ((100, 5.0), (200, 1.0), (300, 8.0), (400, 9.0)):
        training.reach(step, reward)
    training.look(live=False)
    assert training.kept_steps() == {200}


def test_without_a_rule_the_option_says_how_many(ada: User, settings: Settings) -> None:
    settings.MENTOR = {**settings.MENTOR, "MENTOR_KEEP_BEST": 0}
    training = Training(make_session(owner=ada, run_id="other", state=State.RUNNING))
    training.reach(100, 5.0)
    assert training.kept_steps() == set()
    settings.MENTOR = {**settings.MENTOR, "MENTOR_KEEP_BEST": 1}
    training.look()
    assert training.kept_steps() == {100}


def test_a_kept_file_takes_room_only_when_ml_agents_has_removed_its_own(training: Training) -> None:
    training.reach(100, 9.0)
    assert kept_bytes(training.session) == 0
    training.reach(200, 1.0)
    training.reach(300, 1.0)
    assert kept_bytes(training.session) == len(b"weights of 100") + len(b"model of 100")


def test_where_there_are_no_links_files_are_copied_in_slices(
    training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "link", lambda source, target: False)
    monkeypatch.setattr(copying, "SLICE_BYTES", 4)
    training.save("Ball/Ball-100.pt", b"weights of 100")
    artifacts.store(training.attempt, training.results, hashed=False)
    keeper = Keeper(training.session)
    assert not keeper.keep(live=True, seconds=0.0)
    (training.results / "Ball/Ball-100.pt").unlink()  # removed while it is copied
    rounds = 0
    while not keeper.keep(live=True, seconds=0.0):
        rounds += 1
        assert not training.kept_steps()
    assert rounds >= 2
    path = training.kept / "Ball/attempt-1/Ball-100.pt"
    assert path.read_bytes() == b"weights of 100"
    assert [one.name for one in path.parent.iterdir()] == ["Ball-100.pt"]


def test_a_full_disk_takes_no_copies_and_says_so(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "link", lambda source, target: False)
    monkeypatch.setattr(keeping, "free_bytes", lambda folder: 10)
    training.save("Ball/Ball-100.pt")
    artifacts.store(training.attempt, training.results, hashed=False)
    with pytest.raises(OSError, match="nearly full"):
        training.keeper.keep(live=True)
    assert not list(training.kept.rglob("*.p*"))


def test_what_was_kept_and_not_stored_is_found_again(training: Training) -> None:
    """As after a kill between the two, or without the database."""
    for step, reward in ((100, 9.0), (200, 1.0), (300, 1.0), (400, 2.0)):
        training.reach(step, reward)
    before = set(Artifact.objects.filter(kept=True).values_list("path", "smoothed"))
    Artifact.objects.filter(kept=True).delete()
    (training.kept / "Ball/attempt-1/.Ball-7.pt.1.ab.part").write_bytes(b"half")
    training.look()
    assert set(Artifact.objects.filter(kept=True).values_list("path", "smoothed")) == before


def test_a_draft_that_a_kill_left_is_removed_in_time(training: Training) -> None:
    training.reach(100, 9.0)
    draft = training.kept / "Ball/attempt-1/.Ball-7.pt.1.ab.part"
    draft.write_bytes(b"half")
    training.look()
    assert draft.exists()  # somebody may be at it
    os.utime(draft, (1, 1))
    training.look()
    assert not draft.exists()


def test_a_released_checkpoint_is_kept_whatever_it_scores(
    training: Training, ada: User, asked: list[tuple[object, ...]]
) -> None:
    training.reach(100, -5.0)
    first = Artifact.objects.get(path="Ball/Ball-100.pt")
    checkpoints.release(training.session, first, by=ada, note="shown at the fair")
    assert asked == [(keeping.KEEP_TASK, training.session.pk)]
    for step in (200, 300, 400, 500):
        training.reach(step, step)
    training.look(live=False)
    assert training.kept_steps() == {100, 400, 500}
    kept = Artifact.objects.get(kept=True, step=100, kind="pt")
    assert (kept.released_by, kept.released_note) == ("ada", "shown at the fair")
    Artifact.objects.filter(kept=True).delete()  # the release outlives the database
    training.look(live=False)
    assert Artifact.objects.get(kept=True, step=100, kind="pt").released_by == "ada"
    checkpoints.take_back(training.session, kept, by=ada)
    training.look(live=False)
    assert training.kept_steps() == {400, 500}


def test_a_kept_file_stays_what_it_is_when_a_later_attempt_saves_the_same_step(training: Training) -> None:
    training.reach(100, 9.0)
    first = training.kept / "Ball/attempt-1/Ball-100.pt"
    from sessions.services.repair import _part_from_kept

    _part_from_kept(training.results)
    assert first.stat().st_mtime_ns == (training.results / "Ball/Ball-100.pt").stat().st_mtime_ns
    with (training.results / "Ball/Ball-100.pt").open("r+b") as file:  # as torch saves: into what is there
        file.write(b"others")
    assert first.read_bytes() == b"weights of 100"


def test_checkpoints_of_two_attempts_at_one_step_are_two(ada: User, training: Training) -> None:
    from sessions.services.starting import start_session

    training.reach(100, 9.0)
    TrainingSession.objects.update(state="stopped")
    Attempt.objects.update(state="stopped")
    start_session(make_request(run_id="ball", force=True, rules={"keep_best": 2}), by=ada)
    training.results.rename(training.results.with_name("ball.before-attempt-2"))
    again = Training(TrainingSession.objects.get())
    again.reach(100, 3.0)
    again.look(live=False)
    assert sorted(path.relative_to(again.kept).as_posix() for path in again.kept.rglob("*.pt")) == [
        "Ball/attempt-1/Ball-100.pt", "Ball/attempt-2/Ball-100.pt"
    ]  # fmt: skip
    scores = Artifact.objects.filter(kept=True, kind="pt").order_by("path").values_list("smoothed", flat=True)
    assert list(scores) == [9.0, 3.0]  # what came before the second attempt is of other networks
