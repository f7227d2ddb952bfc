"""The practice trainer as a process: what it prints, leaves behind and returns."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import yaml

from tests.sessions.trainers.conftest import DEMO, Trainer, small_config, summaries

Practice = Callable[..., Trainer]


@pytest.fixture
def trained(practice: Practice, tmp_path: Path) -> Trainer:
    trainer = practice(small_config(tmp_path), "--run-id=first", "--seed=1")
    assert trainer.ended() == 0, trainer.console
    return trainer


def test_its_first_line_says_what_it_is(trained: Trainer) -> None:
    assert "practice trainer" in trained.console.splitlines()[0]


def test_it_prints_what_mlagents_learn_prints(trained: Trainer) -> None:
    console = trained.console
    in_order = [
        " Version information:\n  ml-agents: 1.1.0,\n  ml-agents-envs: 1.1.0,\n  Communicator API: 1.5.0,\n  PyTorch: ",
        "[INFO] Connected to Unity environment with package version ",
        "[INFO] Connected new brain: Ball?team=0\n",
        "[INFO] Hyperparameters for behavior name Ball: \n\ttrainer_type:\tppo\n",
        "\thyperparameters:\t\n\t  batch_size:\t64\n",
        "[INFO] Ball. Step: 200. Time Elapsed: ",
        "[INFO] Exported results/first/Ball/Ball-492.onnx\n",
        "[INFO] Copied results/first/Ball/Ball-1008.onnx to results/first/Ball.onnx.\n",
    ]
    places = [console.find(text) for text in in_order]
    assert -1 not in places
    assert places == sorted(places)
    assert [step for step, _ in summaries(console)] == [200, 400, 600, 800, 1000]


def test_it_leaves_the_results_tree_of_mlagents(trained: Trainer) -> None:
    root = trained.folder / "results" / "first"
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    events = {name for name in found if "events.out.tfevents." in name}
    assert len(events) == 1
    assert found - events == {
        "Ball.onnx",
        "configuration.yaml",
        "run_logs/timers.json",
        "run_logs/training_status.json",
        "Ball/checkpoint.pt",
        *(f"Ball/Ball-{step}.{kind}" for step in (492, 996, 1008) for kind in ("pt", "onnx")),
    }


def test_its_status_lists_the_checkpoints(trained: Trainer) -> None:
    path = trained.folder / "results" / "first" / "run_logs" / "training_status.json"
    status = json.loads(path.read_text(encoding="utf-8"))
    assert [one["steps"] for one in status["Ball"]["checkpoints"]] == [492, 996, 1008]
    assert status["Ball"]["final_checkpoint"]["file_path"].endswith("Ball.onnx")
    assert status["metadata"]["stats_format_version"] == "0.3.0"


def test_its_configuration_has_every_default_filled_in(trained: Trainer) -> None:
    text = (trained.folder / "results" / "first" / "configuration.yaml").read_text(encoding="utf-8")
    settings = yaml.safe_load(text)
    assert settings["behaviors"]["Ball"]["hyperparameters"]["epsilon"] == 0.2
    assert settings["env_settings"]["seed"] == 1
    assert settings["checkpoint_settings"]["run_id"] == "first"


def test_the_same_seed_gives_the_same_rewards_and_another_seed_others(trained: Trainer, practice: Practice) -> None:
    config = trained.folder / "config.yaml"
    first = summaries(trained.console)
    assert practice(config, "--run-id=second", "--seed=1").ended() == 0
    assert practice(config, "--run-id=third", "--seed=2").ended() == 0
    everything = summaries(trained.console)
    assert everything[len(first) : 2 * len(first)] == first
    assert everything[2 * len(first) :] != first


@pytest.mark.slow
def test_the_demonstration_is_learned(practice: Practice) -> None:
    trainer = practice(DEMO, "--run-id=demo", "--seed=1")
    assert trainer.ended() == 0
    rewards = [mean for _, mean in summaries(trainer.console)]
    assert len(rewards) == 40
    assert sum(rewards[:5]) / 5 < 1.0
    assert sum(rewards[-5:]) / 5 > 6.0


def test_several_behaviors_train_side_by_side(practice: Practice, tmp_path: Path) -> None:
    trainer = practice(small_config(tmp_path, "Ball", "Ворота 2"), "--run-id=two")
    assert trainer.ended() == 0, trainer.console
    order = [line.split(".")[0] for line in trainer.console.splitlines() if " Step: " in line]
    assert order == ["[INFO] Ball", "[INFO] Ворота 2"] * 5
    assert (tmp_path / "results" / "two" / "Ворота 2.onnx").is_file()


def test_a_resumed_training_goes_on_from_its_step(trained: Trainer, practice: Practice) -> None:
    config = small_config(trained.folder, max_steps=2000)
    assert practice(config, "--run-id=first", "--resume").ended() == 0
    before, after = trained.console.split("Resuming training from step 1008.")
    assert "Resuming from results" in before
    assert re.findall(r"Ball\. Step: (\d+)\.", after) == ["1200", "1400", "1600", "1800", "2000"]
    assert len(list((trained.folder / "results" / "first" / "Ball").glob("events.out.*"))) == 2


def test_resuming_a_finished_training_ends_at_once(trained: Trainer, practice: Practice) -> None:
    assert practice(trained.folder / "config.yaml", "--run-id=first", "--resume").ended() == 0
    after = trained.console.split("Resuming training from step 1008.")[1]
    assert summaries(after) == []
    assert "Copied" in after


def test_a_used_run_id_is_refused_unless_forced(trained: Trainer, practice: Practice) -> None:
    config = trained.folder / "config.yaml"
    assert practice(config, "--run-id=first").ended() == 1
    last = trained.console.splitlines()[-1]
    assert last.startswith(
        "mlagents.trainers.exception.UnityTrainerException: Previous data from this run ID was found."
    )
    assert practice(config, "--run-id=first", "--force").ended() == 0
    assert "Deleting TensorBoard data events.out.tfevents." in trained.console


def test_resuming_what_never_was_is_refused(practice: Practice, tmp_path: Path) -> None:
    trainer = practice(small_config(tmp_path), "--run-id=none", "--resume")
    assert trainer.ended() == 1
    assert "Previous data from this run ID was not found." in trainer.console


def test_a_training_can_begin_with_the_weights_of_another(trained: Trainer, practice: Practice) -> None:
    config = trained.folder / "config.yaml"
    assert practice(config, "--run-id=heir", "--initialize-from=first").ended() == 0
    assert "Initializing from results" in trained.console
    assert "Starting training from step 0 and saving to results" in trained.console


def has_said(trainer: Trainer, text: str, times: int) -> bool:
    return trainer.console.count(text) >= times


def test_without_learning_it_acts_for_ever_the_same_with_the_same_seed(trained: Trainer, practice: Practice) -> None:
    config = trained.folder / "config.yaml"
    results = trained.folder / "results"
    for number, name in enumerate(("one", "two"), start=1):
        trainer = practice(config, f"--run-id={name}", "--initialize-from=first", "--inference", "--seed=4")
        # Beyond its max_steps.
        trainer.until(partial(has_said, trained, "Step: 1200.", number))
        assert trainer.interrupt().ended() == 0
        assert not (results / f"{name}/Ball.onnx").exists()
    acted = [[mean for step, mean in summaries(trained.console) if step == wanted] for wanted in (200, 1200)]
    assert acted[0][-2] == acted[0][-1]
    assert acted[1][-2] == acted[1][-1]
    assert trained.console.count("Not Training.") >= 12


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("behavior: {}", "The option behavior was specified in your YAML file, but is invalid."),
        (
            "behaviors: {B: {trainer_type: ppo, hyperparameters: {batchsize: 1}}}",
            "The option batchsize was specified in your YAML file for PPOSettings, but is invalid.",
        ),
        (
            "behaviors: {B: {trainer_type: ppo, max_step: 1}}",
            "The option max_step was specified in your YAML file for TrainerSettings, but is invalid.",
        ),
        ("behaviors: {B: {trainer_type: PPO}}", "Invalid trainer type PPO was found"),
    ],
)
def test_a_wrong_configuration_is_refused(practice: Practice, tmp_path: Path, text: str, sentence: str) -> None:
    config = tmp_path / "wrong.yaml"
    config.write_text(text, encoding="utf-8")
    trainer = practice(config, "--run-id=wrong")
    assert trainer.ended() == 1
    assert trainer.console.splitlines()[-1] == f"mlagents.trainers.exception.TrainerConfigError: {sentence}"


def test_a_wrong_option_ends_with_exit_code_2(start: Callable[..., Trainer], tmp_path: Path) -> None:
    trainer = start("sessions.trainers.practice", str(small_config(tmp_path)), "--nosuch")
    assert trainer.ended() == 2
    assert trainer.console.splitlines()[-1] == "mlagents-learn: error: unrecognized arguments: --nosuch"


def test_everything_behind_env_args_belongs_to_the_environment(start: Callable[..., Trainer], tmp_path: Path) -> None:
    own = ("--steps-per-second", "0", "--run-id=swallowed", "--unknown", "7")
    trainer = start("sessions.trainers.practice", str(small_config(tmp_path)), "--env-args", *own)
    assert trainer.ended() == 0
    assert (tmp_path / "results" / "ppo").is_dir()


def test_a_missing_executable_is_reported_as_mlagents_does(practice: Practice, tmp_path: Path) -> None:
    trainer = practice(small_config(tmp_path), "--run-id=lost", "--env=nowhere/Ball")
    assert trainer.ended() == 1
    assert "Couldn't launch the nowhere/Ball environment. Provided filename does not match any" in trainer.console


def test_it_waits_for_play_when_it_is_told_to(practice: Practice, tmp_path: Path) -> None:
    trainer = practice(small_config(tmp_path), "--run-id=editor", switches=("--wait", "0.2"))
    assert trainer.ended() == 0
    assert "[INFO] Listening on port 5004. Start training by pressing the Play button" in trainer.console


def test_play_pressed_too_late_is_a_timeout(practice: Practice, tmp_path: Path) -> None:
    trainer = practice(small_config(tmp_path), "--run-id=late", "--timeout-wait=0", switches=("--wait", "9"))
    assert trainer.ended() == 1
    assert "mlagents_envs.exception.UnityTimeOutException: The Unity environment took too long" in trainer.console


def test_the_pace_is_kept(practice: Practice, tmp_path: Path) -> None:
    config = small_config(tmp_path, max_steps=600)
    trainer = practice(config, "--run-id=slow", switches=("--steps-per-second", "1000"))
    assert trainer.ended() == 0
    timers = json.loads((tmp_path / "results" / "slow" / "run_logs" / "timers.json").read_text(encoding="utf-8"))
    assert timers["total"] >= 0.55
