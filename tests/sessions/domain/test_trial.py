"""A trial climbs as long as it gets faster, and proposes only what is clearly faster."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.config import read_config
from sessions.domain.trial import (
    MOST_RUNS,
    NEVER,
    Limits,
    Measured,
    Setting,
    Speed,
    next_setting,
    proposal,
    speed_of,
    too_large,
    trial_config,
    warm_since,
)

NOW = Setting()
EIGHT = Limits(cores=8)


def at(setting: Setting, mean: float, error: float = 1.0, **told: object) -> Measured:
    return Measured(setting, Speed(mean, error, 30.0, 8), **told)  # type: ignore[arg-type]


def played(speed: Callable[[Setting], float | None], present: Setting = NOW, limits: Limits = EIGHT) -> list[Measured]:
    """A whole trial in which each setting has the speed given; None fails."""
    done: list[Measured] = []
    while (one := next_setting(present, done, limits)) is not None:
        mean = speed(one)
        done.append(Measured(one) if mean is None else at(one, mean))
    return done


def test_environments_are_doubled_while_that_helps_and_then_time_passes_faster() -> None:
    done = played(lambda one: 100.0 * min(one.num_envs, 4) * (1 + ((one.time_scale or 20) >= 50)))
    assert [(one.setting.num_envs, one.setting.time_scale) for one in done] == [
        (1, None), (2, None), (4, None), (8, None), (4, 50.0), (4, 100.0), (1, None),
    ]  # fmt: skip
    found = proposal(NOW, done)
    assert found.setting == Setting(4, 50.0)
    assert found.gain == 8
    assert "Physics" in found.why


def test_fewer_are_tried_when_more_are_not_faster() -> None:
    done = played(lambda one: 100.0 / one.num_envs, Setting(4, 100.0), Limits(cores=4))
    assert [one.setting.num_envs for one in done] == [4, 2, 1, 4]
    assert proposal(Setting(4, 100.0), done).setting == Setting(1, 100.0)


def test_a_setting_that_fails_ends_its_ladder_and_not_the_trial() -> None:
    done = played(lambda one: None if one.num_envs > 1 else 100.0 + (one.time_scale or 0))
    assert [one.setting for one in done] == [NOW, Setting(2), Setting(1, 50.0), Setting(1, 100.0), NOW]


def test_without_the_settings_of_now_there_is_no_trial() -> None:
    done = played(lambda one: None)
    assert done == [Measured(NOW)]
    assert proposal(NOW, done).setting is None


def test_the_other_device_is_tried_with_the_best_so_far() -> None:
    done = played(lambda one: 300.0 if one.device else 100.0, limits=Limits(1, devices=("cpu",)))
    assert done[-2].setting == Setting(1, None, "cpu")
    assert proposal(NOW, done).setting == Setting(1, None, "cpu")


def test_what_brings_nothing_is_not_changed() -> None:
    done = [at(NOW, 100), at(Setting(2), 200), at(Setting(4), 203), at(Setting(4, 50.0), 205), at(NOW, 100)]
    assert proposal(NOW, done).setting == Setting(2)


@pytest.mark.parametrize(
    ("done", "words"),
    [
        ([at(NOW, 100), at(Setting(2), 104)], "No setting was faster"),
        ([at(NOW, 100, 30), at(Setting(2), 140, 30)], "No setting was faster"),
        ([at(NOW, 100), at(Setting(2), 140), at(NOW, 139)], "No setting was faster"),
        ([at(NOW, 100), Measured(Setting(2))], "No other setting could be measured"),
        ([at(NOW, 100), at(Setting(2), 200, beside=True)], "cannot be compared"),
    ],
)
def test_nothing_is_proposed_that_may_be_noise(done: list[Measured], words: str) -> None:
    found = proposal(NOW, done)
    assert found.setting is None
    assert words in found.why


def test_what_other_trainings_slowed_alike_is_proposed_with_a_word() -> None:
    found = proposal(NOW, [at(NOW, 100, beside=True), at(Setting(2), 200, beside=True)])
    assert found.setting == Setting(2)
    assert "Other trainings" in found.why


def test_more_than_the_memory_holds_is_left_out() -> None:
    done = [at(NOW, 100, memory=1024.0**3)]
    assert too_large(Setting(4), done, Limits(8, memory_free=4 * 1024**3)).startswith("Left out")
    assert too_large(Setting(2), done, Limits(8, memory_free=4 * 1024**3)) == ""
    assert too_large(Setting(4), done, EIGHT) == ""
    assert too_large(Setting(1, 50.0), done, Limits(8, memory_free=1)) == ""


@given(st.dictionaries(st.integers(1, 16), st.none() | st.floats(1, 1e5)), st.integers(1, 16), st.integers(1, 16))
def test_a_trial_always_ends_and_never_proposes_what_it_did_not_measure(
    speeds: dict[int, float | None], first: int, cores: int
) -> None:
    present = Setting(first)
    done = played(lambda one: speeds.get(one.num_envs, 50.0), present, Limits(cores, devices=("cpu",)))
    assert len(done) <= MOST_RUNS
    assert all(one.setting.num_envs <= max(cores, first) for one in done)
    found = proposal(present, done).setting
    assert found is None or (found != present and any(one.setting == found and one.speed for one in done))


def summaries(rate: float, count: int, every: int = 100) -> list[tuple[float, int]]:
    return [(1e9 + every * number / rate, every * number) for number in range(1, count + 1)]


def test_the_speed_is_that_after_the_first_update() -> None:
    slow_start = [(1e9 - 60.0, 100), *summaries(50.0, 20)[1:]]
    found = speed_of({"Ball": slow_start}, seconds=16.0)
    assert found is not None
    assert found.mean == pytest.approx(50.0)
    assert found.error == pytest.approx(0.0, abs=1e-6)
    assert found.seconds == pytest.approx(36.0)
    assert warm_since({"Ball": slow_start}) == slow_start[1][0]


def test_the_speeds_of_behaviors_add_up_and_too_few_summaries_say_nothing() -> None:
    both = speed_of({"Ball": summaries(50.0, 20), "Cube": summaries(25.0, 20), "None": []}, seconds=16.0)
    assert both is not None
    assert both.mean == pytest.approx(75.0)
    assert speed_of({"Ball": summaries(50.0, 4)}, seconds=1.0) is None
    assert speed_of({}, seconds=1.0) is None


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 10_000)), max_size=60), st.floats(1, 100))
def test_no_summaries_however_odd_have_a_speed_that_is_none(points: list[tuple[float, int]], seconds: float) -> None:
    found = speed_of({"Ball": points}, seconds=seconds)
    assert found is None or (math.isfinite(found.mean) and found.error >= 0 and found.pieces >= 3)


DEFAULTS = b"""\
default_settings:
  trainer_type: ppo
  hyperparameters: {batch_size: 128, buffer_size: 10300}
  max_steps: 100
behaviors:
  Ball: {init_path: somewhere, keep_checkpoints: 3}
"""
CONFIG = b"""\
behaviors:
  Fish: {trainer_type: sac, hyperparameters: {batch_size: 64, buffer_init_steps: 5000}}
  Cube: {trainer_type: poca, hyperparameters: {batch_size: 1024, buffer_size: 2048}}
"""


def test_a_trial_never_ends_tells_often_and_learns_as_it_would_from_smaller_buffers() -> None:
    tree = read_config(CONFIG).tree
    told = read_config(trial_config(tree)).tree["behaviors"]
    assert all(one["max_steps"] == one["checkpoint_interval"] == NEVER for one in told.values())
    assert told["Fish"]["hyperparameters"] == {"batch_size": 64, "buffer_init_steps": 0}
    assert told["Fish"]["summary_freq"] == 200
    assert told["Cube"]["hyperparameters"] == {"batch_size": 1024, "buffer_size": 2048}
    assert tree == read_config(CONFIG).tree


def test_what_default_settings_say_is_made_small_too() -> None:
    told = read_config(trial_config(read_config(DEFAULTS).tree)).tree
    assert told["behaviors"]["Ball"]["hyperparameters"] == {"buffer_size": 2048}
    assert told["behaviors"]["Ball"]["summary_freq"] == 2048
    assert "init_path" not in told["behaviors"]["Ball"]
    assert told["default_settings"]["hyperparameters"]["buffer_size"] == 2048


def test_settings_read_as_people_say_them() -> None:
    assert Setting().words == "1 environment, time scale 20, device chosen by PyTorch"
    assert replace(Setting(2, 50.0), device="cpu").words == "2 environments, time scale 50, cpu"
