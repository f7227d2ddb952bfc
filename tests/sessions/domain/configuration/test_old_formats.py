"""Configurations of older versions: recognised, and written anew for 1.1.0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from sessions.domain.configuration.table import SECTIONS
from sessions.domain.configuration.validation import difference, validate
from tests.sessions.domain.configuration.examples import CURRENT
from tests.sessions.domain.configuration.mutations import mutants
from tests.sessions.domain.configuration.old_examples import (
    CURRICULUM_0_10,
    CURRICULUM_0_16,
    FLAT_OLDEST,
    FLAT_PPO,
    FLAT_SAC,
    FLAT_UNDER_BEHAVIORS,
    OLD,
    SAMPLERS_0_16,
)
from tests.sessions.domain.configuration.real_parser import refusals


def upgraded(text: str, **options: Any) -> Any:
    validation = validate(text.encode(), **options)
    assert validation.upgraded is not None, validation.findings
    return yaml.safe_load(validation.upgraded)


@pytest.mark.parametrize("name", OLD)
def test_an_old_format_is_recognised_refused_and_upgraded(name: str) -> None:
    form, text = OLD[name]
    validation = validate(text.encode())
    assert (validation.format, validation.valid) == (form, False)
    assert [one.message for one in validation.errors] == [f"This is written for ML-Agents {form}; 1.1.0 refuses it."]
    assert validation.upgraded is not None
    again = validate(validation.upgraded.encode())
    assert again.format == "1.1.0"
    assert again.valid or [one.message for one in again.errors] == ["The configuration has no behaviors."]
    assert again.upgraded is None


@pytest.mark.mlagents
def test_mlagents_takes_every_upgrade_and_refused_what_it_was_made_of() -> None:
    texts = [text for _, text in OLD.values()]
    assert [told for told in refusals([validate(text.encode()).upgraded or "" for text in texts]) if told] == []
    assert None not in refusals(texts)


def test_flat_settings_go_to_their_sections() -> None:
    maze = upgraded(FLAT_PPO)["behaviors"]["Maze"]
    assert maze["network_settings"]["memory"] == {"sequence_length": 1024, "memory_size": 256}
    assert maze["reward_signals"]["curiosity"]["network_settings"] == {"hidden_units": 256}
    assert (maze["max_steps"], maze["summary_freq"], maze["hyperparameters"]["beta"]) == (500_000, 2000, 0.005)
    behaviors = upgraded(FLAT_PPO)["behaviors"]
    assert behaviors["Twos"]["self_play"]["play_against_latest_model_ratio"] == 0.5
    assert behaviors["Cart"]["behavioral_cloning"]["steps"] == 10_000
    assert behaviors["OtherCart"] == behaviors["Cart"]
    assert behaviors["Roller"]["max_steps"] == 5_000_000


def test_sac_gets_its_steps_per_update_from_the_quotient() -> None:
    roller = upgraded(FLAT_SAC)["behaviors"]["Roller"]
    assert roller["hyperparameters"]["steps_per_update"] == 2.5
    assert "beta" not in roller["hyperparameters"]


def test_curiosity_of_the_oldest_files_becomes_a_signal() -> None:
    assert upgraded(FLAT_OLDEST)["behaviors"]["RollerBrain"]["reward_signals"] == {
        "extrinsic": {"strength": 1.0, "gamma": 0.9},
        "curiosity": {"strength": 0.01, "network_settings": {"hidden_units": 128}},
    }


def test_a_curriculum_is_for_the_behavior_its_file_is_named_after() -> None:
    lessons = upgraded(CURRICULUM_0_10, behavior="Roller")["environment_parameters"]["speed"]["curriculum"]
    assert [lesson["value"] for lesson in lessons] == [0.7, 0.5, 0.3]
    assert lessons[0]["completion_criteria"]["behavior"] == "Roller"
    assert "completion_criteria" not in lessons[-1]


def test_what_every_behavior_sets_otherwise_than_default_is_named() -> None:
    text = "default:\n  trainer: ppo\n  batch_size: 64\n  beta: 0.1\nA:\n  batch_size: 32\nB:\n  batch_size: 16\n"
    assert "# Every behavior sets otherwise than default: batch_size.\n" in (validate(text.encode()).upgraded or "")


def test_flat_settings_under_behaviors_keep_their_curriculum() -> None:
    tree = upgraded(FLAT_UNDER_BEHAVIORS)
    assert tree["behaviors"]["Roller"]["network_settings"]["memory"] == {"sequence_length": 32, "memory_size": 64}
    assert tree["behaviors"]["Cart"]["hyperparameters"]["init_entcoef"] == 0.5
    lessons = tree["environment_parameters"]["height"]["curriculum"]
    assert [lesson["value"] for lesson in lessons] == [1.5, 2.0, 2.5]
    assert lessons[1]["completion_criteria"]["behavior"] == "Roller"


def test_a_setting_of_today_in_the_wrong_place_makes_no_old_format() -> None:
    validation = validate(b"behaviors:\n  A:\n    trainer_type: ppo\n    batch_size: 64\n    beta: 0.1\n    gamma: 1\n")
    assert (validation.format, [one.line for one in validation.errors]) == ("1.1.0", [4, 5, 6])
    assert validation.errors[0].hint == "batch_size belongs under hyperparameters."


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        (FLAT_UNDER_BEHAVIORS, "hidden_units: 128", "hidden_units: many"),
        (FLAT_UNDER_BEHAVIORS, "thresholds: [0.1, 0.3]", "tresholds: [0.1, 0.3]"),
        (FLAT_UNDER_BEHAVIORS, "height: [1.5, 2.0, 2.5]", "height: [1.5, 2.0]"),
        (OLD["nameless lessons"][1], "threshold: 0.3", "threshold: 3x"),
        (OLD["nameless lessons"][1], "value: 1.5", "valeu: 1.5"),
        (CURRICULUM_0_16, "parameters:", "parameter:"),
        (CURRICULUM_0_16, "min_lesson_length: 100", "min_lesson_length: 1.5"),
        (SAMPLERS_0_16, "intervals: [[7, 10], [15, 20]]", "intervals: [[7, ten], [15, 20]]"),
        (SAMPLERS_0_16, "max_value: 10", "max_value: 0.1"),
        (SAMPLERS_0_16, "max_value: 10", "maxvalue: 10"),
        (CURRICULUM_0_16, "thresholds: [0.1, 0.3, 0.5]", "THRESHOLDS: [0.1, 0.3, 0.5]"),
    ],
)
def test_a_mistake_in_an_old_file_is_an_error_in_its_line(text: str, good: str, bad: str) -> None:
    validation = validate(text.replace(good, bad, 1).encode())
    line = next(number for number, one in enumerate(text.splitlines(), 1) if good in one)
    assert validation.upgraded is None
    assert line in [one.line for one in validation.errors]


def test_what_two_behaviors_share_by_name_is_looked_at_once() -> None:
    text = "Twin: Roller\nRoller:\n  trainer: ppo\n  batch_size: many\n  betta: 0.1\n"
    assert [one.line for one in validate(text.encode()).findings] == [1, 4, 5]


def test_a_misspelt_end_of_a_range_is_not_told_at_the_other_end_too() -> None:
    text = SAMPLERS_0_16.replace("    min_value: 0.5\n    max_value: 10\n", "    min_value: 5\n    max value: 10\n")
    assert [one.line for one in validate(text.encode()).errors] == [1, 5]


def test_capitals_hide_no_name() -> None:
    told = validate(FLAT_SAC.replace("    tau: 0.005\n", "    TAU: 0.005\n").encode()).warnings
    assert [one.hint for one in told if one.line == 19] == ["Did you mean tau?"]


def test_json_may_be_indented_with_tabs() -> None:
    text = CURRICULUM_0_10.replace("    ", "\t")
    assert upgraded(text, behavior="Roller") == upgraded(CURRICULUM_0_10, behavior="Roller")
    assert [one.line for one in validate(b'{"behaviors":\n\t{}}').errors] == [2], "which 1.1.0 refuses"


def test_what_an_upgrade_leaves_out_is_told_where_it_stood() -> None:
    text = FLAT_SAC.replace("    tau: 0.005\n", "    tauu: 0.005\n")
    told = {one.line: one.hint for one in validate(text.encode()).warnings}
    assert told[19] == "Did you mean tau?"


RENAMED = {
    "trainer": "trainer_type", "encoding_size": "hidden_units", "curiosity_enc_size": "hidden_units",
    "curiosity_strength": "strength", "play_against_current_self_ratio": "play_against_latest_model_ratio",
    "sampler-type": "sampler_type", "thresholds": "threshold",
}  # fmt: skip
KEPT_BY_NAME = {key.name for section in SECTIONS.values() for key in section.keys} - {"height"}
# What stands for them is of another shape, or given in words.
MADE_OTHERWISE = {"use_recurrent", "use_curiosity", "train_interval", "num_update", "multirange_uniform", "OtherCart"}


def leaves(tree: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every single value with the key it stands under."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from leaves(value, str(name))
    elif isinstance(tree, list):
        for value in tree:
            yield from leaves(value, key)
    else:
        try:
            yield key, str(float(tree))
        except (TypeError, ValueError):
            yield key, str(tree)


@pytest.mark.parametrize("name", OLD)
def test_no_setting_of_an_old_file_is_lost_without_a_word(name: str) -> None:
    text = OLD[name][1]
    validation = validate(text.encode())
    made = set(leaves(yaml.safe_load(validation.upgraded or "")))
    values = {value for _, value in made}
    told = {one.path.rpartition(".")[2] for one in validation.warnings} | MADE_OTHERWISE
    said = (validation.upgraded or "").partition("\nbehaviors")[0]
    for key, value in leaves(yaml.safe_load(text)):
        kept = (RENAMED.get(key, key), value) in made or (key not in KEPT_BY_NAME and value in values)
        assert kept or key in told or value in told or key in said or f"trainer {value}" in said, (key, value)


def test_what_has_no_effect_in_the_upgrade_is_told_where_it_stood() -> None:
    told = {one.line: one.message for one in validate(FLAT_SAC.encode()).warnings}
    assert told[11] == "memory_size has no effect without use_recurrent: true; the upgrade leaves it out."
    assert told[30] == "beta has no effect for sac; the upgrade leaves it out."
    assert 13 not in told


def test_a_wrong_value_in_an_old_file_is_told_at_its_line() -> None:
    text = FLAT_SAC.replace("hidden_units: 128", "hidden_units: many")
    validation = validate(text.encode())
    assert [one.line for one in validation.errors] == [1, 6]
    assert validation.upgraded is None


def test_what_went_out_of_use_is_replaced_without_being_refused() -> None:
    text = CURRENT["signals"].replace(
        "        network_settings:\n          hidden_units: 256\n", "        encoding_size: 64\n"
    )
    text = text.replace("    keep_checkpoints", "    framework: pytorch\n    keep_checkpoints")
    validation = validate(text.encode())
    assert (validation.valid, validation.format, len(validation.warnings)) == (True, "1.1.0", 2)
    behavior = upgraded(text)["behaviors"]["Roller"]
    assert behavior["reward_signals"]["curiosity"]["network_settings"] == {"hidden_units": 64}
    assert "framework" not in behavior


def test_the_difference_is_shown_line_by_line() -> None:
    shown = difference("a: 1\nb: 2", "a: 1\nb: 3\n", "x.yaml")
    assert "-b: 2\n+b: 3\n" in shown
    assert "+++ x.yaml, upgraded" in shown


@pytest.mark.slow
@pytest.mark.mlagents
def test_no_mistake_in_an_old_file_passes_or_leads_to_an_upgrade_that_is_refused() -> None:
    upgrades = []
    for form, text in OLD.values():
        for mutant in mutants(text, seed=5):
            validation = validate(mutant.text.encode())
            assert not validation.valid, (form, mutant)
            upgrades += [validation.upgraded] if validation.upgraded else []
    assert len(upgrades) > 200
    assert [told for told in refusals(upgrades) if told] == []
