"""What is to be trained, against what is there: behaviors, demonstrations, checkpoints."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.config import Config, read_config
from sessions.domain.preflight.checks import Level
from sessions.domain.preflight.training import (
    Demonstration,
    check_behaviors,
    check_checkpoint,
    check_demonstrations,
    check_fit,
    demo_paths,
    shape_of,
)

BALL = "behaviors:\n  Ball:\n    trainer_type: ppo\n    max_steps: 1000\n"


def config(text: str = BALL) -> Config:
    return read_config(text.encode())


def with_network(**settings: object) -> Config:
    lines = "".join(f"      {name}: {value}\n" for name, value in settings.items())
    return config(f"{BALL}    network_settings:\n{lines}")


def test_demonstrations_are_found_wherever_they_are_named() -> None:
    text = BALL + (
        "    behavioral_cloning:\n      demo_path: a.demo\n    reward_signals:\n      gail:\n        demo_path: /b\n"
    )
    assert demo_paths(config(text)) == ["a.demo", "/b"]
    assert demo_paths(config()) == []


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (Demonstration("a.demo"), "There is no demonstration at a.demo."),
        (Demonstration("b", "folder"), "There are no .demo files in b."),
        (Demonstration("c.txt", "file"), "c.txt is no .demo file."),
    ],
)
def test_a_demonstration_that_is_not_there_is_refused(found: Demonstration, says: str) -> None:
    check = check_demonstrations([Demonstration("x.demo", "file"), found])
    assert (check.level, check.finding, check.field) == (Level.ERROR, says, "config")


def test_demonstrations_that_are_there_pass() -> None:
    found = [Demonstration("x.demo", "file"), Demonstration("y", "folder", 2)]
    assert check_demonstrations(found).level is check_demonstrations([]).level is Level.OK


def test_a_misspelled_behavior_is_asked_about() -> None:
    check = check_behaviors(config(), {"Balls"})
    assert check.level is Level.WARNING
    assert "Balls trained in this environment before, and is not configured." in check.finding
    assert "Is Ball meant to be Balls?" in check.fix


def test_default_settings_serve_whatever_comes() -> None:
    assert check_behaviors(config("default_settings:\n  trainer_type: ppo\n"), {"Any"}).level is Level.OK
    assert check_behaviors(config(), {"Ball"}).level is check_behaviors(config(), set()).level is Level.OK


def test_another_shape_of_the_network_is_told() -> None:
    check = check_fit(with_network(hidden_units=128), with_network(hidden_units=256), source="ball-1")
    assert check.level is Level.WARNING
    assert "hidden_units of Ball was 128 and is 256" in check.finding
    assert check_fit(config(), with_network(hidden_units=128, num_layers=2), source="ball-1").level is Level.OK
    assert check_fit(None, config(), source="ball-1").level is Level.OK


def test_another_trainer_and_a_memory_are_another_shape() -> None:
    sac = config(BALL.replace("ppo", "sac"))
    assert "trainer_type of Ball was ppo and is sac" in check_fit(config(), sac, source="x").finding
    remembering = config(f"{BALL}    network_settings:\n      memory:\n        memory_size: 64\n")
    assert "memory_size of Ball was None and is 64" in check_fit(config(), remembering, source="x").finding


@given(st.integers(1, 512), st.integers(1, 3), st.booleans())
def test_a_configuration_always_fits_itself(units: int, layers: int, normalize: bool) -> None:
    one = with_network(hidden_units=units, num_layers=layers, normalize=str(normalize).lower())
    assert check_fit(one, one, source="x").level is Level.OK
    assert shape_of(one, "Ball")["hidden_units"] == units


@pytest.mark.parametrize(
    ("conditions", "step", "level", "says"),
    [
        ({"Ball": "whole"}, 10, Level.OK, "It is whole."),
        ({"Ball": "broken"}, 10, Level.WARNING, "broken"),
        ({"Ball": "missing"}, 0, Level.WARNING, "Nothing was saved"),
        ({}, 0, Level.WARNING, "Nothing was saved"),
        ({"Ball": "whole"}, 1000, Level.WARNING, "reached max_steps"),
    ],
)
def test_what_a_resume_finds_is_told(conditions: dict[str, str], step: int, level: Level, says: str) -> None:
    check = check_checkpoint(conditions, steps={"Ball": step}, config=config())
    assert check.level is level
    assert says in check.finding
