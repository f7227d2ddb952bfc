"""What is wrong with a text that is no YAML, and in which line a person made the mistake.

A parser complains where it can go on no longer, often a line later than the mistake: after a colon that is missing, or
after a value where children follow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from sessions.domain.configuration.table import HOLDERS

_COLONLESS = re.compile(r"""(?:-\s+)*(?P<word>[^\s:#\[\]{},&*!|>%@`-][^\s:]*)(?P<rest>(?::\S+)?(?:\s+[^:#]*)?)""")
_TOO_DEEP = ("mapping values are not allowed", "but found '<block mapping start>'")
_BLOCK_SCALAR = re.compile(r":\s*[|>][-+0-9]*\s*(?:#.*)?$")
_VALUE = re.compile(r"""(?:-\s+)*[^\s#][^#]*?:\s+(?P<value>[^\s#&*!|>{\[].*)""")
_LOOK = "Look for an indentation that differs from its neighbours, or a bracket, quote or colon that is missing."


@dataclass(frozen=True)
class Place:
    """Where something stands in a file; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Trouble:
    """A mistake in one sentence, what to do about it, and its place."""

    message: str
    hint: str
    place: Place | None


def place_of(text: str, position: int) -> Place:
    """Return the place of a position in a text."""
    line_start = text.rfind("\n", 0, position) + 1
    return Place(text.count("\n", 0, position) + 1, position - line_start + 1)


def trouble_of(error: yaml.MarkedYAMLError, text: str) -> Trouble:
    """Return what a person did wrong when YAML complains like this about a text."""
    place, began = _mark(error.problem_mark), _mark(error.context_mark)
    problem, context = error.problem or "the text cannot be understood", error.context or ""
    if "'\\t'" in problem:
        return Trouble("A tab is used where YAML wants blanks.", "Indent with blanks.", place)
    if isinstance(error, yaml.composer.ComposerError):
        return Trouble("The file holds more than one YAML document.", "Keep the part before ---.", place)
    if "quoted scalar" in context:
        return Trouble("A quotation mark is not closed.", "Close it in the same line.", began or place)
    if "flow " in context:
        return Trouble("A bracket is not closed, or a comma is missing.", "Look at this bracket and its end.", began)
    lines = text.splitlines()
    return (
        _without_colon(lines, place, began if "simple key" in context else None)
        or _with_children(lines, place, problem)
        or Trouble(f"This is no valid YAML: {context + ', ' if context else ''}{problem}.", _LOOK, place or began)
    )


def _mark(mark: yaml.Mark | None) -> Place | None:
    return Place(mark.line + 1, mark.column + 1) if mark else None


def _without_colon(lines: Sequence[str], place: Place | None, key: Place | None) -> Trouble | None:
    """A line without a colon: the one that should have been a key, that of the complaint, or the one before it."""
    numbers = [key.line] if key else []
    if place is not None and place.line <= len(lines):
        numbers += [number for number in (_before(lines, place.line), place.line) if number]
    for number in numbers:
        found = _COLONLESS.fullmatch(_stripped(lines[number - 1]))
        if found is None or _in_block_scalar(lines, number):
            continue
        column = len(lines[number - 1]) - len(lines[number - 1].lstrip()) + 1
        if ":" in found["rest"]:
            message, hint = f"A blank is missing after {found['word']}:", "YAML wants a blank after the colon."
            return Trouble(f"{message.removesuffix(':')} and its colon.", hint, Place(number, column))
        hint = f"Write {found['word']}: and then its value, or its settings indented under it."
        return Trouble(f"A colon is missing after {found['word']}.", hint, Place(number, column))
    return None


def _with_children(lines: Sequence[str], place: Place | None, problem: str) -> Trouble | None:
    """A value and settings indented under it: the value is one too many, or the one line is indented too far."""
    if place is None or place.line > len(lines) or not any(words in problem for words in _TOO_DEEP):
        return None
    line, before = lines[place.line - 1], _before(lines, place.line)
    if re.search(r":\s", line[: place.column - 1]):
        return Trouble("There is a colon too many in this line.", "Put the value in quotes.", place)
    if not before or _VALUE.fullmatch(_stripped(lines[before - 1])) is None:
        return None
    if _indent(line) <= _indent(lines[before - 1]):
        return None
    after = next((one for one in lines[place.line :] if _stripped(one)), "")
    is_holder = _stripped(lines[before - 1]).lstrip("- ").partition(":")[0] in HOLDERS
    has_siblings = bool(after) and _indent(after) == _indent(line)
    if is_holder or has_siblings or _stripped(line).endswith(":") or _stripped(line).startswith("- "):
        return Trouble(
            "A value and settings under it exclude each other.",
            "Take the value away, or indent the lines below less.",
            Place(before, _indent(lines[before - 1]) + 1),
        )
    return Trouble("This line is indented too far.", "Indent it like its neighbours.", place)


def _before(lines: Sequence[str], number: int) -> int:
    """The number of the last line before with something in it, or 0."""
    return next((one for one in range(number - 1, 0, -1) if _stripped(lines[one - 1])), 0)


def _stripped(line: str) -> str:
    return re.sub(r"(?:^|\s)#.*$", "", line).strip()


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _in_block_scalar(lines: Sequence[str], number: int) -> bool:
    indent = _indent(lines[number - 1])
    above = (one for one in range(number - 1, 0, -1) if _stripped(lines[one - 1]) and _indent(lines[one - 1]) < indent)
    owner = next(above, 0)
    return bool(owner and _BLOCK_SCALAR.search(lines[owner - 1]))
