"""Validation: everything that is wrong, at the line where it stands, with what to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.domain.configuration.findings import Severity
from sessions.domain.configuration.validation import Validation, validate
from tests.sessions.domain.configuration.examples import CURRENT, ppo
from tests.sessions.domain.configuration.strict_cases import strict_cases
from tests.sessions.domain.test_config import HOSTILE, SYNTAX

A = "behaviors:\n  A:\n    trainer_type: ppo\n"
MEMORY = (
    A + "    hyperparameters:\n      batch_size: 7\n    network_settings:\n      memory:\n        sequence_length: 64\n"
)


def validated(text: str | bytes) -> Validation:
    return validate(text.encode() if isinstance(text, str) else text)


def found(text: str | bytes) -> list[tuple[str, int | None, str]]:
    """Severity, line and message of everything found."""
    return [(one.severity.value, one.line, one.message) for one in validated(text).findings]


@pytest.mark.parametrize("text", CURRENT.values(), ids=CURRENT.keys())
def test_what_is_usual_has_no_error(text: str) -> None:
    validation = validated(text)
    assert (validation.valid, validation.format, validation.upgraded) == (True, "1.1.0", None)
    assert all("field of the session" in one.message for one in validation.findings)


def test_several_mistakes_are_all_told_in_their_order() -> None:
    text = A + "    max_step: 5\n    network_settings:\n      hiden_units: 9\n    time_horizon: soon\n"
    assert found(text) == [
        ("error", 4, "max_step is no setting of a behavior."),
        ("warning", 6, "hiden_units is no setting of network_settings; ML-Agents passes over it without a word."),
        ("error", 7, "time_horizon must be a positive whole number."),
    ]
    assert [one.hint for one in validated(text).findings[:2]] == [
        "Did you mean max_steps?",
        "Did you mean hidden_units?",
    ]


@pytest.mark.parametrize(
    ("text", "severity", "line", "words"),
    [
        (A + "    network_settings:\n      normalize: 'false'\n", "warning", 5, "takes it for true"),
        (A + "    network_settings:\n      conditioning_type: none\n", "warning", 5, "no setting"),
        (A + "    hyperparameters:\n      batch_size: 64\n      buffer_size: 32\n", "warning", 5, "nothing would ever"),
        (A + "    hyperparameters:\n      batch_size: 600\n      buffer_size: 1000\n", "warning", 5, "400 of 1000"),
        (A + "    hyperparameters:\n      buffer_size: 1e4\n", "error", 5, "positive whole number"),
        (A + "    hyperparameters:\n      learning_rate: -1\n", "error", 5, "0 or more"),
        (A + "    hyperparameters:\n      learning_rate: 0\n", "warning", 5, "only above 0 makes sense"),
        (A + "    hyperparameters:\n      learning_rate: 3\n", "warning", 5, "far from what is usual"),
        (A + "    hyperparameters:\n      tau: 0.1\n", "error", 5, "hyperparameters of ppo"),
        (A + "    hyperparameters:\n      tau: 0.1\n      init_entcoef: 1\n", "error", 3, "are hyperparameters of sac"),
        (MEMORY, "error", 5, "sequence_length (64) is larger than batch_size (7)"),
        (MEMORY, "error", 8, "sequence_length (64) is larger than batch_size (7)"),
        (A + "    hyperparameters:\n      learning_rate_schedule: cosine\n", "error", 5, "linear or constant"),
        (A + "    max_steps: 500000\n", "warning", 4, "gives 10 points in 500,000 steps"),
        (A + "    max_steps: 100\n    summary_freq: 200\n", "warning", 5, "no summary"),
        (A + "    max_steps: 9000\n    summary_freq: 90\n", "warning", 4, "before its buffer"),
        (A + "    checkpoint_interval: 10000000\n    max_steps: 600000\n", "warning", 4, "nothing is saved"),
        (A + "    keep_checkpoints: 0\n", "warning", 4, "keeps every checkpoint"),
        (A + "    even_checkpoints: true\n    keep_checkpoints: 0\n", "error", 5, "not 0"),
        (A + "    network_settings:\n      memory:\n        memory_size: 7\n", "error", 6, "even"),
        (
            A + "    network_settings:\n      memory:\n        sequence_length: 2000\n",
            "error",
            6,
            "larger than batch_size",
        ),
        (
            A + "    self_play:\n      save_steps: 500\n      team_change: 200\n",
            "warning",
            6,
            "smaller than save_steps",
        ),
        (A + "    behavioral_cloning:\n      steps: 5\n", "error", 4, "demo_path is missing"),
        (A + "    behavioral_cloning:\n      demo_pth: x\n", "error", 5, "demo_pth is no setting"),
        (A + "    reward_signals:\n      curiosty: {}\n", "error", 5, "no reward signal"),
        (A + "    reward_signals: {}\n", "warning", 4, "Nothing is rewarded"),
        (A + "    framework: pytorch\n", "warning", 4, "went out of use"),
        (A + "    trainer_type: sac\n", "warning", 4, "given twice"),
        (A + "    time_horizon: 0100\n", "warning", 4, "as 64"),
        (A + "    time_horizon: 2.5\n", "warning", 4, "whole part"),
        (A + "    max_steps: true\n", "warning", 4, "counts as 1"),
        (A + "debug: 1\n", "warning", 4, "takes it for true"),
        ("behaviors:\n  yes: {}\n", "warning", 2, "not as text"),
        ("behaviors:\n  A:\n    trainer_type: pppo\n", "error", 3, "no trainer pppo"),
        (A + "env_settings:\n  num_envs: 4\n", "error", 5, "need a build"),
        (A + "env_settings:\n  env_path: /b\n", "warning", 5, "field of the session"),
        (A + "checkpoint_settings:\n  resume: true\n", "warning", 5, "field of the session"),
        ("\ufeff" + A, "warning", 1, "byte order mark"),
    ],
)
def test_each_mistake_is_found_at_its_line(text: str, severity: str, line: int, words: str) -> None:
    here = [message for kind, place, message in found(text) if (kind, place) == (severity, line)]
    assert any(words in message for message in here), found(text)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("behaviors\n  A:\n    max_steps: 5\n", 1, "colon is missing after behaviors"),
        ("behaviors:\n  A: [1]\n    trainer_type: ppo\n    max_steps: 5\n", 2, "exclude each other"),
        (A + "    hyperparameters\n      batch_size: 5\n", 4, "colon is missing after hyperparameters"),
        (A + "    max_steps 5000\n    time_horizon: 64\n", 4, "colon is missing after max_steps"),
        (A + "    max_steps 5000\n", 4, "colon is missing after max_steps"),
        (A + "    max_steps:5000\n    time_horizon: 64\n", 4, "blank is missing after max_steps"),
        (A + "    hyperparameters:\n      batch_size 64\n", 5, "settings indented"),
        (A + "    hyperparameters: 5\n      batch_size: 64\n      beta: 1\n", 4, "exclude each other"),
        (A + "    max_steps: 5000\n      time_horizon: 64\n    threaded: no\n", 5, "indented too far"),
        (A + "\tmax_steps: 5\n", 4, "tab"),
        (A + "    max_steps:\t5\n", 4, "tab"),
        (A + "    init_path: 'a\n    max_steps: 5\n", 4, "quotation mark"),
        (A + "    init_path: C: x\n", 4, "colon too many"),
        ("environment_parameters:\n  a: [1,\n" + A, 2, "bracket"),
        (A + "    hyperparameters: {}\n      beta: 1\n", 4, "exclude each other"),
        (A + "    reward_signals:\n      extrinsic: [1]\n        gamma: 1\n        strength: 1\n", 5, "exclude each"),
        ("environment_parameters:\n  p:\n    curriculum: many\n      - name: a\n" + A, 3, "exclude each other"),
        (A + "    [max_steps: 5\n    threaded: true\n", 4, "bracket"),
        (A + "    !max_steps: 5\n    threaded: true\n", 4, "begins with !"),
        (A + "    hyperparameters:\n    beta: 1\n      epsilon: 1\n", 5, "indented too little"),
        (
            A + "    self_play:\n      window: 5\n    threaded: true\n  max_steps: 5\n    time_horizon: 5\n",
            7,
            "too little",
        ),
        (A + "    self_play:\n        window: 5\n      save_steps: 5\n      swap_steps: 5\n", 5, "indented too far"),
        (A + "    - max_steps: 5\n    threaded: true\n", 4, "A list begins"),
        ("  " + A.replace("\n  ", "\n   ") + "debug: true\n", 1, "first line is indented"),
        (A + "    max_steps:\u00a05\n    threaded: true\n", 4, "looks like a blank"),
        (A + "    init_path: 'a\n    max_steps: 5\n    demo: 'b'\n", 4, "quotation mark"),
    ],
)
def test_a_text_that_is_no_yaml_is_told_where_the_mistake_is(text: str, line: int, words: str) -> None:
    (one,) = validated(text).findings
    assert one.severity is Severity.ERROR
    assert (one.line, words in one.message) == (line, True), one


def test_no_crowd_of_warnings_hides_an_error() -> None:
    crowd = "".join(f"      z{number}: 1\n" for number in range(400))
    validation = validated(A + "    network_settings:\n" + crowd + "    max_stepz: 5\n")
    assert [one.line for one in validation.errors] == [405]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a: &x {b: 1}\n", "Write the settings out where they are used"),
        ("behaviors:\n  A:\n    <<: {max_steps: 5}\n", "Write the settings out where they are used"),
        ("a: !mine 1\n", "Take it away"),
    ],
)
def test_what_yaml_can_and_a_configuration_may_not_is_refused_with_what_to_do(text: str, hint: str) -> None:
    (one,) = validated(text).errors
    assert hint in one.hint


def test_an_older_trainer_is_told_apart() -> None:
    text = CURRENT["newest"] + "torch_settings: {device: cpu}\n"
    told = {one.path.rpartition(".")[2]: one.message for one in validate(text.encode(), version="0.27.0").warnings}
    assert {"shared_critic", "beta_schedule", "deterministic", "even_checkpoints"} <= told.keys()
    assert "0.27.0 refuses it" in told["even_checkpoints"]
    assert "0.27.0 passes over it" in told["deterministic"]
    assert "device" not in told
    assert not [one for one in validate(text.encode(), version="1.1.0").warnings if "is known since" in one.message]
    poca = CURRENT["poca"].encode()
    assert any("poca is known since ML-Agents 0.25" in one.message for one in validate(poca, version="0.21").warnings)


def test_lessons_are_checked_one_by_one() -> None:
    text = (
        CURRENT["curriculum"].replace("behavior: Roller", "behavior: Rller", 1).replace("name: Middle", "nam: Middle")
    )
    text += "        completion_criteria:\n          behavior: Roller\n"
    messages = [message for _, _, message in found(text)]
    assert "There is no behavior Rller: this lesson would never end." in messages
    assert "nam is no setting of a lesson." in messages
    assert "The last lesson has no next one: its completion_criteria is ignored." in messages


def test_a_misspelt_trainer_type_still_says_which_hyperparameters_there_are() -> None:
    text = "behaviors:\n  A:\n    trainer-type: sac\n    hyperparameters:\n      tau: 0.1\n      init_entcoef: 1\n"
    assert [one.line for one in validated(text).errors] == [3]


def test_hyperparameters_of_another_trainer_come_along_with_default_settings() -> None:
    text = "default_settings: {trainer_type: ppo}\nbehaviors:\n  A:\n    trainer_type: sac\n"
    ((severity, line, message),) = [one for one in found(text) if "default_settings" in one[2]]
    assert (severity, line) == ("error", 4)
    assert "beta" in message


def test_a_trainer_of_a_plugin_is_known_when_it_is_named() -> None:
    text = ppo().replace("trainer_type: ppo", "trainer_type: a2c").replace("epsilon: 0.2", "own_setting: 4")
    data = f"behaviors:\n{text}".encode()
    assert [one.line for one in validate(data).errors] == [3]
    assert validate(data, plugins=["a2c"]).valid
    assert validate(data, plugins=None).valid
    own = b"{exploration_schedule: linear, batch_sise: 5}"
    data = b"behaviors: {A: {trainer_type: dqn, summary_freq: 100, hyperparameters: " + own + b"}}"
    assert [one.hint for one in validate(data, plugins=["dqn"]).warnings] == ["Did you mean batch_size?"]


def test_a_build_that_is_named_elsewhere_may_run_several_times() -> None:
    data = (A + "env_settings:\n  num_envs: 4\n").encode()
    assert validate(data, has_environment=True).valid


MORE_HOSTILE = {
    "many behaviors": b"behaviors:\n" + b"".join(b" k%d: {max_stepz: 1}\n" % n for n in range(4000)),
    "many mistakes": b"behaviors: {A: {trainer_type: ppo, hyperparameters: {"
    + b", ".join(b"z%d: 1" % n for n in range(4000))
    + b"}}}",
    "flat": b"".join(b"k%d: {trainer: ppo, batch_sizee: 1}\n" % n for n in range(1600)),
    "repeated": b"behaviors:\n" + b" A: {}\n" * 4000,
    "comments": b"# x\n" * 60_000,
    "plain words": b"behaviors: " + b"x " * 120_000,
    "lines without colons": b"behaviors:\n" + b"  a b\n" * 40_000,
}


def seconds(look: Callable[[], Any]) -> float:
    began = time.process_time()
    look()
    return time.process_time() - began


@pytest.fixture(scope="module")
def for_the_examples() -> float:
    """Seconds of a core for what is usual, on this machine as it is now."""
    return seconds(lambda: [validated(text) for text in CURRENT.values()])


@pytest.mark.parametrize("name", [*HOSTILE, *MORE_HOSTILE])
def test_nothing_hostile_takes_much_longer_than_what_is_usual(name: str, for_the_examples: float) -> None:
    text = {**HOSTILE, **MORE_HOSTILE}[name]
    answers: list[Validation] = []
    assert seconds(lambda: answers.append(validated(text))) < 100 * for_the_examples
    assert len(answers[0].findings) <= 1000


@given(st.binary(max_size=300) | st.text(SYNTAX, max_size=80).map(str.encode))
@settings(max_examples=200)
def test_any_bytes_are_answered(data: bytes) -> None:
    validation = validate(data)
    assert validation.valid == (not validation.errors)
    for one in validation.findings:
        assert one.message.endswith((".", "…"))


@given(st.sampled_from(list(strict_cases())))
def test_places_are_within_the_file(text: str) -> None:
    lines = text.splitlines()
    for one in validated(text).findings:
        assert one.line is None or 1 <= one.line <= len(lines)
        assert one.line is None or one.column is None or 1 <= one.column <= len(lines[one.line - 1]) + 1
