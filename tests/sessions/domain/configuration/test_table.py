"""The table of settings says what the installed mlagents says, and the documentation what the table says."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from sessions.domain.configuration import table
from sessions.domain.configuration.documentation import as_markdown
from sessions.domain.configuration.schema import Kind, Section

DOCS = Path(__file__).parents[4] / "docs" / "configuration.md"


@pytest.mark.parametrize("section", table.SECTIONS.values(), ids=table.SECTIONS.keys())
def test_every_setting_has_a_sentence_of_help_and_a_default_within_its_ranges(section: Section) -> None:
    for key in section.keys:
        assert re.fullmatch(r"[A-Za-z0-9].*\.", key.help), key.name
        assert (key.kind is Kind.CHOICE) <= bool(key.choices)
        assert key.section in ("", *table.SECTIONS)
        if isinstance(key.default, (int, float)) and not isinstance(key.default, bool):
            ranges = (key.limits, key.sound)
            assert all(allowed is None or key.default in allowed for allowed in ranges), key.name


def _classes() -> dict[str, Any]:
    from mlagents.plugins import all_trainer_settings
    from mlagents.plugins.trainer_type import register_trainer_plugins
    from mlagents.trainers import settings as theirs

    register_trainer_plugins()
    return {
        "configuration": theirs.RunOptions, "behavior": theirs.TrainerSettings,
        "network_settings": theirs.NetworkSettings, "memory": theirs.NetworkSettings.MemorySettings,
        "extrinsic": theirs.RewardSignalSettings, "curiosity": theirs.CuriositySettings, "gail": theirs.GAILSettings,
        "rnd": theirs.RNDSettings, "behavioral_cloning": theirs.BehavioralCloningSettings,
        "self_play": theirs.SelfPlaySettings, "lesson": theirs.Lesson,
        "curriculum": theirs.EnvironmentParameterSettings, "completion_criteria": theirs.CompletionCriteriaSettings,
        "uniform": theirs.UniformSettings, "gaussian": theirs.GaussianSettings,
        "multirangeuniform": theirs.MultiRangeUniformSettings, "constant": theirs.ConstantSettings,
        "env_settings": theirs.EnvironmentSettings, "engine_settings": theirs.EngineSettings,
        "checkpoint_settings": theirs.CheckpointSettings, "torch_settings": theirs.TorchSettings,
        **{f"hyperparameters of {name}": all_trainer_settings[name] for name in ("ppo", "sac", "poca")},
    }  # fmt: skip


@pytest.mark.mlagents
@pytest.mark.filterwarnings("ignore")
def test_names_defaults_and_choices_are_those_of_mlagents() -> None:
    import attr

    classes = _classes()
    assert set(classes) == set(table.SECTIONS) - {"sampler"}
    for name, theirs in classes.items():
        fields = attr.fields_dict(theirs)
        ours = {key.name: key for key in table.SECTIONS[name].keys}
        assert set(ours) - {"framework"} == set(fields)
        for field_name, field in fields.items():
            key = ours[field_name]
            assert key.required == (field.default is attr.NOTHING), f"{name}.{field_name}"
            if key.kind in (Kind.WHOLE, Kind.NUMBER, Kind.TRUTH, Kind.TEXT, Kind.STEPS) and not _follows(key.default):
                assert key.required or key.default == _plain(field.default, theirs), f"{name}.{field_name}"
            if isinstance(field.type, type) and issubclass(field.type, Enum):
                assert set(key.choices) == {member.value for member in field.type}


def _follows(default: Any) -> bool:
    return isinstance(default, str) and default.startswith("[")


def _plain(default: Any, theirs: Any) -> Any:
    if hasattr(default, "takes_self"):
        return default.factory(theirs()) if default.takes_self else default.factory()
    return default


def test_the_documentation_lists_the_table() -> None:
    written = DOCS.read_text(encoding="utf-8")
    assert as_markdown() in written, "run manage.py shell: sessions.domain.configuration.documentation.as_markdown()"
