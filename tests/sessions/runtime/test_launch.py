from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sessions.runtime import launch
from sessions.runtime.launch import PROJECT, shim_environment, spawn_shim, wait_for_claim
from sessions.runtime.rundir import AttemptDirectory
from tests.sessions.runtime.conftest import Trial

LAUNCH_FROM_DAEMON = """
import multiprocessing, pathlib, sys
from sessions.runtime.launch import spawn_shim
from sessions.runtime.rundir import AttemptDirectory

def launch(path):
    spawn_shim(AttemptDirectory(pathlib.Path(path)))

if __name__ == "__main__":
    worker = multiprocessing.Process(target=launch, args=(sys.argv[1],), daemon=True)
    worker.start()
    worker.join()
    sys.exit(worker.exitcode)
"""


def test_a_daemonic_worker_may_launch_and_die(trial: Trial, tmp_path: Path) -> None:
    trial.prepare()
    (tmp_path / "worker.py").write_text(LAUNCH_FROM_DAEMON, encoding="utf-8")
    argv = [sys.executable, str(tmp_path / "worker.py"), str(trial.directory.path)]
    environment = {**shim_environment(), "PYTHONPATH": str(PROJECT)}
    subprocess.run(argv, env=environment, check=True, timeout=20)
    claim = wait_for_claim(trial.directory, 10.0)
    assert claim is not None
    assert claim.by == "shim"
    trial.directory.request_stop("ada")
    assert trial.ended().stop_requested


def test_waiting_for_a_claim_that_never_comes_ends_in_time(trial: Trial) -> None:
    trial.prepare()
    assert wait_for_claim(trial.directory, 0.1) is None


@pytest.mark.skipif(sys.platform == "win32", reason="a failure shows in the claim there")
def test_a_shim_that_cannot_start_is_an_error_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "PROJECT", tmp_path)
    with pytest.raises(OSError, match="No module named"):
        spawn_shim(AttemptDirectory(tmp_path))


def test_the_shim_is_not_given_what_is_mentors_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENTOR_DATABASE_URL", "postgres://ada:secret@host/")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "mentor_site.settings")
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert shim_environment()["LANG"] == "C.UTF-8"
    assert not {"MENTOR_DATABASE_URL", "DJANGO_SETTINGS_MODULE"} & set(shim_environment())


def test_no_file_of_the_folder_is_named_like_one_of_the_standard_library() -> None:
    names = {path.stem for path in Path(launch.__file__).parent.glob("*.py")} - {"__init__"}
    assert not names & set(sys.stdlib_module_names)
