"""What would be faster is advised from figures, bounded by them, and not advised without them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.advice import Advice, Behavior, Facts, Shares, advise, as_shares, basis, faster
from sessions.domain.config import read_config, with_overrides

UNITY = Shares(environment=0.78, acting=0.1, learning=0.1, saving=0.0, simulating=0.9)
LEARNS = Shares(environment=0.2, acting=0.1, learning=0.7, saving=0.0)
GIB = 1024.0**3
# One environment on a machine with eight cores that does nothing else.
SLOW = Facts(
    shares=UNITY, cores=8, cpu=150.0, trainer_cpu=30.0, memory=GIB, memory_free=20 * GIB, memory_total=32 * GIB
)
BIG = Behavior("Ball", "ppo", batch_size=64, buffer_size=10_240, num_epoch=8, hidden_units=512, num_layers=3)
TINY = Behavior("Ball", "ppo", batch_size=1024, buffer_size=2048, num_epoch=3, hidden_units=64, num_layers=2)


def found(facts: Facts) -> dict[str, Advice]:
    return {one.id: one for one in advise(facts)}


def test_a_training_that_waits_for_unity_beside_idle_cores_is_given_more_environments() -> None:
    advice = found(SLOW)["more_environments"]
    assert "78 % of the time" in advice.why
    assert "left 6 of 8 cores idle" in advice.why
    assert advice.changes == {"num_envs": 6}
    assert advice.gain == pytest.approx(1 / (0.22 + 0.78 / 6))


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"cores": 4}, 3),
        ({"memory_free": 2.6 * GIB}, 3),
        ({"memory_free": 0.5 * GIB}, None),
        ({"cpu": 780.0, "trainer_cpu": 30.0}, None),
        ({"build": False}, None),
        ({"cpu": None}, None),
        ({"shares": LEARNS}, None),
    ],
)
def test_cores_and_memory_bound_how_many_environments_are_advised(
    changes: dict[str, object], wanted: int | None
) -> None:
    advice = found(replace(SLOW, **changes)).get("more_environments")  # type: ignore[arg-type]
    assert (advice.changes["num_envs"] if advice else None) == wanted


def test_time_may_pass_faster_where_unity_waits_for_its_own_clock() -> None:
    assert "time_scale" not in found(SLOW)
    assert found(replace(SLOW, time_scale=1.0))["time_scale"].changes == {"time_scale": 20.0}
    waiting = found(replace(SLOW, cpu=60.0))["time_scale"]
    assert waiting.changes == {"time_scale": 100.0}
    assert "physics" in waiting.change
    assert "time_scale" not in found(replace(SLOW, cpu=60.0, time_scale=100.0))


def test_nothing_is_drawn_unless_somebody_looks() -> None:
    assert "Not when an agent sees through a camera" in found(SLOW)["no_graphics"].change
    assert "No agent sees" in found(replace(SLOW, visual=False))["no_graphics"].why
    assert "no_graphics" not in found(replace(SLOW, visual=True))
    assert "no_graphics" not in found(replace(SLOW, no_graphics=True))


def test_the_editor_is_slower_than_a_build() -> None:
    assert set(found(replace(SLOW, build=False))) == {"build"}
    assert "build" not in found(replace(SLOW, build=None))


def test_where_learning_takes_the_time_its_settings_are_advised_with_a_warning() -> None:
    advice = found(replace(SLOW, shares=LEARNS, behaviors=(BIG,)))
    assert advice["batch_size:Ball"].changes == {"overrides": {"behaviors.Ball.hyperparameters.batch_size": 256}}
    assert advice["num_epoch:Ball"].changes == {"overrides": {"behaviors.Ball.hyperparameters.num_epoch": 3}}
    assert advice["hidden_units:Ball"].changes == {"overrides": {"behaviors.Ball.network_settings.hidden_units": 256}}
    assert all("changes what is learned" in one.change for one in advice.values())
    assert not found(replace(SLOW, shares=LEARNS, behaviors=(TINY,)))


@pytest.mark.parametrize("config", [b"behaviors: {Ball: {}}", b"behaviors: {Ball: {trainer_type: ppo}}"])
def test_every_changed_setting_can_be_started(config: bytes) -> None:
    saves = Shares(environment=0.1, acting=0.1, learning=0.6, saving=0.2)
    behavior = replace(BIG, checkpoint_interval=500)
    for one in advise(replace(SLOW, shares=saves, behaviors=(behavior,))):
        for path, value in one.changes.get("overrides", {}).items():
            changed = with_overrides(read_config(config), {path: value})
            assert str(value).encode() in changed.used


def test_sac_may_learn_after_more_steps() -> None:
    sac = Behavior("Ball", "sac", batch_size=512, buffer_size=50_000, steps_per_update=1.0)
    advice = found(replace(SLOW, shares=LEARNS, behaviors=(sac,)))
    assert advice["steps_per_update:Ball"].changes["overrides"] == {
        "behaviors.Ball.hyperparameters.steps_per_update": 2
    }
    assert set(advice) == {"steps_per_update:Ball"}


@pytest.mark.parametrize(
    ("behavior", "changes", "wanted"),
    [
        (TINY, {"gpus": 1, "cuda": True}, "cpu"),
        (TINY, {"gpus": 1, "cuda": True, "device": "cpu"}, None),
        (TINY, {"gpus": 1, "cuda": True, "visual": True}, None),
        (BIG, {"gpus": 1, "cuda": True, "device": "cpu"}, "gpu"),
        (BIG, {"gpus": 1, "cuda": False}, "cuda_build"),
        (BIG, {"gpus": 1, "cuda": True}, None),
        (BIG, {"gpus": 1}, None),
        (BIG, {"gpus": 0, "cuda": True}, None),
    ],
)
def test_a_gpu_is_for_large_networks(behavior: Behavior, changes: dict[str, object], wanted: str | None) -> None:
    advice = found(replace(SLOW, shares=LEARNS, behaviors=(behavior,), **changes))  # type: ignore[arg-type]
    assert {"cpu", "gpu", "cuda_build"} & set(advice) == ({wanted} if wanted else set())


def test_more_environments_than_cores_and_a_full_memory_are_told() -> None:
    crowded = found(replace(SLOW, num_envs=16, cpu=790.0, memory=30 * GIB))
    assert crowded["fewer_environments"].changes == {"num_envs": 7}
    assert "swapped" in crowded["memory"].why


def test_saving_that_takes_long_may_be_done_less_often() -> None:
    saves = Shares(environment=0.3, acting=0.1, learning=0.3, saving=0.3)
    behavior = replace(TINY, checkpoint_interval=500)
    advice = found(replace(SLOW, shares=saves, behaviors=(behavior,)))
    assert advice["checkpoint_interval:Ball"].changes["overrides"] == {"behaviors.Ball.checkpoint_interval": 2000}


def test_while_it_trains_only_the_cpu_speaks() -> None:
    running = replace(SLOW, shares=None, running=True)
    assert found(running)["more_environments"].gain is None
    assert "Only the CPU" in basis(running)
    busy = found(replace(running, cpu=130.0, trainer_cpu=100.0))
    assert set(busy) == {"trainer_bound"}
    slow = found(replace(running, cpu=40.0, trainer_cpu=20.0))
    assert set(slow) == {"time_scale"}
    assert "time_scale" not in found(replace(running, cpu=40.0, trainer_cpu=20.0, gpu=90.0))
    unknown = Facts(running=True, cores=8)
    assert advise(unknown) == []
    assert "Nothing is known yet" in basis(unknown)
    assert "Nothing can be said" in basis(Facts())
    assert "thread of its own" in basis(replace(SLOW, threaded=True))


def test_shares_have_words() -> None:
    assert as_shares(UNITY)["the environment"] == 0.78


shares = st.floats(0, 1)


@given(
    st.builds(
        Facts,
        build=st.sampled_from([True, False, None]),
        shares=st.none() | st.builds(Shares, shares, shares, shares, shares, st.none() | shares),
        cores=st.none() | st.integers(1, 128),
        cpu=st.none() | st.floats(0, 20_000),
        trainer_cpu=st.none() | st.floats(0, 2000),
        memory=st.none() | st.floats(0, 1e13),
        memory_free=st.none() | st.floats(0, 1e13),
        memory_total=st.none() | st.floats(0, 1e13),
        gpus=st.integers(0, 4),
        cuda=st.none() | st.booleans(),
        num_envs=st.integers(1, 64),
        time_scale=st.floats(0.001, 100),
        behaviors=st.sampled_from([(), (BIG,), (TINY,)]),
    )
)
def test_advice_is_always_within_what_can_be_started_and_never_promises_a_loss(facts: Facts) -> None:
    for one in advise(facts):
        assert one.gain is None or one.gain >= 1
        assert one.why
        assert one.change
        assert 1 <= one.changes.get("num_envs", 1) <= max(64, facts.num_envs)
        assert one.changes.get("time_scale", 20) in (20, 100)


@given(shares, st.floats(1, 1000))
def test_the_bound_is_amdahls(share: float, times: float) -> None:
    bound = faster(share, times)
    assert bound is None or 1 <= bound <= times * (1 + 1e-9)
