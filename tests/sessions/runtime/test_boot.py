from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sessions.runtime import boot
from sessions.runtime.launch import BOOT, trainer_argv
from sessions.runtime.locks import is_held
from sessions.runtime.records import TrainExit
from sessions.runtime.rundir import AttemptDirectory
from tests.sessions.runtime.conftest import FAKE_TRAINER, until

Run = Callable[..., "subprocess.Popen[str]"]

MODULES = {
    "slow_trainer.py": """
        import pathlib, sys, time
        pathlib.Path(sys.argv[1]).touch()
        time.sleep(60)
        def main(): print("never")
    """,
    "plain_trainer.py": """
        import sys
        def main():
            print(sys.argv, __name__)
            return 7
    """,
    "package_trainer/__init__.py": "",
    "package_trainer/__main__.py": """
        import sys
        print(sys.argv[1:], __name__)
        sys.exit(6)
    """,
    "hanging_trainer.py": """
        import threading, time
        def main():
            threading.Thread(target=time.sleep, args=(60,)).start()
            print("training", flush=True)
            return 3
    """,
    "mlagents/__init__.py": "",
    "mlagents/trainers/__init__.py": "",
    "mlagents/trainers/training_status.py": """
        import json
        class StatusMetaData:
            def to_dict(self): return {"mlagents_version": "1.1.0"}
        class GlobalTrainingStatus:
            saved_state = {}
            @staticmethod
            def save_state(path):
                with open(path, "w") as file: json.dump({"own": True}, file)
    """,
    "mlagents/trainers/trainer_controller.py": """
        import os, time
        class TrainerController:
            def _save_models(self):
                time.sleep(float(os.environ.get("SAVE_SECONDS", 0)))
                print("saved", flush=True)
    """,
    "mlagents/trainers/learn.py": """
        import os, pathlib, sys, time
        from mlagents.trainers.training_status import GlobalTrainingStatus
        from mlagents.trainers.trainer_controller import TrainerController
        def main():
            print(sys.argv[0], flush=True)
            logs = pathlib.Path("results/ball/run_logs")
            logs.mkdir(parents=True)
            GlobalTrainingStatus.saved_state["Ball"] = {"lesson_num": 2}
            try:
                print("training", flush=True)
                until = time.monotonic() + float(os.environ.get("TRAIN_SECONDS", 60))
                while time.monotonic() < until: time.sleep(0.01)
            except KeyboardInterrupt:
                print("interrupted", flush=True)
            finally:
                print("saving", flush=True)
                TrainerController()._save_models()
                GlobalTrainingStatus.save_state(str(logs / "training_status.json"))
                GlobalTrainingStatus.saved_state["Ball"] = {"lesson_num": 3}
                time.sleep(float(os.environ.get("AFTER_SECONDS", 0)))
    """,
}


@pytest.fixture
def directory(tmp_path: Path) -> AttemptDirectory:
    (tmp_path / "attempt").mkdir()
    return AttemptDirectory(tmp_path / "attempt")


@pytest.fixture
def hasty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a boot run whose waits are short."""
    code = BOOT.read_text(encoding="utf-8")
    for old in ("HANGING_END_SECONDS = 5.0", "SNAPSHOT_SECONDS = 2.0"):
        assert code.count(old) == 1
        code = code.replace(old, old.split("=")[0] + "= 0.05")
    (tmp_path / "hasty").mkdir()
    (tmp_path / "hasty" / "boot.py").write_text(code, encoding="utf-8")
    monkeypatch.setattr("sessions.runtime.launch.BOOT", tmp_path / "hasty" / "boot.py")


@pytest.fixture
def hastier(hasty: None, tmp_path: Path) -> None:
    """Have it wait shortly for an end that nobody asked for as well."""
    path = tmp_path / "hasty" / "boot.py"
    old = "UNASKED_END_SECONDS = 20.0"
    assert old in path.read_text(encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8").replace(old, "UNASKED_END_SECONDS = 0.1"), encoding="utf-8")


@pytest.fixture
def run(tmp_path: Path, directory: AttemptDirectory) -> Iterator[Run]:
    """Return what starts the boot with a target and arguments; variables of the trainer by keyword."""
    for name, text in MODULES.items():
        (tmp_path / "modules" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "modules" / name).write_text(textwrap.dedent(text), encoding="utf-8")
    processes: list[subprocess.Popen[str]] = []

    def start(target: str | Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        argv = trainer_argv(sys.executable, directory, str(target), arguments)
        environment = {**os.environ, "PYTHONPATH": str(tmp_path / "modules"), **variables}
        processes.append(
            subprocess.Popen(
                argv,
                cwd=tmp_path,
                env=environment,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        )
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, list[str]]:
    output = process.communicate(timeout=20)[0]
    return process.returncode, output.splitlines()


def inside(directory: AttemptDirectory) -> TrainExit:
    record = directory.read_train_exit()
    assert record is not None
    return record


def wait_for_line(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    while (seen := process.stdout.readline().strip()) != line:
        assert seen or process.poll() is None


def test_a_plain_module_is_imported_and_its_main_is_called(run: Run, directory: AttemptDirectory) -> None:
    code, lines = ended(run("plain_trainer", "a b", "--flag=1"))
    assert code == 7
    assert lines == ["['plain_trainer', 'a b', '--flag=1'] plain_trainer"]
    assert (inside(directory).code, inside(directory).exception) == (7, "SystemExit")


def test_a_package_runs_as_main(run: Run, directory: AttemptDirectory) -> None:
    assert ended(run("package_trainer", "x")) == (6, ["['x'] __main__"])
    assert inside(directory).code == 6


def test_an_exception_reaches_the_console_and_the_record(run: Run, directory: AttemptDirectory) -> None:
    code, lines = ended(run(FAKE_TRAINER, "--crash"))
    assert code == 1
    assert lines[-1] == "ValueError: the trainer broke"
    assert (inside(directory).code, inside(directory).stage, inside(directory).exception) == (
        1,
        "train",
        "ValueError",
    )


def test_a_trainer_that_is_not_installed_says_so(run: Run, directory: AttemptDirectory) -> None:
    code, lines = ended(run("no_such_trainer"))
    assert code == 1
    assert lines[-1] == "ModuleNotFoundError: No module named 'no_such_trainer'"
    assert inside(directory).stage == "import"


def test_a_stop_while_the_trainer_loads_ends_it_at_once(run: Run, directory: AttemptDirectory, tmp_path: Path) -> None:
    process = run("slow_trainer", str(tmp_path / "loading"))
    until((tmp_path / "loading").exists)
    directory.request_stop("ada")
    code, lines = ended(process)
    assert code == 75
    assert lines == ["Stopped while the trainer was loading: nothing was trained."]
    assert (inside(directory).code, inside(directory).stage) == (75, "import")
    seen = directory.read_stop_seen()
    assert seen is not None
    assert seen.stage == "import"


@pytest.mark.skipif(os.name == "nt", reason="how Windows hands down ignored interrupts is another matter")
def test_a_parent_that_ignores_interrupts_does_not_make_the_trainer_deaf(run: Run, directory: AttemptDirectory) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = run(FAKE_TRAINER)
    finally:
        signal.signal(signal.SIGINT, before)
    wait_for_line(process, "training")
    directory.request_stop("ada")
    assert ended(process) == (0, ["interrupted", "saved"])
    assert inside(directory).code == 0


def test_who_has_seen_the_stop_is_the_only_one_to_interrupt(run: Run, directory: AttemptDirectory) -> None:
    process = run(FAKE_TRAINER, "--until", str(directory.path / "enough"))
    wait_for_line(process, "training")
    assert directory.see_stop("unanswered")
    directory.request_stop("ada")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(3 * boot.POLL_SECONDS)
    (directory.path / "enough").touch()
    assert ended(process) == (0, [])


def test_the_trainer_says_who_it_is_and_holds_its_lock(run: Run, directory: AttemptDirectory) -> None:
    process = run(FAKE_TRAINER)
    wait_for_line(process, "training")
    record = directory.read_trainer()
    assert record is not None
    assert record.boot_id == boot.boot_id()
    assert is_held(directory.train_lock)
    again = run(FAKE_TRAINER)
    assert ended(again) == (4, ["This attempt is already training in another process."])
    assert is_held(directory.train_lock)
    process.kill()
    until(lambda: not is_held(directory.train_lock))


@pytest.mark.usefixtures("hasty")
def test_a_trainer_that_returned_but_hangs_is_ended_by_a_stop(run: Run, directory: AttemptDirectory) -> None:
    process = run("hanging_trainer")
    wait_for_line(process, "training")
    until(directory.train_exit.exists)
    directory.request_stop("ada")
    assert ended(process)[0] == 3


@pytest.mark.usefixtures("hastier")
def test_a_trainer_that_returned_but_hangs_ends_unasked_in_the_end(run: Run, directory: AttemptDirectory) -> None:
    process = run("hanging_trainer")
    wait_for_line(process, "training")
    assert ended(process)[0] == 3
    assert directory.train_exit.exists()


def test_no_neighbour_of_the_boot_can_hide_a_module(run: Run, tmp_path: Path) -> None:
    (tmp_path / "modules" / "where.py").write_text(
        "import sys, json\ndef main(): print(json.dumps(sys.path))", encoding="utf-8"
    )
    _, lines = ended(run("where"))
    assert str(BOOT.parent) not in json.loads(lines[0])


def test_the_boot_needs_no_newer_python_than_3_7_and_no_other_file() -> None:
    tree = ast.parse(BOOT.read_text(encoding="utf-8"), feature_version=(3, 7))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= set(sys.stdlib_module_names)


def status(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "results/ball/run_logs/training_status.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


@pytest.mark.usefixtures("hasty")
def test_a_killed_mlagents_training_leaves_its_lessons_behind(run: Run, tmp_path: Path) -> None:
    process = run("mlagents.trainers.learn", "config.yaml", "--run-id=ball", "--results-dir=results")
    wait_for_line(process, "mlagents-learn")
    until(lambda: status(tmp_path))
    process.kill()
    assert status(tmp_path) == {"Ball": {"lesson_num": 2}, "metadata": {"mlagents_version": "1.1.0"}}


@pytest.mark.usefixtures("hasty")
def test_the_trainers_own_status_is_the_last_word(run: Run, tmp_path: Path, directory: AttemptDirectory) -> None:
    process = run("mlagents.trainers.learn", "--run-id", "ball", TRAIN_SECONDS="0.3", AFTER_SECONDS="0.3")
    assert ended(process)[0] == 0
    assert status(tmp_path) == {"own": True}
    assert inside(directory).stage == "save"


def test_a_stop_during_the_final_save_does_not_disturb_it(run: Run, directory: AttemptDirectory) -> None:
    process = run("mlagents.trainers.learn", "--run-id=ball", SAVE_SECONDS="1", TRAIN_SECONDS="0")
    wait_for_line(process, "saving")
    until(lambda: directory.request_stop("ada"))
    assert ended(process) == (0, ["saved"])
    seen = directory.read_stop_seen()
    assert seen is not None
    assert seen.stage == "save"


class FakeStatus:
    class GlobalTrainingStatus:
        saved_state: dict[str, Any] = {}

    class StatusMetaData:
        def to_dict(self) -> dict[str, str]:
            return {"mlagents_version": "1.1.0"}


def test_a_snapshot_is_written_only_when_it_says_something_new(tmp_path: Path) -> None:
    path = tmp_path / "run_logs" / "training_status.json"
    snapshots = boot.StatusSnapshots(FakeStatus, path)
    FakeStatus.GlobalTrainingStatus.saved_state = {"Ball": {"elo": 1200.0}}
    snapshots.take()
    assert not path.exists()  # the trainer has not made its folder yet
    path.parent.mkdir()
    path.write_text("of the attempt before", encoding="utf-8")
    FakeStatus.GlobalTrainingStatus.saved_state = {"Ball": {}}
    snapshots.take()
    assert path.read_text(encoding="utf-8") == "of the attempt before"  # a resume has not read it yet
    FakeStatus.GlobalTrainingStatus.saved_state = {"Ball": {"elo": 1200.0}}
    snapshots.take()
    first = path.stat().st_ino
    snapshots.take()
    assert path.stat().st_ino == first
    snapshots.over = True
    FakeStatus.GlobalTrainingStatus.saved_state = {"Ball": {"elo": 1300.0}}
    snapshots.take()
    assert json.loads(path.read_text(encoding="utf-8"))["Ball"] == {"elo": 1200.0}


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (["c.yaml", "--run-id=a", "--results-dir=/r"], "/r/a"),
        (["--run-id", "a", "--results-dir", "/r", "c.yaml"], "/r/a"),
        (["c.yaml", "--run-id=a"], "results/a"),
        (["c.yaml"], "results/ppo"),
        (["c.yaml", "--run-id=a", "--env-args", "--run-id=b"], "results/a"),
    ],
)
def test_the_place_of_the_status_follows_the_command_line(arguments: list[str], path: str) -> None:
    assert boot.status_path(arguments) == Path(path, "run_logs", "training_status.json")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (SystemExit(), 0),
        (SystemExit(3), 3),
        (SystemExit("a sentence"), 1),
        (ValueError(), 1),
        (KeyboardInterrupt(), 0xC000013A if os.name == "nt" else -2),
    ],
)
def test_the_code_is_the_one_that_python_gives(error: BaseException | None, code: int) -> None:
    assert boot.exit_code(error) == code
