"""One setting written into a text, which else stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.configuration.common import COMMON, common_settings
from sessions.domain.configuration.presets import PRESETS
from sessions.domain.configuration.validation import validate
from sessions.domain.configuration.writing import with_setting
from sessions.domain.yaml_tree import ConfigError, parse

TEXT = """\
# on top
behaviors:
    Ball:   # the ball
        trainer_type: ppo # kept
        hyperparameters: {batch_size: 64}
        # about steps
        max_steps: 5e5

    Cube:
    Wall: {}
"""
VALUES = {"trainer_type": "sac", "normalize": "true", "learning_rate": "0.001", "gamma": "0.9"}


def changed(path: str, value: str, text: str = TEXT) -> str:
    return with_setting(text, tuple(path.split(".")), value)


def test_a_value_is_changed_where_it_stands() -> None:
    assert changed("behaviors.Ball.max_steps", "7") == TEXT.replace("5e5", "7")
    assert changed("behaviors.Ball.hyperparameters.batch_size", "32") == TEXT.replace("64", "32")
    assert changed("behaviors.Ball.trainer_type", "sac") == TEXT.replace("ppo #", "sac #")


def test_a_missing_key_comes_after_those_that_the_table_has_before_it() -> None:
    added = "        hyperparameters: {batch_size: 64}\n        network_settings:\n            normalize: true\n"
    expected = TEXT.replace("        hyperparameters: {batch_size: 64}\n", added)
    assert changed("behaviors.Ball.network_settings.normalize", "true") == expected


def test_a_missing_key_goes_into_braces_where_there_are_braces() -> None:
    assert "{batch_size: 64, learning_rate: 0.001}\n" in changed(
        "behaviors.Ball.hyperparameters.learning_rate", "0.001"
    )
    assert "Wall: {reward_signals: {extrinsic: {gamma: 0.9}}}\n" in changed(
        "behaviors.Wall.reward_signals.extrinsic.gamma", "0.9"
    )


def test_a_behavior_without_settings_gets_its_first() -> None:
    assert "    Cube:\n        max_steps: 5\n    Wall" in changed("behaviors.Cube.max_steps", "5")
    assert changed("behaviors.A.max_steps", "5", "") == "behaviors:\n  A:\n    max_steps: 5\n"
    assert changed("behaviors.A.max_steps", "5", "behaviors: null # x") == "behaviors: # x\n  A:\n    max_steps: 5\n"


def test_line_ends_and_a_byte_order_mark_stay() -> None:
    text = "\ufeff" + TEXT.replace("\n", "\r\n")
    found = changed("behaviors.Ball.time_horizon", "5", text)
    assert found.startswith("\ufeff# on top\r\n")
    assert found.count("\n") == found.count("\r\n") == text.count("\n") + 1


@pytest.mark.parametrize("value", ["", " ", "[1]", "{}", "a: b", "1 # x", "1\nb: 2", "null", "&a 1", "!t x", "\ud800"])
def test_only_a_word_or_a_number_is_written(value: str) -> None:
    with pytest.raises(ConfigError):
        changed("behaviors.Ball.max_steps", value)


@pytest.mark.parametrize("path", ["behaviors.Ball", "behaviors.Ball.max_steps.more", "behaviors.Ball.hyperparameters"])
def test_what_is_a_section_or_none_stays_so(path: str) -> None:
    with pytest.raises(ConfigError):
        changed(path, "1")


@given(text=st.sampled_from([TEXT, *(preset.config for preset in PRESETS)]), data=st.data())
def test_any_common_setting_can_be_written_and_read_again(text: str, data: st.DataObject) -> None:
    for path in data.draw(st.lists(st.sampled_from(COMMON), max_size=6)):
        name = data.draw(st.sampled_from([group.name for group in common_settings(text)]))
        value = VALUES.get(path[-1], str(data.draw(st.integers(1, 1000))))
        comments = [line.partition("#")[2] for line in text.splitlines()]
        text = with_setting(text, ("behaviors", name, *path), value)
        group = next(one for one in common_settings(text) if one.name == name)
        setting = next(one for one in group.settings if one.path[2:] == path)
        assert setting.given == value
        assert [one for one in comments if one] == [
            found for line in text.splitlines() if (found := line.partition("#")[2])
        ]


@given(text=st.text(alphabet="ab:{}[],-# \n\t\"'1|>&*!é😀", max_size=60), value=st.text(max_size=5))
def test_any_text_is_written_rightly_or_refused(text: str, value: str) -> None:
    try:
        found = with_setting(text, ("a", "b"), value)
    except ConfigError:
        return
    assert parse(found.encode()).tree["a"]["b"] is not None


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_preset_is_without_findings(preset: object) -> None:
    config = next(one.config for one in PRESETS if one is preset)
    assert not validate(config.encode(), has_environment=True).findings
