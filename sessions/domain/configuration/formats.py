"""Which version of ML-Agents a configuration was written for."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from sessions.domain.configuration.names import meant
from sessions.domain.configuration.table import BEHAVIOR, LESSON, ROOT, VERSION
from sessions.domain.yaml_tree import TreePath


class Format(Enum):
    """The formats there were. Whatever mlagents 1.1.0 reads as it stands is of the current one."""

    CURRENT = VERSION
    SECTIONED = "0.17-0.18"
    NAMED = "0.17.0.dev0"
    FLAT = "0.16 or older"
    CURRICULUM = "0.16 or older, curriculum"
    SAMPLERS = "0.16 or older, samplers"


# Keys of a behavior until 0.16 that make a section recognisable; each stood directly under its name.
FLAT_SIGNS = frozenset((
    "trainer", "batch_size", "buffer_size", "beta", "epsilon", "hidden_units", "lambd", "learning_rate", "num_epoch",
    "num_layers", "normalize", "use_recurrent", "sequence_length", "memory_size", "vis_encode_type", "num_update",
    "train_interval", "init_entcoef", "tau", "buffer_init_steps", "use_curiosity", "brain_to_imitate", "gamma",
    "learning_rate_schedule", "curiosity_strength", "curiosity_enc_size", "batches_per_epoch",
))  # fmt: skip
_LATER_SIGNS = frozenset(("trainer_type", "hyperparameters", "network_settings"))
# A single one under a behavior may also be a setting of today in the wrong place.
_ENOUGH_FLAT_SIGNS = 3
CURRICULUM_SIGNS = frozenset(("measure", "thresholds", "parameters"))
# Left out of the behaviors and of the document by mlagents 0.19.
OLD_SECTIONS = ("parameter_randomization", "curriculum")
OLD_BEHAVIOR_KEYS = ("output_path",)


def format_of(tree: Any) -> Format:
    """Return the format of a document; what is nothing at all is taken for the current one."""
    if not isinstance(tree, Mapping) or not tree:
        return Format.CURRENT
    if "behaviors" in tree or "default_settings" in tree:
        if _are_flat(tree.get("behaviors")):
            return Format.NAMED
        return Format.SECTIONED if signs_of_sections(tree) else Format.CURRENT
    if len(CURRICULUM_SIGNS & tree.keys()) >= 2:
        return Format.CURRICULUM
    sections = [value for value in tree.values() if isinstance(value, Mapping)]
    if any(len(CURRICULUM_SIGNS & section.keys()) >= 2 for section in sections):
        return Format.CURRICULUM
    if "resampling-interval" in tree or any("sampler-type" in section for section in sections):
        return Format.SAMPLERS
    if any(section.keys() & FLAT_SIGNS for section in _unknown_sections(tree)) or _is_default(tree.get("default")):
        return Format.FLAT
    return Format.SECTIONED if any(name in tree for name in OLD_SECTIONS) else Format.CURRENT


def _are_flat(behaviors: Any) -> bool:
    """Tell whether the settings of a behavior stand side by side under `behaviors`, and none has a section of 0.17."""
    sections = behaviors.values() if isinstance(behaviors, Mapping) else ()
    given = [section.keys() for section in sections if isinstance(section, Mapping)]
    if any(keys & _LATER_SIGNS for keys in given):
        return False
    return any("trainer" in keys or len(keys & FLAT_SIGNS) >= _ENOUGH_FLAT_SIGNS for keys in given)


def _is_default(section: Any) -> bool:
    return isinstance(section, Mapping) and not section.keys() & {"trainer_type", "hyperparameters"}


def _unknown_sections(tree: Mapping[Any, Any]) -> list[Mapping[Any, Any]]:
    return [value for name, value in tree.items() if name not in ROOT.names and isinstance(value, Mapping)]


def signs_of_sections(tree: Mapping[Any, Any]) -> list[TreePath]:
    """Return the paths of everything in a document that only 0.17 and 0.18 had."""
    found: list[TreePath] = [(name,) for name in OLD_SECTIONS if name in tree]
    behaviors = tree.get("behaviors")
    for name, settings in behaviors.items() if isinstance(behaviors, Mapping) else ():
        if isinstance(settings, Mapping):
            found += [("behaviors", str(name), key) for key in OLD_BEHAVIOR_KEYS if key in settings]
    parameters = tree.get("environment_parameters")
    for name, settings in parameters.items() if isinstance(parameters, Mapping) else ():
        lessons = settings.get("curriculum") if isinstance(settings, Mapping) else None
        if isinstance(lessons, list) and any(nameless(lesson) for lesson in lessons):
            found.append(("environment_parameters", str(name), "curriculum"))
    return found


def nameless(lesson: Any) -> bool:
    """Tell whether a lesson is written `- Lesson0: {…}`, as the converter of ML-Agents writes it."""
    if not isinstance(lesson, Mapping) or len(lesson) != 1:
        return False
    ((name, inner),) = lesson.items()
    return isinstance(inner, Mapping) and meant(str(name), LESSON) is None


def old_keys() -> tuple[str, ...]:
    """The keys of old formats that a check of the current one passes over."""
    return tuple(name for name in (*OLD_SECTIONS, *OLD_BEHAVIOR_KEYS) if BEHAVIOR.get(name) is None)
