"""A checkpoint is evaluated by sessions of its own: queued, counted once, and removed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from django.contrib.auth.models import User
from pytest_django import Settings

from sessions.domain.evaluation import Rewards
from sessions.domain.states import State
from sessions.errors import Conflict, InvalidInput, MentorError, Missing, NotAllowed
from sessions.metrics.events import Point
from sessions.models import Artifact, Evaluation, EvaluationRun, TrainingSession
from sessions.runtime.rundir import RunDirectory
from sessions.selectors.evaluations import evaluation_shape, evaluations_of_checkpoint, orphans
from sessions.selectors.files import results_of
from sessions.services import artifacts, counting, evaluations, launching, points, transitions
from sessions.services.ending import end
from sessions.supervisor.evaluating import EvaluationWatch
from sessions.trainers.practice.events import EventFile
from sessions.trainers.practice.results import encode_state
from tests.factories import make_machine, make_session
from tests.sessions.attempts import OnDisk
from tests.sessions.services.queueing import Launches, granted

pytestmark = pytest.mark.usefixtures("launches")
CONFIG = b"""\
default_settings: {trainer_type: ppo}
behaviors:
  Ball: {max_steps: 2000}
environment_parameters:
  wall:
    curriculum:
      - {name: low, value: 1.0, completion_criteria: {behavior: Ball, threshold: 1.0}}
      - {name: high, value: 2.0}
"""
TEN = Rewards(10, 20.0, 50.0, 1.0, 3.0)
SEEN = {("Ball", "reward"): [TEN, TEN, TEN]}


@pytest.fixture
def session(ada: User, home: Path) -> TrainingSession:
    """A training of two behaviors that has ended, with their checkpoints."""
    session = make_session(owner=ada, run_id="ball", state=State.COMPLETED, config=CONFIG, seed=9, num_envs=1)
    written = OnDisk(session)
    for name in ("Ball/Ball-100", "Ball/Ball-200", "Other/Other-90", "Other/Other-210"):
        written.save(f"{name}.pt", encode_state({name.replace("/", "_"): np.ones(3)}))
        written.save(f"{name}.onnx")
    written.save("Ball/checkpoint.pt", encode_state({"newest": np.ones(3)}))
    attempt = written.attempt
    artifacts.store(attempt, written.results, hashed=True)
    lessons = [Point("Environment/Lesson Number/wall", step, 1e9, lesson) for step, lesson in ((50, 0.0), (150, 1.0))]
    lengths = [Point("Environment/Episode Length", 50, 1e9, 10.0)]
    points.append(attempt, "Ball", [*lessons, *lengths])
    return session


def file_of(session: TrainingSession, path: str) -> Artifact:
    return Artifact.objects.get(session=session, path=path)


def asked(session: TrainingSession, by: User, path: str = "Ball/Ball-100.pt", **changes: Any) -> Evaluation:
    chosen: dict[str, Any] = {"seeds": [1, 2], "episodes": 20, **changes}
    return evaluations.evaluate(session, file_of(session, path).pk, by=by, **chosen)


def put(run: EvaluationRun, state: State, explanation: str = "") -> EvaluationRun:
    TrainingSession.objects.filter(run_id=run.run_id).update(state=state.value, explanation=explanation)
    run.session.attempts.update(state=state.value)  # type: ignore[union-attr]
    return EvaluationRun.objects.select_related("evaluation", "session").get(pk=run.pk)


def look(run: EvaluationRun, state: State, seen: counting.Seen = SEEN, **told: Any) -> EvaluationRun:
    counting.look(put(run, state, "It ended."), seen, **{"untrained": False, **told})
    return EvaluationRun.objects.select_related("evaluation", "session").get(pk=run.pk)


def test_each_seed_is_a_session_that_acts_with_the_checkpoint_in_a_folder_of_its_own(
    session: TrainingSession, ada: User, settings: Settings, tmp_path: Path
) -> None:
    settings.MENTOR = {**settings.MENTOR, "MENTOR_RESULTS_DIR": tmp_path / "mine"}
    evaluation = asked(session, ada)
    runs = list(evaluation.runs.all())
    assert [(run.seed, run.run_id, run.state) for run in runs] == [
        (1, "ball-eval-1", "queued"),
        (2, "ball-eval-2", "queued"),
    ]
    for run in runs:
        acting = run.session
        assert acting is not None
        folder = RunDirectory(settings.MENTOR_HOME, run.run_id)
        attempt = acting.attempts.get()
        assert Path(attempt.results_dir) == folder.results
        assert {"--inference", f"--seed={run.seed}", f"--initialize-from={folder.start(1)}"} <= set(attempt.command)
        staged = (folder.start(1) / "Ball/checkpoint.pt").read_bytes()
        assert staged == (results_of(session) / "Ball/Ball-100.pt").read_bytes()  # type: ignore[operator]
        assert acting.rules == {"budget_minutes": 60.0}
    assert evaluation.sha256 == file_of(session, "Ball/Ball-100.pt").sha256


def test_the_others_act_with_what_they_saved_nearest_and_a_curriculum_stays_where_it_was(
    session: TrainingSession, ada: User
) -> None:
    evaluation = asked(session, ada, episodes=40)
    acting = evaluation.runs.all()[0].session
    assert acting is not None
    assert [one["source"] for one in acting.attempts.get().starts_from] == [
        "Ball at step 100 of ball",
        "Other at step 90 of ball",
    ]
    told = yaml.safe_load(bytes(acting.config_used))
    assert told["environment_parameters"] == {"wall": 1.0}
    assert told["behaviors"]["Other"]["summary_freq"] == told["behaviors"]["Ball"]["summary_freq"] == 20
    assert evaluation.lessons == {"wall": 0}
    assert asked(session, ada, "Ball/Ball-200.onnx").lessons == {"wall": 1}


def test_a_model_stands_for_the_state_beside_it(session: TrainingSession, ada: User) -> None:
    evaluation = asked(session, ada, "Ball/Ball-200.onnx")
    assert evaluation.artifact == file_of(session, "Ball/Ball-200.pt")
    listed = evaluations_of_checkpoint(session, file_of(session, "Ball/Ball-200.onnx").pk)
    assert [one.id for one in listed] == [evaluation.pk]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"seeds": []}, InvalidInput),
        ({"seeds": [1, 1]}, InvalidInput),
        ({"seeds": [-1]}, InvalidInput),
        ({"seeds": list(range(21))}, InvalidInput),
        ({"episodes": 0}, InvalidInput),
        ({"minutes": 0.0}, InvalidInput),
        ({"environment": 99}, InvalidInput),
        ({"path": "Ball/checkpoint.pt"}, Conflict),
    ],
)
def test_what_cannot_be_evaluated_is_refused_and_queues_nothing(
    session: TrainingSession, ada: User, changes: dict[str, Any], kind: type[MentorError]
) -> None:
    with pytest.raises(kind):
        asked(session, ada, **changes)
    assert TrainingSession.objects.count() == 1


def test_a_broken_a_changed_and_a_foreign_checkpoint_are_refused(
    session: TrainingSession, ada: User, ben: User
) -> None:
    with pytest.raises(NotAllowed):
        asked(session, ben)
    with pytest.raises(Missing):
        evaluations.evaluate(make_session(owner=ada), file_of(session, "Ball/Ball-100.pt").pk, by=ada)
    (results_of(session) / "Ball/Ball-100.pt").write_bytes(encode_state({"other": np.zeros(3)}))  # type: ignore[operator]
    with pytest.raises(InvalidInput, match="has changed"):
        asked(session, ada)
    (results_of(session) / "Ball/Ball-100.pt").write_bytes(b"PK")  # type: ignore[operator]
    with pytest.raises(InvalidInput, match="is broken"):
        asked(session, ada)


def test_a_checkpoint_that_changed_while_it_waited_fails_with_that_reason(
    session: TrainingSession, ada: User, spawned: list[Any]
) -> None:
    evaluation = asked(session, ada, seeds=[1])
    run = evaluation.runs.get()
    attempt = granted(run.session, make_machine())  # type: ignore[arg-type]
    staged = RunDirectory(results_of(session).parents[3], run.run_id).start(1)  # type: ignore[union-attr]
    shutil.copy(results_of(session) / "Ball/Ball-200.pt", replaced := staged / "Ball/new.pt")  # type: ignore[operator]
    replaced.replace(staged / "Ball/checkpoint.pt")
    launching.launch(launching.claim_launch(attempt.pk))
    assert spawned == []
    EvaluationWatch().tick(0.0)
    shape = evaluation_shape(evaluation.pk)
    assert shape.state == "failed"
    assert "is not what it was when it was chosen" in shape.reason


def test_enough_episodes_stop_the_trainer_and_then_count(session: TrainingSession, ada: User) -> None:
    first, second = asked(session, ada).runs.all()
    assert look(first, State.RUNNING, {("Ball", "reward"): [TEN]}).state == "running"
    assert first.session.wanted == "run"  # type: ignore[union-attr]
    running = look(first, State.RUNNING)
    assert (running.state, running.session.wanted) == ("running", "stop")  # type: ignore[union-attr]
    done = look(first, State.STOPPED)
    assert done.state == "done"
    assert done.result["Ball"]["reward"]["episodes"] == 20  # the third summary came too late to count
    assert Evaluation.objects.get().state == "running"
    look(second, State.STOPPED)
    shape = evaluation_shape(done.evaluation_id)
    assert shape.state == "done"
    assert shape.reward is not None
    assert (shape.reward.episodes, shape.reward.mean) == (40, 2.0)


def test_a_second_look_at_what_was_counted_changes_nothing(session: TrainingSession, ada: User) -> None:
    run = asked(session, ada, seeds=[1]).runs.get()
    stale = put(run, State.STOPPED)
    counting.look(stale, SEEN, untrained=False)
    before = Evaluation.objects.values().get()
    counting.look(stale, {("Ball", "reward"): [TEN, TEN, TEN, TEN]}, untrained=True)
    assert Evaluation.objects.values().get() == before


@pytest.mark.parametrize(
    ("seen", "told", "words"),
    [
        ({}, {}, "It ended. Only 0 of 20 episodes were played."),
        ({("Ball", "reward"): [TEN]}, {}, "Only 10 of 20 episodes"),
        (SEEN, {"untrained": True}, "untrained network"),
        ({("Ball", "reward"): [Rewards(20, float("nan"), 0.0, 0.0, 0.0)]}, {}, "no finite numbers"),
    ],
)
def test_an_end_that_says_nothing_of_the_checkpoint_fails_with_its_reason(
    session: TrainingSession, ada: User, seen: counting.Seen, told: dict[str, Any], words: str
) -> None:
    run = look(asked(session, ada, seeds=[1]).runs.get(), State.FAILED, seen, **told)
    assert run.state == "failed"
    assert words in run.reason
    assert Evaluation.objects.get().reason == f"Seed 1: {run.reason}"


def test_an_untrained_network_is_stopped_at_once(session: TrainingSession, ada: User) -> None:
    run = look(asked(session, ada, seeds=[1]).runs.get(), State.RUNNING, {}, untrained=True)
    assert run.session.wanted == "stop"  # type: ignore[union-attr]


def test_what_is_counted_is_removed_and_tried_again_until_it_is_gone(
    session: TrainingSession, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = asked(session, ada, seeds=[1]).runs.get()
    folder = RunDirectory(results_of(session).parents[3], run.run_id).path  # type: ignore[union-attr]
    assert not counting.clear(put(run, State.RUNNING))
    done = look(run, State.STOPPED)
    with monkeypatch.context() as stubborn:
        stubborn.setattr(shutil, "rmtree", lambda *_, **__: None)
        assert not counting.clear(done)
    assert done.session is not None
    assert folder.exists()
    EvaluationWatch().tick(0.0)
    assert not folder.exists()
    assert list(TrainingSession.objects.values_list("run_id", flat=True)) == ["ball"]
    assert evaluation_shape(done.evaluation_id).reward is not None
    assert results_of(session).is_dir()  # type: ignore[union-attr]
    with pytest.raises(Conflict):
        counting._remove(session)


def test_episodes_are_read_from_the_files_and_the_console_of_the_trainer(session: TrainingSession, ada: User) -> None:
    run = asked(session, ada, seeds=[1]).runs.get()
    put(run, State.RUNNING)
    written = OnDisk(run.session)  # type: ignore[arg-type]
    run.session.attempts.update(launched_at="2026-01-01T00:00:00Z")  # type: ignore[union-attr]
    file = EventFile(written.results / "Ball")
    file.histogram("Environment/Cumulative Reward_hist", [1.0] * 12, 100)
    file.flush()
    watch = EvaluationWatch()
    watch.tick(0.0)
    run.session.refresh_from_db()  # type: ignore[union-attr]
    assert run.session.wanted == "run"  # type: ignore[union-attr]
    file.histogram("Environment/Cumulative Reward_hist", [2.0] * 12, 200)
    file.close()
    watch.tick(5.0)
    run.session.refresh_from_db()  # type: ignore[union-attr]
    assert run.session.wanted == "stop"  # type: ignore[union-attr]
    put(run, State.STOPPED)
    EvaluationWatch().tick(0.0)  # one that remembers nothing
    shape = evaluation_shape(run.evaluation_id)
    assert shape.reward is not None
    assert (shape.reward.episodes, shape.reward.mean) == (24, 1.5)


def test_a_trainer_that_could_not_take_the_network_over_says_nothing(session: TrainingSession, ada: User) -> None:
    run = asked(session, ada, seeds=[1]).runs.get()
    put(run, State.STOPPED)
    written = OnDisk(run.session)  # type: ignore[arg-type]
    run.session.attempts.update(launched_at="2026-01-01T00:00:00Z")  # type: ignore[union-attr]
    written.say("[WARNING] Failed to load for module Policy. Initializing")
    EvaluationWatch().tick(0.0)
    assert "untrained" in Evaluation.objects.get().reason


def test_what_is_left_of_an_evaluation_that_was_deleted_is_ended_and_removed(
    session: TrainingSession, ada: User
) -> None:
    evaluation = asked(session, ada, seeds=[1])
    acting = evaluation.runs.get().session
    evaluation.delete()
    assert orphans() == [acting]
    watch = EvaluationWatch()
    watch.tick(0.0)
    watch.tick(70.0)
    assert TrainingSession.objects.get() == session


def test_nothing_follows_the_end_of_a_part_of_an_evaluation(
    session: TrainingSession, ada: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MENTOR_AFTER_SESSION = ["analysis.tasks.anything"]
    followed: list[int] = []
    monkeypatch.setattr(transitions, "async_task", lambda _, key: followed.append(key))
    run = asked(session, ada, seeds=[1]).runs.get()
    attempt = put(run, State.STOPPING).session.attempts.get()  # type: ignore[union-attr]
    assert end(attempt, State.STOPPED, why="Stopped.", expected=[State.STOPPING], fields={})
    assert followed == []


def test_the_run_id_of_a_part_was_never_used_before(session: TrainingSession, ada: User, launches: Launches) -> None:
    asked(session, ada, seeds=[1])
    make_session(owner=ada, run_id="Ball-Eval-2")
    assert evaluations.free_run_id("ball") == "ball-eval-3"
    assert evaluations.free_run_id("x" * 64) == "x" * 50 + "-eval-1"
