"""An old configuration in the words of 1.1.0. ML-Agents' own converter crashes since 0.30, so this is MENTOR's."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sessions.domain.configuration import flat, values
from sessions.domain.configuration.checking import Checker, Notes
from sessions.domain.configuration.formats import OLD_BEHAVIOR_KEYS, OLD_SECTIONS, Format
from sessions.domain.configuration.names import meant, misspelt, suggestion
from sessions.domain.configuration.schema import Section
from sessions.domain.configuration.table import FROM_ZERO, SAMPLER, SAMPLERS, SIGNALS, VERSION
from sessions.domain.yaml_tree import TreePath, dump

NOT_KEPT = "Comments are not kept."
STEPS_COUNTED = (
    "Until 0.14 steps were counted once for all agents together; if this file is as old, multiply max_steps and "
    "summary_freq by the number of agents."
)
_SAMPLER_NAMES = {"multirange_uniform": "multirangeuniform", "multi_range_uniform": "multirangeuniform"}
_OF_A_CURRICULUM = ("measure", "thresholds", "min_lesson_length", "signal_smoothing", "parameters")
_UNNAMED = "YourBehavior"
# Of samplers: how many steps their values held.
_INTERVALS = ("resampling-interval", "episode-length")


@dataclass
class Upgrade:
    """Writes an old document anew; what cannot be taken over is noted where it stands."""

    notes: Notes
    behavior: str = _UNNAMED
    remarks: list[str] = field(default_factory=list)

    def tree(self, given: Mapping[Any, Any], form: Format) -> dict[str, Any]:
        """Return the document for 1.1.0."""
        if form is Format.FLAT:
            upgrade = flat.FlatUpgrade(self.notes, self.remarks)
            made = upgrade.behaviors(given)
            self._remark(STEPS_COUNTED)
            return made
        if form is Format.CURRICULUM:
            return {"environment_parameters": self._curricula(self._by_behavior(given), {}, ())}
        if form is Format.SAMPLERS:
            return {"environment_parameters": self._samplers(given, ())}
        return self._flat_under_behaviors(given) if form is Format.NAMED else self._sectioned(given)

    def _flat_under_behaviors(self, given: Mapping[Any, Any]) -> dict[str, Any]:
        """While 0.17 was made, flat settings stood under `behaviors`, and a curriculum among those of its behavior."""
        behaviors, own = {}, {}
        for name, settings in given["behaviors"].items():
            behaviors[name] = settings
            if isinstance(settings, Mapping) and "curriculum" in settings:
                behaviors[name] = {key: value for key, value in settings.items() if key != "curriculum"}
                own[name] = settings["curriculum"]
        upgraded = flat.FlatUpgrade(self.notes, self.remarks, within=("behaviors",)).behaviors(behaviors)
        others = {name: value for name, value in given.items() if name != "behaviors"}
        return self._with_parameters(upgraded | _kept(others), given, own)

    def _sectioned(self, given: Mapping[Any, Any]) -> dict[str, Any]:
        made = _kept(given)
        behaviors = made.get("behaviors")
        for behavior, settings in behaviors.items() if isinstance(behaviors, Mapping) else ():
            for name in OLD_BEHAVIOR_KEYS:
                if isinstance(settings, dict) and settings.pop(name, None) is not None:
                    message = f"{name} went out of use; the upgrade leaves it out."
                    self.notes.warn(message, "behaviors", str(behavior), name, hint="Results have a folder of the run.")
        modernize(made)
        return self._with_parameters(made, given)

    def _with_parameters(
        self, made: dict[str, Any], given: Mapping[Any, Any], own: Mapping[Any, Any] | None = None
    ) -> dict[str, Any]:
        """Put what stood in sections of its own until 0.18 among the environment parameters.

        `own` are curricula that stood among the settings of their behavior.
        """
        parameters = self._samplers(given.get("parameter_randomization"), ("parameter_randomization",))
        curriculum = given.get("curriculum")
        if isinstance(curriculum, Mapping):
            parameters |= self._curricula(curriculum, parameters, ("curriculum",))
        for name, one in (own or {}).items():
            parameters |= self._curriculum(str(name), one, parameters, ("behaviors", str(name), "curriculum"))
        present = made.get("environment_parameters")
        if isinstance(present, Mapping):
            parameters |= present
        if parameters:
            made["environment_parameters"] = parameters
        return made

    def _by_behavior(self, given: Mapping[Any, Any]) -> Mapping[Any, Any]:
        """A file of 0.12 or older is the curriculum of the one behavior it is named after."""
        if "thresholds" not in given and "parameters" not in given:
            return given
        if self.behavior == _UNNAMED:
            self._remark(f"Until 0.12 the file's name was the behavior's: write that name for {_UNNAMED}.")
        return {self.behavior: given}

    def _samplers(self, given: Any, path: TreePath) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, sampler in given.items() if isinstance(given, Mapping) else ():
            inner = (*path, str(name))
            self.notes.odd_name(name, inner)
            if str(name).replace("_", "-") in _INTERVALS:
                self.notes.warn(f"{name} is gone: values are drawn anew at each reset.", *inner)
            elif not isinstance(sampler, Mapping):
                self.notes.error(f"{name} must be a sampler.", *inner, at_value=isinstance(sampler, str))
            else:
                made[str(name)] = self._sampler(sampler, inner)
        return made

    def _sampler(self, given: Mapping[Any, Any], path: TreePath) -> dict[str, Any]:
        spelt = next((name for name in ("sampler-type", "sampler_type") if name in given), None)
        spelt = spelt or misspelt("sampler_type", given, SAMPLER) or "sampler-type"
        if spelt in given and spelt not in ("sampler-type", "sampler_type"):
            self.notes.warn(f"{spelt} was no setting of a sampler.", *path, spelt, hint="Did you mean sampler_type?")
        kind = given.get(spelt)
        kind = _SAMPLER_NAMES.get(str(kind), kind)
        if not isinstance(kind, str) or kind not in SAMPLERS:
            where = (*path, spelt) if spelt in given else path
            self.notes.error(f"sampler-type must be one of {', '.join(SAMPLERS)}.", *where)
            return {}
        parameters = self._drawn(SAMPLERS[kind], {key: one for key, one in given.items() if key != spelt}, path)
        return {"sampler_type": kind, "sampler_parameters": parameters}

    def _drawn(self, section: Section, given: Mapping[Any, Any], path: TreePath) -> dict[str, Any]:
        """Return how values are drawn, which stood beside the type of a sampler or under `sampler_parameters`."""
        nested = given.get("sampler_parameters")
        if "sampler_parameters" in given and not isinstance(nested, Mapping):
            self.notes.error("sampler_parameters must have its settings indented under it.", *path,
                             "sampler_parameters", at_value=isinstance(nested, str))  # fmt: skip
        beside = {name: value for name, value in given.items() if name != "sampler_parameters"}
        made = self._drawn_at(section, beside, path)
        if isinstance(nested, Mapping):
            made |= self._drawn_at(section, nested, (*path, "sampler_parameters"))
        return made

    def _drawn_at(self, section: Section, given: Mapping[Any, Any], path: TreePath) -> dict[str, Any]:
        checker, made = Checker(self.notes), {}
        for name, value in given.items():
            key, where = section.get(name), (*path, str(name))
            if key is not None:
                checker.value(key, value, where)
                made[str(name)] = _number(value)
                continue
            if self.notes.is_full:
                break
            message, hint = f"{name} is no setting of a {section.name} sampler", suggestion(str(name), section.names)
            if meant(str(name), section):
                self.notes.error(f"{message}.", *where, hint=hint)
            else:
                self.notes.warn(f"{message}; the upgrade leaves it out.", *where, hint=hint)
        if given:
            checker.ordered(section, given, path)
        return made

    def _curricula(self, given: Mapping[Any, Any], taken: Mapping[str, Any], path: TreePath) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for behavior, curriculum in given.items():
            # A curriculum of 0.12 stands at the top of its file.
            inner = (*path, str(behavior)) if self.notes.place((*path, str(behavior))) else path
            self.notes.odd_name(behavior, inner)
            made |= self._curriculum(str(behavior), curriculum, {**taken, **made}, inner)
        return made

    def _curriculum(self, behavior: str, given: Any, taken: Mapping[str, Any], path: TreePath) -> dict[str, Any]:
        made: dict[str, Any] = {}
        if not isinstance(given, Mapping):
            self.notes.error(f"{behavior} must have a curriculum indented under it.", *path)
            return made
        for name, lessons in self._lessons(behavior, given, path).items():
            if name in taken:
                self.notes.warn(f"{name} is set twice; this curriculum is left out.", *path, "parameters", name)
            else:
                made[name] = {"curriculum": lessons}
        return made

    def _lessons(self, behavior: str, given: Mapping[Any, Any], path: TreePath) -> dict[str, list[Any]]:
        """The lessons of each parameter of a curriculum; empty when they cannot be told."""
        self._known(given, path)
        thresholds, parameters = given.get("thresholds"), given.get("parameters")
        if not isinstance(thresholds, list) or any(values.as_float(one) is None for one in thresholds):
            self.notes.error("thresholds must be a list of numbers.", *path, _spelt("thresholds", given))
            return {}
        if given.get("measure", "reward") not in ("reward", "progress"):
            self.notes.error("measure must be reward or progress.", *path, "measure")
        if not isinstance(parameters, Mapping):
            message = "parameters must hold names with lists of values."
            self.notes.error(message, *path, _spelt("parameters", given), at_value=isinstance(parameters, str))
            return {}
        criteria = [self._criteria(behavior, given, threshold, path) for threshold in thresholds]
        made = {}
        for name, steps in parameters.items():
            self.notes.odd_name(name, (*path, "parameters", str(name)))
            if not isinstance(steps, list) or len(steps) != len(thresholds) + 1:
                message = f"{name} needs a list of {len(thresholds) + 1} values, one more than thresholds."
                self.notes.error(message, *path, "parameters", str(name))
            elif any(values.as_float(step) is None for step in steps):
                self.notes.error(f"{name} must be a list of numbers.", *path, "parameters", str(name))
            else:
                lessons = [{"name": f"Lesson{number}", "value": _number(step)} for number, step in enumerate(steps)]
                for lesson, ending in zip(lessons, criteria, strict=False):
                    lesson["completion_criteria"] = ending
                made[str(name)] = lessons
        return made

    def _known(self, given: Mapping[Any, Any], path: TreePath) -> None:
        for name in given:
            if name not in _OF_A_CURRICULUM:
                hint = suggestion(str(name), _OF_A_CURRICULUM)
                message = f"{name} was no setting of a curriculum; the upgrade leaves it out."
                self.notes.warn(message, *path, str(name), hint=hint)

    def _criteria(self, behavior: str, given: Mapping[Any, Any], threshold: Any, path: TreePath) -> dict[str, Any]:
        least = values.as_int(given.get("min_lesson_length", 1))
        if least is None or least not in FROM_ZERO or least != values.as_float(given.get("min_lesson_length", 1)):
            self.notes.error("min_lesson_length must be a whole number, 0 or more.", *path, "min_lesson_length")
        smooth = given.get("signal_smoothing", False)
        if not isinstance(smooth, bool):
            self.notes.error("signal_smoothing must be true or false.", *path, "signal_smoothing")
        measure = given.get("measure", "reward")
        if measure == "progress" and not 0 <= (values.as_float(threshold) or 0) <= 1:
            message = "A threshold must be from 0 to 1 when the measure is progress."
            self.notes.error(message, *path, "thresholds")
        return {
            "measure": measure, "behavior": behavior, "signal_smoothing": smooth is True,
            "min_lesson_length": least or 0, "threshold": _number(threshold),
        }  # fmt: skip

    def _remark(self, text: str) -> None:
        if text not in self.remarks:
            self.remarks.append(text)


def _spelt(name: str, given: Mapping[Any, Any]) -> str:
    """The setting of a curriculum that stands for another, when that is missing and the word is near it."""
    hint = f"Did you mean {name}?"
    words = (str(word) for word in given if name not in given and word not in _OF_A_CURRICULUM)
    return next((word for word in words if suggestion(word, _OF_A_CURRICULUM) == hint), name)


def _kept(given: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): copy.deepcopy(value) for name, value in given.items() if name not in OLD_SECTIONS}


def modernize(tree: dict[str, Any]) -> bool:
    """Take what went out of use out of a document of the current format, in place; return whether there was any."""
    behaviors = [*_mappings(tree.get("behaviors")), *_mappings({"": tree.get("default_settings")})]
    changed = False
    for settings in behaviors:
        changed |= settings.pop("framework", None) is not None
        signals: Any = settings.get("reward_signals")
        for name, given in list(signals.items()) if isinstance(signals, dict) else []:
            if isinstance(given, dict) and "encoding_size" in given and name in SIGNALS:
                signals[name] = _without_encoding_size(given)
                changed = True
    return changed


def _without_encoding_size(given: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in given.items():
        if name != "encoding_size":
            made[name] = value
        elif "network_settings" not in given and value is not None:
            made["network_settings"] = {"hidden_units": value}
    return made


def as_text(tree: Mapping[str, Any], form: Format, remarks: list[str]) -> str:
    """Return an upgraded document as YAML, headed by what there is to know of it."""
    written = f"Upgraded to ML-Agents {VERSION}" + (
        f" from the format of {form.value}." if form is not Format.CURRENT else "."
    )
    head = "".join(f"# {line}\n" for line in (f"{written} {NOT_KEPT}", *remarks))
    return head + dump(tree).decode()


def _mappings(given: Any) -> list[dict[str, Any]]:
    return [one for one in given.values() if isinstance(one, dict)] if isinstance(given, Mapping) else []


def _number(value: Any) -> Any:
    return values.as_float(value) if isinstance(value, str) else value
