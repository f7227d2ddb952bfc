"""Configurations: what is taken, what is refused and where, and what the trainer gets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sessions.domain.config import BehaviorPlan, Config, ConfigError, OverrideError, read_config, with_overrides
from sessions.domain.yaml_tree import dump

BALL = b"""\
# how the ball learns
behaviors:
  Ball:
    trainer_type: ppo
    hyperparameters:
      batch_size: 64
      learning_rate: 3.0e-4
    max_steps: 5e5
    summary_freq: 1000
"""
PPO = "behaviors:\n  A:\n    trainer_type: ppo\n    hyperparameters:\n"


def refusal(text: str | bytes) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read_config(text.encode() if isinstance(text, str) else text)
    assert str(caught.value).endswith((".", "…"))
    return caught.value


def override_refusal(config: Config, path: str, value: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        with_overrides(config, {path: value})
    assert str(caught.value).endswith(".")
    return caught.value


def used_tree(config: Config) -> Any:
    return yaml.safe_load(config.used)


def test_a_configuration_is_kept_byte_for_byte_and_understood() -> None:
    config = read_config(BALL)
    assert config.given == config.used == BALL
    assert config.behaviors == {"Ball": BehaviorPlan("Ball", "ppo", 500_000, 1000, 500_000, 3e-4)}


def test_mlagents_defaults_fill_what_is_not_given() -> None:
    assert read_config(b"behaviors: {Ball: {}}").behaviors["Ball"] == BehaviorPlan(
        "Ball", "ppo", 500_000, 50_000, 500_000, 3e-4
    )


def test_default_settings_stand_behind_each_behavior() -> None:
    config = read_config(
        b"default_settings:\n  trainer_type: sac\n  max_steps: 7000\n  hyperparameters: {learning_rate: 0.01}\n"
        b"behaviors:\n  A: {}\n  B: {max_steps: 9, hyperparameters: {batch_size: 8}}\n"
    )
    assert config.behaviors["A"] == BehaviorPlan("A", "sac", 7000, 50_000, 500_000, 0.01)
    assert config.behaviors["B"] == BehaviorPlan("B", "sac", 9, 50_000, 500_000, 0.01)


def test_default_settings_alone_are_enough() -> None:
    assert read_config(b"default_settings: {trainer_type: ppo}").behaviors == {}


def test_even_checkpoints_share_max_steps_out() -> None:
    config = read_config(b"behaviors: {A: {max_steps: 1000, keep_checkpoints: 4, even_checkpoints: true}}")
    assert config.behaviors["A"].checkpoint_interval == 250


def test_a_byte_order_mark_and_windows_line_ends_are_kept() -> None:
    data = b"\xef\xbb\xbfbehaviors:\r\n  Ball:\r\n    trainer_type: ppo\r\n"
    assert read_config(data).used == data


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("", None, None, "empty"),
        ("# nothing\n", None, None, "empty"),
        ("- a\n", 1, 1, "begin with behaviors"),
        ("behaviors: [", 1, 13, "bracket is not closed"),
        ("behaviors:\n\tBall:\n", 2, 1, "tab"),
        ("behaviors:\n  A:\n    x: 1\n   y: 2\n", 4, 4, "indented as none above"),
        ("behaviors: {A: {}}\n---\nb: 1\n", 2, 1, "more than one"),
        ("behaviors: {A: &x {}}\n", 1, 16, "Anchors"),
        ("behaviors: {A: {<<: {max_steps: 5}}}", 1, 17, "merge"),
        ("behaviors: !!python/object/apply:os.system [ls]", 1, 12, "tag"),
        ("behaviors: {A: {init_path: !!binary aGk=}}", 1, 28, "Binary"),
        ("behaviors: {A: {init_path: 2020-99-99}}", 1, 28, "cannot be read"),
        ("a: \0", 1, 4, "character"),
        ('behaviors: {"\\ud800": {}}', 1, 13, "character"),
        ('behaviors: {"\\Uffffffff": {}}', 1, 12, "cannot be read"),
        ("? [a]\n: b\n", 1, 3, "cannot be a name"),
        ("behaviors: {}\n", 1, 1, "no behaviors"),
        ("behaviors:\n", 1, 1, "behaviors must hold"),
        ("behaviors:\n- Ball\n", 1, 1, "behaviors must hold"),
        ("behaviors:\n  Ball:\n", 2, 3, "Ball must have"),
        ("behaviors:\n  a/b: {}\n", 2, 3, "name of a folder"),
        ("behaviors:\n  'a\\b': {}\n", 2, 3, "name of a folder"),
        ("behaviors:\n  '..': {}\n", 2, 3, "name of a folder"),
        ("behaviours:\n  Ball: {}\n", 1, 1, "no section"),
        ("behaviors:\n  A:\n    max_step: 5\n", 3, 5, "no setting"),
        ("behaviors:\n  A:\n    learning_rate: 5\n", 3, 5, "no setting"),
        ("behaviors:\n  A:\n    trainer_type: 5\n", 3, 5, "must be a name"),
        ("behaviors:\n  A:\n    hyperparameters: {beta: 1}\n", 3, 5, "no trainer_type"),
        ("behaviors:\n  A:\n    trainer_type: ppo\n    hyperparameters:\n", 4, 5, "settings indented"),
        ("behaviors:\n  A:\n    max_steps: 0\n", 3, 5, "positive whole number"),
        ("behaviors:\n  A:\n    max_steps: -5\n", 3, 5, "positive whole number"),
        ("behaviors:\n  A:\n    max_steps: .inf\n", 3, 5, "positive whole number"),
        ("behaviors:\n  A:\n    max_steps: 1.0e+300\n", 3, 5, "positive whole number"),
        ("behaviors:\n  A:\n    max_steps:\n", 3, 5, "positive whole number"),
        ("behaviors:\n  A:\n    summary_freq: 1e4\n", 3, 5, "positive whole number"),
        ("behaviors:\n  A:\n    checkpoint_interval: 0\n", 3, 5, "positive whole number"),
        (PPO + "      batch_size: many\n", 5, 7, "batch_size"),
        (PPO + "      learning_rate: -1\n", 5, 7, "0 or more"),
        ("behaviors: {A: {}}\nenvironment_parameters:\n  gravity: strong\n", 3, 3, "gravity must be"),
        ("behaviors: {A: {}}\nenv_settings:\n  seeds: 1\n", 3, 3, "no setting of env_settings"),
        ("behaviors: {A: {}}\nengine_settings:\n  width: wide\n", 3, 3, "whole number"),
        ("behaviors: {A: {}}\ncheckpoint_settings:\n  load: null\n", 3, 3, "no setting"),
    ],
)
def test_what_cannot_train_is_refused_where_it_stands(
    text: str, line: int | None, column: int | None, words: str
) -> None:
    error = refusal(text)
    assert words in str(error)
    assert (error.line, error.column) == (line, column)


def test_a_refusal_names_the_path_and_helps() -> None:
    error = refusal("behaviors:\n  A:\n    max_step: 5\n")
    assert (error.path, error.hint) == ("behaviors.A.max_step", "Did you mean max_steps?")
    assert refusal("behaviors:\n  A:\n    learning_rate: 5\n").hint == "learning_rate belongs under hyperparameters."
    assert "1.0e+4" in refusal("behaviors:\n  A:\n    summary_freq: 1e4\n").hint
    assert "ML-Agents 0.16" in str(refusal("default:\n  trainer: ppo\n"))
    assert "Did you mean behaviors?" in refusal("behaviours: {}").hint


def test_other_encodings_are_told_with_their_place() -> None:
    error = refusal("behaviors:\n  Bäll: {}\n".encode("latin-1"))
    assert ("UTF-8" in str(error), error.line, error.column) == (True, 2, 4)
    assert "UTF-8" in str(refusal("behaviors: {}".encode("utf-16")))


HOSTILE = {
    "cycle": b"&a a: *a\n",
    "their tag": b"!mine {a: 1}\n",
    "a program's tag": b"a: !!python/object/apply:os.system ['id']\n",
    "no time": b"a: !!timestamp abc\n",
    "no truth": b"a: !!bool maybe\n",
    "many lessons": b"environment_parameters: {p: {curriculum: [" + b"{}," * 9000 + b"]}}\nbehaviors: {A: {}}",
    "sections that stand for others": b"default: {trainer: ppo}\n"
    + b"".join(b"k%d: k%d\n" % (n, n + 1) for n in range(4900))
    + b"k4900: {trainer: ppo}\n",
    "an upgrade beyond measure": b"A: {measure: reward, thresholds: [1], parameters: {"
    + b",".join(b"p%d: [1,2]" % n for n in range(2400))
    + b"}}",
    "defaults for all": b"default_settings: {network_settings: {"
    + b",".join(b"z%d: 1" % n for n in range(2000))
    + b"}}\nbehaviors: {"
    + b",".join(b"A%d: {}" % n for n in range(2400))
    + b", B: {max_stepz: 1}}",
    "brackets": b"[" * 100_000,
    "braces": b"{a: " * 50_000,
    "dashes": b"- " * 100_000,
    "questions": b"? " * 100_000,
    "indentation": b"\n".join(b" " * level + b"a:" for level in range(400)),
    "laughs": b"a: &a [x, x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (n + 1, n + 1, n, n) for n in range(97, 120)),
    "long list": b"a: [" + b"1," * 120_000 + b"]",
    "long number": b"behaviors: {A: {max_steps: " + b"9" * 250_000 + b"}}",
    "sexagesimal number": b"behaviors: {A: {max_steps: 1" + b":1" * 120_000 + b"}}",
    "colons": b":" * 250_000,
    "one megabyte": b"x" * 1_000_000,
    "long tag": b"!" * 250_000,
    "long quote": b"'" * 250_001,
    "long name": b"x" * 250_000 + b": {}",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_bomb_is_refused_before_it_goes_off(data: bytes) -> None:
    error = refusal(data)
    assert len(str(error)) < 600


SYNTAX = "ab:-[]{}#&*!|>'\"%@`,? \n\t0."


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode) | st.text(SYNTAX, max_size=80).map(str.encode))
@settings(max_examples=300)
def test_any_bytes_are_taken_or_refused(data: bytes) -> None:
    try:
        config = read_config(data)
    except ConfigError:
        return
    assert yaml.safe_load(data) is not None
    assert config.used == data


def test_options_of_the_run_are_taken_out_and_handed_over() -> None:
    config = read_config(
        BALL + b"env_settings: {env_path: null, num_envs: 4, seed: 7, timeout_wait: 90}\n"
        b"engine_settings: {width: 640, time_scale: 5, no_graphics: true}\n"
        b"torch_settings: {device: cpu}\ncheckpoint_settings: {run_id: ppo, resume: false, initialize_from: null}\n"
    )
    assert config.defaults == {
        "num_envs": 4, "seed": 7, "timeout_wait": 90, "width": 640, "time_scale": 5.0, "no_graphics": True,
        "device": "cpu",
    }  # fmt: skip
    assert set(used_tree(config)) == {"behaviors"}
    assert config.given != config.used


def test_an_override_replaces_one_value() -> None:
    config = with_overrides(read_config(BALL), {"behaviors.Ball.max_steps": 40_000})
    assert config.given == BALL
    assert config.behaviors["Ball"].max_steps == 40_000
    expected = yaml.safe_load(BALL)
    expected["behaviors"]["Ball"]["max_steps"] = 40_000
    assert used_tree(config) == expected


def test_overrides_that_change_nothing_leave_the_bytes_alone() -> None:
    config = read_config(BALL)
    assert with_overrides(config, {}).used == BALL
    assert with_overrides(config, {"behaviors.Ball.summary_freq": "1000"}).used == BALL


def test_a_truth_value_is_not_the_number_it_equals() -> None:
    config = read_config(b"behaviors: {A: {network_settings: {normalize: true}}}")
    changed = with_overrides(config, {"behaviors.A.network_settings.normalize": 1})
    assert used_tree(changed)["behaviors"]["A"]["network_settings"]["normalize"] == 1
    assert changed.used != config.used


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("behaviors.Ball.learning_rate", 0.001, {"hyperparameters": {"batch_size": 64, "learning_rate": 0.001}}),
        (
            "behaviors.Ball.hyperparameters.learning_rate",
            "1e-5",
            {"hyperparameters": {"batch_size": 64, "learning_rate": 1e-5}},
        ),
        ("behaviors.Ball.max_steps", "1e6", {"max_steps": 1_000_000}),
        ("behaviors.Ball.max_steps", 1e6, {"max_steps": 1_000_000}),
        ("behaviors.Ball.network_settings.normalize", "false", {"network_settings": {"normalize": False}}),
        ("behaviors.Ball.reward_signals.extrinsic.gamma", 0.9, {"reward_signals": {"extrinsic": {"gamma": 0.9}}}),
        ("behaviors.Ball.init_path", "nets/Ball.pt", {"init_path": "nets/Ball.pt"}),
        ("behaviors.Ball.init_path", None, {"init_path": None}),
    ],
)
def test_a_path_and_a_value_as_people_write_them(path: str, value: Any, expected: dict[str, Any]) -> None:
    settings = used_tree(with_overrides(read_config(BALL), {path: value}))["behaviors"]["Ball"]
    for key, wanted in expected.items():
        assert (settings[key], type(settings[key])) == (wanted, type(wanted))


def test_behaviors_with_dots_are_found_longest_first() -> None:
    config = read_config(b"behaviors:\n  A: {}\n  A.B: {}\n  A.B.max_steps: {}\n")
    changed = with_overrides(
        config, {"behaviors.A.B.max_steps": 5, "behaviors.A.B.max_steps.max_steps": 6, "behaviors.A.max_steps": 7}
    )
    assert {name: plan.max_steps for name, plan in changed.behaviors.items()} == {"A": 7, "A.B": 5, "A.B.max_steps": 6}


def test_a_hyperparameter_brings_the_trainer_type_that_it_needs() -> None:
    changed = with_overrides(read_config(b"behaviors: {A: {}}"), {"behaviors.A.learning_rate": 0.01})
    assert used_tree(changed)["behaviors"]["A"] == {"trainer_type": "ppo", "hyperparameters": {"learning_rate": 0.01}}
    shared = with_overrides(
        read_config(b"default_settings: {trainer_type: sac}\nbehaviors: {A: {}}"), {"behaviors.A.learning_rate": 0.01}
    )
    assert shared.behaviors["A"].trainer_type == "sac"


def test_environment_parameters_can_be_set_and_added() -> None:
    config = read_config(b"behaviors: {A: {}}\nenvironment_parameters: {wind.speed: 1}\n")
    changed = with_overrides(config, {"environment_parameters.wind.speed": 2.5, "environment_parameters.gravity": 9})
    assert used_tree(changed)["environment_parameters"] == {"wind.speed": 2.5, "gravity": 9}


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("behaviors.Nobody.max_steps", 1, "no behavior Nobody"),
        ("behaviors.Ball", 1, "names a behavior"),
        ("behaviors.Ball.", 1, "names a behavior"),
        ("behaviors.", 1, "leads nowhere"),
        ("", 1, "leads nowhere"),
        ("max_steps", 1, "leads nowhere"),
        ("default_settings.max_steps", 1, "no default_settings"),
        ("env_settings.env_path", "/bin/sh", "cannot be overridden"),
        ("checkpoint_settings.run_id", "x", "cannot be overridden"),
        ("behaviors.Ball.hyperparameters", 1, "not a single value"),
        ("behaviors.Ball.max_steps.x", 1, "single value"),
        ("behaviors.Ball..x", 1, "no setting"),
        ("behaviors.Ball.max_steps", [1], "must be a number"),
        ("behaviors.Ball.max_steps", float("nan"), "finite"),
        ("behaviors.Ball.init_path", "", "short text"),
        ("behaviors.Ball.init_path", "a\nb", "short text"),
        ("behaviors.Ball.init_path", "\ud800", "short text"),
    ],
)
def test_an_override_that_leads_nowhere_is_told(path: str, value: Any, words: str) -> None:
    assert words in str(override_refusal(read_config(BALL), path, value))


def test_an_override_that_could_not_train_is_refused() -> None:
    for path, value in (
        ("max_steps", 0),
        ("max_steps", "soon"),
        ("learning_rate", -1),
        ("max_step", 5),
        ("trainer_type", 3),
    ):
        error = override_refusal(read_config(BALL), f"behaviors.Ball.{path}", value)
        assert path.split(".")[0] in str(error)


def test_a_refused_override_is_an_override_error() -> None:
    with pytest.raises(OverrideError):
        with_overrides(read_config(BALL), {"behaviors.Nobody.max_steps": 1})


TEXT = st.text(max_size=20).filter(lambda text: "\0" not in text)
SCALARS = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False) | TEXT
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=20
)


def types(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: types(value) for key, value in tree.items()}
    return [types(value) for value in tree] if isinstance(tree, list) else type(tree)


@given(TREES)
@example({"\x85": "\u2028 \ufeff"})
def test_a_dump_loads_to_the_equal_tree_with_the_same_types(tree: Any) -> None:
    loaded = yaml.safe_load(dump(tree))
    assert loaded == tree
    assert types(loaded) == types(tree)


@given(
    rate=st.floats(1e-12, 1.0),
    steps=st.integers(1, 10**12),
    name=st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="/\\."), min_size=1, max_size=12),
)
def test_what_is_overridden_is_what_the_trainer_reads(rate: float, steps: int, name: str) -> None:
    config = read_config(dump({"behaviors": {name: {"trainer_type": "ppo"}}}))
    changed = with_overrides(config, {f"behaviors.{name}.learning_rate": rate, f"behaviors.{name}.max_steps": steps})
    assert used_tree(changed)["behaviors"][name] == {
        "trainer_type": "ppo", "hyperparameters": {"learning_rate": rate}, "max_steps": steps,
    }  # fmt: skip
    again = read_config(changed.used)
    assert (again.behaviors, again.used) == (changed.behaviors, changed.used)


EXAMPLES = {
    "plain": BALL,
    "defaults": b"default_settings:\n  trainer_type: sac\n  hyperparameters: {learning_rate: 3e-4}\n"
    b"behaviors:\n  A: {max_steps: '1e6'}\n",
    "everything": BALL
    + b"    network_settings: {normalize: true, memory: {sequence_length: 32}}\n    self_play: {window: 10}\n"
    b"    reward_signals: {extrinsic: {gamma: 0.9}, curiosity: {strength: 0.02}}\n    even_checkpoints: true\n"
    b"environment_parameters:\n  mass: 1.5\n  height:\n    curriculum:\n"
    b"      - name: low\n        completion_criteria: {behavior: Ball, threshold: 0.5}\n        value: 1.0\n"
    b"      - name: high\n        value: {sampler_type: uniform, sampler_parameters: {min_value: 1, max_value: 2}}\n"
    b"env_settings: {num_envs: 3, base_port: 6000}\nengine_settings: {width: 32}\ncheckpoint_settings: {run_id: ppo}\n"
    b"torch_settings: {device: cpu}\ndebug: true\n",
}


@pytest.fixture
def run_options() -> Iterator[Any]:
    from mlagents.plugins.trainer_type import register_trainer_plugins
    from mlagents.trainers.settings import RunOptions, TrainerSettings

    register_trainer_plugins()
    yield RunOptions
    TrainerSettings.default_override = None  # from_dict leaves default_settings behind in the class


@pytest.mark.mlagents
@pytest.mark.parametrize("data", EXAMPLES.values(), ids=EXAMPLES.keys())
@pytest.mark.filterwarnings("ignore")
def test_mlagents_takes_what_is_used_and_finds_nothing_that_mentor_decides(data: bytes, run_options: Any) -> None:
    config = read_config(data)
    name = next(iter(config.behaviors))
    for one in (
        config,
        with_overrides(config, {f"behaviors.{name}.learning_rate": "1e-5", f"behaviors.{name}.max_steps": 2000}),
    ):
        options = run_options.from_dict(used_tree(one))
        assert (options.env_settings.env_path, options.env_settings.env_args) == (None, None)
        assert (options.checkpoint_settings.run_id, options.checkpoint_settings.results_dir) == ("ppo", "results")
        plan, taken = one.behaviors[name], options.behaviors[name]
        assert (plan.max_steps, plan.summary_freq, plan.trainer_type) == (
            taken.max_steps,
            taken.summary_freq,
            taken.trainer_type,
        )
        assert (plan.checkpoint_interval, plan.learning_rate) == (
            taken.checkpoint_interval,
            taken.hyperparameters.learning_rate,
        )


def test_a_behavior_that_is_not_named_is_planned_by_the_default_settings() -> None:
    config = read_config(b"default_settings: {max_steps: 700}\nbehaviors:\n  A: {summary_freq: 10}\n")
    named, other = config.plan_of("A"), config.plan_of("B")
    assert named and (named.max_steps, named.summary_freq) == (700, 10)
    assert other and (other.name, other.max_steps, other.summary_freq) == ("B", 700, 50_000)


def test_a_behavior_that_nothing_speaks_of_has_no_plan() -> None:
    assert read_config(b"behaviors:\n  A: {max_steps: 700}\n").plan_of("B") is None


NUMBERS = (
    "5",
    "0",
    "-1",
    "5e5",
    "5.0e+5",
    "'12'",
    "'1e6'",
    "1e4",
    "true",
    "null",
    ".inf",
    ".nan",
    "2.7",
    "many",
    "[1]",
)
NUMBER_SETTINGS = ("max_steps", "summary_freq", "checkpoint_interval", "time_horizon", "keep_checkpoints")


@pytest.mark.mlagents
@pytest.mark.parametrize("setting", [*NUMBER_SETTINGS, "learning_rate", "batch_size"])
@pytest.mark.filterwarnings("ignore")
def test_no_number_is_taken_that_mlagents_refuses(setting: str, run_options: Any) -> None:
    taken = []
    for number in NUMBERS:
        value = {setting: yaml.safe_load(number)}
        given = value if setting in NUMBER_SETTINGS else {"hyperparameters": value}
        try:
            config = read_config(dump({"behaviors": {"A": {"trainer_type": "ppo", **given}}}))
        except ConfigError:
            continue
        theirs = run_options.from_dict(used_tree(config)).behaviors["A"]
        ours = config.behaviors["A"]
        assert (ours.max_steps, ours.checkpoint_interval) == (theirs.max_steps, theirs.checkpoint_interval)
        assert (ours.summary_freq, ours.learning_rate) == (theirs.summary_freq, theirs.hyperparameters.learning_rate)
        taken.append(number)
    assert {"5", "5.0e+5", "'12'"} <= set(taken)
    assert not {"-1", "null", ".inf", ".nan", "many", "[1]"} & set(taken)
