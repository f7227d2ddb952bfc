"""A short run of the chaos suite; the long ones are started by hand (docs/operating.md)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mentor_site.options import BASE_DIR

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="its watcher reads /proc"),
]


def chaos(folder: Path, *options: str) -> str:
    """Run the suite and return what it printed; fails with that when something did not hold."""
    seed = os.environ.get("MENTOR_TEST_SEED", "20")
    environ = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--seed", seed, "--folder", str(folder), *options],
        cwd=BASE_DIR, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_dozen_trainings_under_faults_lose_nothing(tmp_path: Path) -> None:
    told = chaos(tmp_path, "--attempts", "12")
    assert told.startswith("seed ")
    assert "violations: 0" in told


@pytest.mark.mlagents
def test_trainings_of_mlagents_under_faults_lose_nothing(tmp_path: Path) -> None:
    assert "violations: 0" in chaos(tmp_path, "--trainer", "mlagents", "--attempts", "2", "--calm", "3")
