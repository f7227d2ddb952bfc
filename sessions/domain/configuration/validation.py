"""Any text in, everything that is known of it as a configuration out."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from sessions.domain.configuration import owned, upgrading, versions
from sessions.domain.configuration.checking import Checker, Notes
from sessions.domain.configuration.findings import Finding, Severity, in_order
from sessions.domain.configuration.formats import Format, format_of, old_keys, signs_of_sections
from sessions.domain.configuration.lessons import with_names
from sessions.domain.configuration.relations import Relations
from sessions.domain.configuration.table import ROOT, VERSION
from sessions.domain.yaml_tree import MAX_BYTES, MAX_NODES, ConfigError, Document, parse


@dataclass(frozen=True)
class Validation:
    """What a text is as a configuration. `upgraded` is the same in the words of 1.1.0, when that differs."""

    format: str
    findings: tuple[Finding, ...]
    upgraded: str | None = None
    tree: Any = None

    @property
    def errors(self) -> list[Finding]:
        return [one for one in self.findings if one.severity is Severity.ERROR]

    @property
    def warnings(self) -> list[Finding]:
        return [one for one in self.findings if one.severity is Severity.WARNING]

    @property
    def valid(self) -> bool:
        """Whether mlagents-learn takes it."""
        return not self.errors

    def as_json(self) -> dict[str, Any]:
        """The shape of the API and of `manage.py validate --json`."""
        return {
            "valid": self.valid,
            "format": self.format,
            "findings": [one.as_json() for one in self.findings],
            "upgraded": self.upgraded,
        }


@dataclass(frozen=True)
class Beside:
    """A file that stood beside a configuration until 0.16: a curriculum or samplers."""

    name: str
    data: bytes


def validate(
    data: bytes,
    *,
    plugins: Collection[str] | None = (),
    has_environment: bool = False,
    behavior: str = "",
    version: str = "",
    beside: Sequence[Beside] = (),
) -> Validation:
    """Return everything that is to say about a configuration; never raises for any bytes.

    `plugins` are trainers that the trainer has beside ppo, sac and poca; None stands for any. `has_environment` when a
    build is named elsewhere. `behavior` is whom a curriculum of 0.12 or older is for: its file's name. `version` is
    that of the trainer: there are warnings for what one that is older than 1.1.0 does not know yet. The
    upgrade of a configuration of 0.16 or older takes along what its files `beside` it say.
    """
    try:
        document = _parsed(data)
    except ConfigError as error:
        finding = Finding(Severity.ERROR, error.line, error.column, error.path, error.message, error.hint)
        return Validation(VERSION, (finding,))
    notes = Notes(document)
    _oddities(notes, document)
    form = format_of(document.tree)
    if form is Format.CURRENT:
        upgraded = _current(notes, document, plugins=plugins, has_environment=has_environment)
        versions.tell(notes, document.tree, version)
    else:
        upgraded = _old(notes, document, form, plugins=plugins, behavior=behavior, beside=beside)
    return Validation(form.value, tuple(in_order(notes.found)), upgraded, document.tree)


def _parsed(data: bytes) -> Document:
    """A document; curricula of 0.12 or older were JSON, where tabs are blanks."""
    try:
        return parse(data)
    except ConfigError:
        if b"\t" not in data or not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            raise
        with suppress(ConfigError):
            document = parse(data.replace(b"\t", b" "))
            if format_of(document.tree) is Format.CURRICULUM:
                return document
        raise


def difference(given: str, upgraded: str, name: str = "given") -> str:
    """Return a unified difference of two texts."""
    lines = difflib.unified_diff(
        given.splitlines(keepends=True), upgraded.splitlines(keepends=True), name, f"{name}, upgraded"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _current(notes: Notes, document: Document, *, plugins: Collection[str] | None, has_environment: bool) -> str | None:
    _check(notes, document.tree, Checker(notes, plugins), has_environment=has_environment)
    if not isinstance(document.tree, Mapping):
        return None
    owned.tell(notes, document.tree)
    tree = copy.deepcopy(dict(document.tree))
    if not upgrading.modernize(tree):
        return None
    return None if _faults(tree, plugins) else _text(tree, Format.CURRENT, [])


def _old(
    notes: Notes,
    document: Document,
    form: Format,
    *,
    plugins: Collection[str] | None,
    behavior: str,
    beside: Sequence[Beside],
) -> str | None:
    if form is Format.SECTIONED:
        signs = signs_of_sections(document.tree)
        document = notes.document = with_names(document)
        _check(notes, document.tree, Checker(notes, plugins, passed_over=old_keys()), has_environment=True)
    elif form is Format.NAMED:
        signs = [("behaviors",)]
        others = {name: value for name, value in document.tree.items() if name != "behaviors"}
        Checker(notes, plugins, passed_over=old_keys()).section(ROOT, others, ())
    else:
        signs = [(str(next(iter(document.tree))),)]
    message = f"This is written for ML-Agents {form.value}; {VERSION} refuses it."
    notes.error(message, *signs[0], hint="Take the upgrade; MENTOR shows what it changes.")
    if notes.is_full:
        return None
    upgrade = upgrading.Upgrade(notes, behavior) if behavior else upgrading.Upgrade(notes)
    before = len(notes.found)
    tree = upgrade.tree(document.tree, form)
    if form is Format.FLAT and beside:
        tree["environment_parameters"] = _parameters_of(notes, beside)
    if any(one.severity is Severity.ERROR for one in notes.found[before:]):
        return None
    faults = _faults(tree, plugins)
    upgraded = None if faults else _text(tree, form, upgrade.remarks)
    if upgraded is None and sum(one.severity is Severity.ERROR for one in notes.found) == 1:
        why = faults[0].message if faults else "It would be larger than a configuration may be."
        notes.error(f"No upgrade can be made of this: {why[0].lower()}{why[1:]}", *signs[0])
    return upgraded


def _parameters_of(notes: Notes, beside: Sequence[Beside]) -> dict[str, Any]:
    """The environment parameters of all files beside one; what cannot be taken along is noted."""
    parameters: dict[str, Any] = {}
    for one in beside:
        found = validate(one.data, behavior=PurePath(one.name).stem)
        if found.upgraded is None or found.format not in (Format.CURRICULUM.value, Format.SAMPLERS.value):
            why = next((error.sentence for error in found.errors), "It is none of 0.16 or older.")
            notes.error(f"{one.name} cannot be taken along as a curriculum or samplers.", hint=why)
            continue
        for name, settings in parse(found.upgraded.encode()).tree["environment_parameters"].items():
            if name in parameters:
                notes.warn(f"{name} stands in several files; that of {one.name} is left out.")
            parameters.setdefault(name, settings)
        for finding in found.warnings:
            notes.warn(f"{one.name}, {finding.sentence[0].lower()}{finding.sentence[1:]}", hint=finding.hint)
    return parameters


def _check(notes: Notes, tree: Any, checker: Checker, *, has_environment: bool) -> None:
    checker.configuration(tree)
    if isinstance(tree, Mapping):
        Relations(checker).configuration(tree, has_environment=has_environment)


def _text(tree: Mapping[str, Any], form: Format, remarks: list[str]) -> str | None:
    """The text of an upgrade, unless it would be larger than a configuration may be."""
    if _nodes(tree) > MAX_NODES:
        return None
    text = upgrading.as_text(tree, form, remarks)
    return text if len(text.encode()) <= MAX_BYTES else None


def _faults(tree: Mapping[str, Any], plugins: Collection[str] | None) -> list[Finding]:
    """Why 1.1.0 or MENTOR would refuse an upgrade too; a curriculum alone needs no behaviors."""
    notes = Notes(Document(tree, {}, {}))
    whole = tree if tree.keys() & {"behaviors", "default_settings"} else {**tree, "behaviors": {"A": {}}}
    _check(notes, whole, Checker(notes, plugins), has_environment=True)
    return [one for one in notes.found if one.severity is Severity.ERROR]


def _nodes(tree: Any) -> int:
    """How many values a tree has, names of settings among them."""
    if isinstance(tree, Mapping):
        return 1 + len(tree) + sum(map(_nodes, tree.values()))
    return 1 + sum(map(_nodes, tree)) if isinstance(tree, list) else 1


def _oddities(notes: Notes, document: Document) -> None:
    """Findings about the writing itself."""
    if document.has_mark:
        found = (
            "The file begins with a byte order mark, which ML-Agents reads as part of the first word on some machines."
        )
        notes.found.append(Finding(Severity.WARNING, 1, 1, "", found, "Save it as UTF-8 without BOM."))
    for path, place, first in document.repeated:
        hint = f"It stands in line {first} already; ML-Agents takes only the last one."
        if not notes.is_crowded:
            told = f"{path[-1]} is given twice."
            notes.found.append(Finding(Severity.WARNING, place.line, place.column, ".".join(path), told, hint))
    for path, number in document.numerals.items():
        notes.warn(
            f"YAML reads this number as {number}.", *path, hint=f"Write {number}, or put it in quotes if it is text."
        )
