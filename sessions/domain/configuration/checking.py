"""One walk over a configuration: everything that is wrong with it, where it stands."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sessions.domain.configuration import table, values
from sessions.domain.configuration.findings import Finding, Severity
from sessions.domain.configuration.names import key_hint, misspelt, spoken, suggestion
from sessions.domain.configuration.schema import Key, Kind, Range, Section
from sessions.domain.yaml_tree import Document, TreePath
from sessions.domain.yaml_trouble import Place

_UNSAFE_IN_NAMES = re.compile(r"[/\\\x00-\x1f\x7f]")
_ODD_AT_THE_END = re.compile(r"""[:"',;=]$""")
MOST_FINDINGS = 300
_MOST_SHOWN = 60
_PLUGINS = "Trainers that plugins bring are named in MENTOR_PLUGIN_TRAINERS."
# How far a value may be from what is usual before that is worth a word; ML-Agents' own examples go this far.
_FAR = 30


@dataclass
class Notes:
    """Findings about a document, collected; each path ends at the key that is meant."""

    document: Document
    found: list[Finding] = field(default_factory=list)
    refused: bool = False

    def error(self, message: str, *path: str, hint: str = "", at_value: bool = False) -> None:
        self._add(Severity.ERROR, message, path, hint, at_value=at_value)

    def warn(self, message: str, *path: str, hint: str = "") -> None:
        self._add(Severity.WARNING, message, path, hint, at_value=False)

    def odd_name(self, name: Any, path: TreePath) -> None:
        """Warn of a name of the user's own that ends with a sign of YAML or the like."""
        sign = _ODD_AT_THE_END.search(str(name))
        if sign is not None:
            hint = "It must be exactly the name in Unity."
            self.warn(f"The name {_shown(name)} ends with {sign[0]}, surely by mistake.", *path, hint=hint)

    def has_error(self, *path: str) -> bool:
        inside = ".".join(path)
        return any(
            one.severity is Severity.ERROR and (one.path == inside or one.path.startswith(f"{inside}."))
            for one in self.found
        )

    @property
    def is_crowded(self) -> bool:
        """Whether so much was found that nobody reads on: further warnings are not kept."""
        return len(self.found) >= MOST_FINDINGS

    @property
    def is_full(self) -> bool:
        """Whether one may stop looking: nobody reads on, and the document is refused already."""
        return self.is_crowded and self.refused

    def _add(self, severity: Severity, message: str, path: TreePath, hint: str, *, at_value: bool) -> None:
        if self.is_full or (self.is_crowded and severity is Severity.WARNING):
            return
        self.refused = self.refused or severity is Severity.ERROR
        place = self.place(path, at_value=at_value)
        line, column = (place.line, place.column) if place else (None, None)
        self.found.append(Finding(severity, line, column, ".".join(path), message, hint))

    def place(self, path: TreePath, *, at_value: bool = False) -> Place | None:
        """Return where a key stands, or the nearest one around it that stands somewhere."""
        value = self.document.values.get(path) if at_value else None
        if value is not None and (path not in self.document.places or self.document.places[path].line != value.line):
            return value
        for end in range(len(path), 0, -1):
            place = self.document.places.get(path[:end]) or self.document.values.get(path[:end])
            if place is not None:
                return place
        return None


@dataclass
class Checker:
    """Checks keys and values, one by one; what they mean together is looked at by `relations`.

    `plugins` are the trainers there are beside ML-Agents' own; None means that any may be there. Keys in `passed_over`
    are left alone: old ones of the whole document or of a behavior.
    """

    notes: Notes
    plugins: Collection[str] | None = ()
    passed_over: Collection[str] = ()
    defaults: Any = None

    def configuration(self, tree: Any) -> None:
        """Check a whole document."""
        if not isinstance(tree, Mapping):
            message = "The configuration is empty." if tree is None else "The configuration must begin with behaviors:."
            hint = "Begin with behaviors: and, indented under it, the name of a behavior."
            self.notes.error(message, hint=hint, at_value=True)
            return
        self.defaults = tree.get("default_settings")
        self.section(table.ROOT, tree, ())
        if tree.get("default_settings") is None and not misspelt("behaviors", tree, table.ROOT):
            behaviors = tree.get("behaviors", {})
            if behaviors == {}:
                hint = "Under behaviors: write each Behavior Name of your Unity scene, with its settings."
                self.notes.error("The configuration has no behaviors.", "behaviors", hint=hint)

    def section(self, section: Section, given: Any, path: TreePath) -> bool:
        """Check a mapping with known keys; return whether it is a mapping at all."""
        if not isinstance(given, Mapping):
            self._no_section(given, path)
            return False
        for name, value in given.items():
            key = section.get(name)
            if key is None:
                self._unknown(section, given, name, path)
            else:
                self.value(key, value, (*path, str(name)))
        for key in section.keys:
            is_there = key.name in given or self._inherits(path, key.name)
            if key.required and not is_there and not self._misspelt(key, given, section):
                self.notes.error(f"{key.name} is missing.", *path, hint=key.help)
        return True

    def _misspelt(self, key: Key, given: Collection[Any], section: Section) -> bool:
        """Whether a key was meant by another word, which takes time to find out."""
        return not self.notes.is_crowded and misspelt(key.name, given, section) is not None

    def _inherits(self, path: TreePath, name: str) -> bool:
        """Whether a setting of a behavior stands in default_settings at the same place."""
        holder = self.defaults if path[:1] == ("behaviors",) else None
        for part in path[2:]:
            holder = holder.get(part) if isinstance(holder, Mapping) else None
        return isinstance(holder, Mapping) and name in holder

    def _no_section(self, given: Any, path: TreePath) -> None:
        name = path[-1] if path else "The configuration"
        # A text may be the line below the key, without its colon, and a list settings that begin with a hyphen.
        message, hint = f"{name} must have its settings indented under it.", "At least {}."
        if isinstance(given, list) and given:
            hint = "They begin without a hyphen."
        self.notes.error(message, *path, hint=hint, at_value=isinstance(given, str | list))

    def _unknown(self, section: Section, given: Mapping[Any, Any], name: Any, path: TreePath) -> None:
        if name in self.passed_over and section in (table.ROOT, table.BEHAVIOR):
            return None
        if self.notes.is_full:
            return None
        hint = "" if self.notes.is_crowded else key_hint(str(name), section)
        if section is table.ROOT:
            return self.notes.error(f"{name} is no section of a configuration.", *path, str(name), hint=hint)
        needed = any(
            key.required and key.name not in given and self._misspelt(key, [name], section) for key in section.keys
        )
        message = f"{name} is no setting of {spoken(section)}"
        if section.strict or needed:
            return self.notes.error(f"{message}.", *path, str(name), hint=hint)
        return self.notes.warn(f"{message}; ML-Agents passes over it without a word.", *path, str(name), hint=hint)

    def value(self, key: Key, value: Any, path: TreePath) -> None:
        """Check the value of a known key."""
        if value is None and key.may_be_null:
            return
        if key.until:
            hint = "Leave it out." if key.name == "framework" else "Write network_settings: with hidden_units: instead."
            self.notes.warn(f"{key.name} went out of use after ML-Agents {key.until}.", *path, hint=hint)
        check = _CHECKS.get(key.kind)
        if check is not None:
            check(self, key, value, path)
        elif key.kind is Kind.CHOICE:
            self._choice(key, value, path)
        else:
            self._scalar(key, value, path)

    def _choice(self, key: Key, value: Any, path: TreePath) -> None:
        if isinstance(value, str) and value in key.choices:
            return
        hint = suggestion(value if isinstance(value, str) else "", key.choices)
        self.notes.error(f"{key.name} must be {_either(key.choices)}.", *path, hint=hint)

    def _scalar(self, key: Key, value: Any, path: TreePath) -> None:
        reading = values.read(key, value)
        if reading is None:
            is_number = isinstance(value, str) and values.as_float(value) is not None
            self.notes.error(f"{key.name} must be {wanted(key)}.", *path, hint=values.E_NOTATION if is_number else "")
            return
        if reading.odd:
            self.notes.warn(f"{key.name} is {_shown(value)}. {reading.odd}", *path, hint=f"Write {key.kind.value}.")
        if isinstance(reading.value, (int, float)) and not isinstance(reading.value, bool):
            self._range(key, reading.value, path)

    def _range(self, key: Key, number: float, path: TreePath) -> None:
        if key.limits is not None and number not in key.limits:
            self.notes.error(f"{key.name} must be {wanted(key)}.", *path)
        elif key.sound is not None and number not in key.sound:
            self.notes.warn(
                f"{key.name} is {_shown(number)}; only {_said(key.sound)} makes sense.", *path, hint=key.help
            )
        elif number and key.usual is not None and number not in _stretched(key.usual):
            usual = f"Usual is {key.usual}."
            self.notes.warn(f"{key.name} is {_shown(number)}, far from what is usual.", *path, hint=usual)

    def _subsection(self, key: Key, value: Any, path: TreePath) -> None:
        if key.section:
            self.section(table.SECTIONS[key.section], value, path)

    def _behaviors(self, key: Key, value: Any, path: TreePath) -> None:
        if not isinstance(value, Mapping):
            message = "behaviors must hold the name of each behavior, indented under it."
            return self.notes.error(message, *path, at_value=isinstance(value, str))
        for name, settings in value.items():
            self._behavior_name(name, (*path, str(name)))
            self.section(table.BEHAVIOR, settings, (*path, str(name)))
        return None

    def _behavior_name(self, name: Any, path: TreePath) -> None:
        if not isinstance(name, str):
            self.notes.warn(
                f"YAML reads this behavior name not as text; to ML-Agents it is {name}.",
                *path,
                hint="Put it in quotes.",
            )
        self.notes.odd_name(name, path)
        if _UNSAFE_IN_NAMES.search(str(name)) or str(name).strip(" .") == "":
            self.notes.error(
                f"The behavior name {name!r} cannot be the name of a folder.",
                *path,
                hint="ML-Agents saves a behavior in a folder of its name: use none of / \\ and no control characters.",
            )

    def _trainer(self, key: Key, value: Any, path: TreePath) -> None:
        if not isinstance(value, str) or not value:
            self.notes.error("trainer_type must be a name, such as ppo.", *path)
        elif value not in key.choices and self.plugins is not None and value not in self.plugins:
            hint = suggestion(value, (*key.choices, *self.plugins), cutoff=0.7)
            self.notes.error(f"ML-Agents has no trainer {value}.", *path, hint=f"{hint} {_PLUGINS}")

    def _hyperparameters(self, key: Key, value: Any, path: TreePath) -> None:
        if not isinstance(value, Mapping):  # their keys depend on the trainer: relations looks at them
            self._no_section(value, path)

    def _signals(self, key: Key, value: Any, path: TreePath) -> None:
        if not isinstance(value, Mapping):
            return self._no_section(value, path)
        for name, settings in value.items():
            section = table.SIGNALS.get(name) if isinstance(name, str) else None
            if section is None:
                hint = suggestion(str(name), table.SIGNALS)
                self.notes.error(f"{name} is no reward signal.", *path, str(name), hint=hint)
            else:
                self.section(section, settings, (*path, name))
        return None

    def _parameters(self, key: Key, value: Any, path: TreePath) -> None:
        if not isinstance(value, Mapping):
            return self.notes.error(
                "environment_parameters must hold names with values.", *path, at_value=isinstance(value, str)
            )
        for name, settings in value.items():
            inner = (*path, str(name))
            self.notes.odd_name(name, inner)
            if isinstance(settings, Mapping) and ("curriculum" in settings or misspelt_curriculum(settings)):
                self.section(table.CURRICULUM, settings, inner)
            else:
                self._sampler(key, settings, inner)
        return None

    def _sampler(self, key: Key, value: Any, path: TreePath) -> None:
        name = f"The environment parameter {path[1]}" if len(path) == 2 else path[-1]
        kinds = "a number, a sampler or a curriculum" if len(path) == 2 else "a number or a sampler"
        if isinstance(value, bool):
            self.notes.warn(f"{name} is {_shown(value)}, which counts as {int(value)}.", *path, hint="Write a number.")
        elif isinstance(value, Mapping):
            self._sampler_section(value, path)
        elif not isinstance(value, (int, float)):
            quoted = isinstance(value, str) and values.as_float(value) is not None
            hint = "Take the quotes away, and write 1.0e+4 for 1e4." if quoted else ""
            self.notes.error(f"{name} must be {kinds}.", *path, hint=hint, at_value=isinstance(value, str))
        elif not math.isfinite(value):
            self.notes.warn(f"{name} is {_shown(value)}.", *path, hint="Unity needs a finite number.")

    def _sampler_section(self, given: Mapping[Any, Any], path: TreePath) -> None:
        self.section(table.SAMPLER, given, path)
        kind = given.get("sampler_type")
        section = table.SAMPLERS.get(kind) if isinstance(kind, str) else None
        if section is not None and "sampler_parameters" in given:
            inner = (*path, "sampler_parameters")
            if self.section(section, given["sampler_parameters"], inner):
                self.ordered(section, given["sampler_parameters"], inner)

    def ordered(self, section: Section, given: Mapping[Any, Any], path: TreePath) -> None:
        """Check that the parameters of a uniform sampler begin with the smaller one."""
        if section.name != "uniform" or any(misspelt(key.name, given, section) for key in section.keys[:2]):
            return
        # As the trainer reads them: true is 1.
        ends = [values.read(key, given.get(key.name, key.default)) for key in section.keys[:2]]
        low, high = (reading.value if reading else None for reading in ends)
        if low is not None and high is not None and low > high:
            told = {"min_value": f"min_value ({low:g}) is larger than max_value ({high:g}).",
                    "max_value": f"max_value ({high:g}) is smaller than min_value ({low:g})."}  # fmt: skip
            for name in told.keys() & given.keys():  # either may be the mistake
                self.notes.error(told[name], *path, name)

    def _curriculum(self, key: Key, value: Any, path: TreePath) -> None:
        if not isinstance(value, list):
            message, hint = "curriculum must be a list of lessons.", "Begin each lesson with a hyphen: - name: First."
            return self.notes.error(message, *path, hint=hint, at_value=isinstance(value, str))
        if not value:
            return self.notes.error("A curriculum needs a lesson.", *path)
        for number, lesson in enumerate(value):
            inner = (*path, str(number))
            if self.section(table.LESSON, lesson, inner):
                self._criteria_of(lesson, inner, is_last=number == len(value) - 1)
        return None

    def _criteria_of(self, lesson: Mapping[Any, Any], path: TreePath, *, is_last: bool) -> None:
        name = "completion_criteria"
        criteria = lesson.get(name)
        if is_last and criteria is not None:
            self.notes.warn("The last lesson has no next one: its completion_criteria is ignored.", *path, name)
        if not is_last and criteria is None and not misspelt(name, lesson, table.LESSON):
            hint = "Say in completion_criteria when the next lesson begins."
            self.notes.error("Every lesson but the last needs completion_criteria.", *path, hint=hint)
        if isinstance(criteria, Mapping) and criteria.get("measure") == "progress":
            threshold = values.as_float(criteria.get("threshold", 0))
            if threshold is not None and not 0 <= threshold <= 1:
                message = "The threshold must be from 0 to 1 when the measure is progress."
                self.notes.error(message, *path, name, "threshold")

    def _intervals(self, key: Key, value: Any, path: TreePath) -> None:
        if not isinstance(value, list):
            return self.notes.error("intervals must be a list such as [[1, 2], [5, 6]].", *path)
        for number, interval in enumerate(value):
            pair = [values.as_float(end) for end in interval] if isinstance(interval, list) else []
            if len(pair) != 2 or None in pair:
                self.notes.error("Each interval must be two numbers such as [1, 2].", *path, str(number))
            elif pair[0] > pair[1]:  # type: ignore[operator]
                self.notes.error("An interval must begin with its smaller number.", *path, str(number))
        return None


_CHECKS: dict[Kind, Callable[[Checker, Key, Any, TreePath], None]] = {
    Kind.SECTION: Checker._subsection,
    Kind.BEHAVIORS: Checker._behaviors,
    Kind.TRAINER: Checker._trainer,
    Kind.HYPERPARAMETERS: Checker._hyperparameters,
    Kind.SIGNALS: Checker._signals,
    Kind.PARAMETERS: Checker._parameters,
    Kind.SAMPLER: Checker._sampler,
    Kind.CURRICULUM: Checker._curriculum,
    Kind.INTERVALS: Checker._intervals,
}


def misspelt_curriculum(given: Mapping[Any, Any]) -> bool:
    """Tell whether a parameter was surely meant to have a curriculum."""
    return len(given) == 1 and misspelt("curriculum", given, table.CURRICULUM) is not None


def wanted(key: Key) -> str:
    """Return what a setting must be, for a sentence."""
    whole = key.kind in (Kind.WHOLE, Kind.STEPS)
    if key.limits is None:
        return "a whole number" if whole else key.kind.value
    if key.limits in (table.COUNT, table.POSITIVE):
        return "a positive whole number" if whole else "a positive number"
    return f"{'a whole number' if whole else 'a number'}, {_said(key.limits)}"


def _said(limits: Range) -> str:
    return "0 or more" if limits == table.FROM_ZERO else str(limits)


def _stretched(usual: Range) -> Range:
    least = None if usual.least is None else usual.least / _FAR
    return Range(least, None if usual.most is None else usual.most * _FAR)


def _either(choices: Collection[str]) -> str:
    *first, last = choices
    return f"{', '.join(first)} or {last}" if first else last


def _shown(value: Any) -> str:
    text = {True: "true", False: "false", None: "null"}[value] if value is None or isinstance(value, bool) else None
    if text is None:
        text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
