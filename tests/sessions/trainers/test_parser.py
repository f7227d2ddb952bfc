"""The trainer's own parser, asked in the trainer's interpreter."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sessions.trainers.parser import have_parsed

BALL = b"behaviors:\n  Ball:\n    trainer_type: ppo\n    max_steps: 1000\n"


@pytest.mark.mlagents
@pytest.mark.slow
def test_it_accepts_what_mlagents_learn_accepts() -> None:
    assert have_parsed(sys.executable, BALL, variables=os.environ, seconds=120).accepted


@pytest.mark.mlagents
@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "says"),
    [
        (BALL + b"    nonsense: 1\n", "nonsense"),
        (BALL + b"    hyperparameters:\n      learning_rate_schedule: cosine\n", "cosine"),
        (BALL + b"\tbuffer: 1\n", ""),
    ],
)
def test_it_refuses_what_mlagents_learn_refuses(config: bytes, says: str) -> None:
    verdict = have_parsed(sys.executable, config, variables=os.environ, seconds=120)
    assert (verdict.accepted, verdict.stage) == (False, "configuration")
    assert verdict.sentence.startswith("ML-Agents refuses this configuration: ")
    assert says in verdict.sentence
    assert verdict.fix


def trainer_in(folder: Path, learn: str) -> dict[str, str]:
    """The variables under which a package of that name stands in for the trainer."""
    package = folder / "mlagents" / "trainers"
    package.mkdir(parents=True)
    for place in (package.parent, package):
        (place / "__init__.py").write_text("", encoding="utf-8")
    (package / "learn.py").write_text(learn, encoding="utf-8")
    return {**os.environ, "PYTHONPATH": str(folder)}


def test_a_trainer_that_cannot_be_imported_is_told_with_its_fix(tmp_path: Path) -> None:
    variables = trainer_in(tmp_path, "import pkg_resources_that_is_not_there\n")
    verdict = have_parsed(sys.executable, BALL, variables=variables)
    assert (verdict.accepted, verdict.stage) == (False, "import")
    assert "No module named 'pkg_resources_that_is_not_there'" in verdict.sentence
    assert verdict.fix


def test_a_trainer_that_takes_too_long_is_let_go(tmp_path: Path) -> None:
    variables = trainer_in(tmp_path, "import time\ntime.sleep(60)\n")
    verdict = have_parsed(sys.executable, BALL, variables=variables, seconds=0.5)
    assert verdict.accepted is None
    assert "within" in verdict.sentence


def test_a_trainer_that_dies_without_a_word_leaves_it_open(tmp_path: Path) -> None:
    variables = trainer_in(tmp_path, "import os\nos._exit(3)\n")
    assert have_parsed(sys.executable, BALL, variables=variables).accepted is None


def test_no_interpreter_is_no_answer(tmp_path: Path) -> None:
    assert have_parsed(str(tmp_path / "python"), BALL, variables={}).accepted is None
