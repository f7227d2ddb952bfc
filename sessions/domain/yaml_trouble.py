"""What is wrong with a text that is no YAML, and in which line a person made the mistake.

A parser complains where it can go on no longer, often a line later than the mistake: after a colon that is missing, or
after a value where children follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

import yaml

from sessions.domain.configuration.table import SECTIONS, SINGLE_VALUES

_COLONLESS = re.compile(r"""(?:-\s+)*(?P<word>[^\s:#\[\]{},&*!|>%@`-][^\s:]*)(?P<rest>(?::\S+)?(?:\s+[^:#]*)?)""")
_TOO_DEEP = (
    "mapping values are not allowed", "sequence entries are not allowed", "but found '<block mapping start>'",
    "but found '-'", "but found '<block sequence start>'",
)  # fmt: skip
_BLOCK_SCALAR = re.compile(r":\s*[|>][-+0-9]*\s*(?:#.*)?$")
_VALUE = re.compile(r"""(?:-\s+)*[^\s#][^#]*?:\s+(?P<value>[^\s#&*!|>].*)""")
# Blanks to the eye, and letters to YAML.
_LIKE_A_BLANK = re.compile("[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000\ufeff]")
_OPENED_FIRST = re.compile(r"(?:-\s+)*[\[{]")
_SPECIAL_FIRST = re.compile(r"(?:-\s+)*(?P<sign>[!&*%@`])")
_QUOTED_VALUE = re.compile(r"""(?:^|:\s+|-\s+)(?P<quote>['"])(?:(?!(?P=quote)).)*$""")
_QUOTE_LOOKED_FOR_LINES = 200
_NAMES = frozenset(key.name for section in SECTIONS.values() for key in section.keys) | SECTIONS.keys()
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
        _lookalike(lines, place)
        or _without_colon(lines, place, began if "simple key" in context else None)
        or _opened(lines, place)
        or _among_items(lines, place, began, problem)
        or _with_children(lines, place, problem)
        or _uneven(lines, place, problem)
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


def _lookalike(lines: Sequence[str], place: Place | None) -> Trouble | None:
    """The nearest character above a complaint that only looks like a blank."""
    for number in range(min(place.line, len(lines)) if place else 0, 0, -1):
        found = _LIKE_A_BLANK.search(re.sub(r"(?:^|\s)#.*$", "", lines[number - 1]))
        if found is not None:
            code = f"U+{ord(found[0]):04X}"
            message = f"There is a character that looks like a blank and is none ({code})."
            return Trouble(message, "Write an ordinary blank there.", Place(number, found.start() + 1))
    return None


def _opened(lines: Sequence[str], place: Place | None) -> Trouble | None:
    """Something that was begun above and goes on: a bracket or a special sign before a key, a quotation mark."""
    if place is None:
        return None
    last = min(place.line, len(lines))
    for number in (last, _before(lines, last)):
        text = _stripped(lines[number - 1]) if number else ""
        here = Place(number, _indent(lines[number - 1]) + 1)
        if _OPENED_FIRST.match(text) and _is_open(text):
            return Trouble("A bracket is not closed, or a comma is missing.", "Look at this bracket and its end.", here)
        special = _SPECIAL_FIRST.match(text)
        if special:
            message = f"This line begins with {special['sign']}, which means something else in YAML."
            return Trouble(message, "Take it away, or put the name in quotes.", here)
    for number in range(last, max(0, last - _QUOTE_LOOKED_FOR_LINES), -1):
        quoted = _QUOTED_VALUE.search(_stripped(lines[number - 1]))
        if quoted and not _in_block_scalar(lines, number):
            column = lines[number - 1].index(quoted["quote"]) + 1
            hint = "Close it in the same line."
            return Trouble("A quotation mark is not closed.", hint, Place(number, column))
    return None


def _is_open(text: str) -> bool:
    return sum(text.count(sign) for sign in "[{") > sum(text.count(sign) for sign in "]}")


def _among_items(lines: Sequence[str], place: Place | None, began: Place | None, problem: str) -> Trouble | None:
    """A setting after the items of a list: either it lacks its hyphen, or the only item has one too many."""
    if place is None or began is None or "but found '?'" not in problem or place.line > len(lines):
        return None
    items = [
        one for one in lines[began.line - 1 : place.line - 1] if _indent(one) == began.column - 1 and _stripped(one)
    ]
    if any(not _stripped(one).startswith("-") for one in items):
        return None
    if len(items) == 1:
        return Trouble("A single line begins with a hyphen.", "Take the hyphen away, or begin all with one.", began)
    return Trouble("This line stands among items of a list.", "Begin it with a hyphen, or indent it otherwise.", place)


def _with_children(lines: Sequence[str], place: Place | None, problem: str) -> Trouble | None:
    """A value and settings indented under it: the value is one too many, or a line is indented otherwise than meant."""
    if place is None or place.line > len(lines) or not any(words in problem for words in _TOO_DEEP):
        return None
    line, before = lines[place.line - 1], _before(lines, place.line)
    if re.search(r":\s", line[: place.column - 1]):
        return Trouble("There is a colon too many in this line.", "Put the value in quotes.", place)
    if not before or _VALUE.fullmatch(_stripped(lines[before - 1])) is None:
        return None
    above, has_hyphen = lines[before - 1], _stripped(line).startswith("- ")
    if _indent(line) + has_hyphen <= _indent(above):
        return None
    key, value = _key(above), _stripped(above).partition(":")[2].strip()
    is_list = key not in _NAMES and re.match(r"[\[{]\s*[^\s\]}]", value) and not _stripped(line).endswith(":")
    is_list = is_list and _count(lines, range(place.line, len(lines) + 1), _indent(line)) == 1
    is_number = key == "value" and re.match(r"[-+.\d]", value)  # and no sampler
    if key not in SINGLE_VALUES and not is_list and not is_number:
        return Trouble(
            "A value and settings under it exclude each other.",
            "Take the value away, or indent the lines below less.",
            Place(before, _indent(above) + 1),
        )
    if has_hyphen:
        return Trouble("A list begins here, among settings.", "Take the hyphen away.", place)
    if _is_odd_one(lines, before, place.line):
        return _too_little(lines, before)
    return Trouble("This line is indented too far.", "Indent it like its neighbours.", place)


def _is_odd_one(lines: Sequence[str], before: int, number: int) -> bool:
    """Of a line and a deeper one after it: whether the first is out of its row, and not the second."""
    high, deep = _indent(lines[before - 1]), _indent(lines[number - 1])
    earlier = _before(lines, before)
    if earlier and _stripped(lines[earlier - 1]).endswith(":") and high <= _indent(lines[earlier - 1]) < deep:
        return True  # a section begins above, and only the deeper line is in it
    after = next((_indent(one) for one in lines[number:] if _stripped(one)), high)
    sibling = _sibling_above(lines, before, deep)
    if sibling:
        return after != high or _are_together({_key(lines[sibling - 1]), _key(lines[before - 1])})
    return after == deep and not _sibling_above(lines, before, high)


def _sibling_above(lines: Sequence[str], number: int, indent: int) -> int:
    """The line above in the section that a line would be in with that indentation; 0 when it would be the first."""
    for one in range(number - 1, 0, -1):
        if _stripped(lines[one - 1]) and _indent(lines[one - 1]) <= indent:
            return one if _indent(lines[one - 1]) == indent else 0
    return 0


def _uneven(lines: Sequence[str], place: Place | None, problem: str) -> Trouble | None:
    """A line that is indented as none above it is: the odd one is it, or those above, whichever are fewer."""
    if place is None or place.line > len(lines):
        return None
    here = _indent(lines[place.line - 1])
    above = [number for number in range(place.line - 1, 0, -1) if _stripped(lines[number - 1])]
    if "expected '<document start>'" in problem and above and _indent(lines[above[-1] - 1]) > here:
        hint = "Begin at the left margin, or add the line that it belongs under."
        return Trouble("The first line is indented.", hint, Place(above[-1], _indent(lines[above[-1] - 1]) + 1))
    if "but found '<block mapping start>'" not in problem:
        return None
    block, owner = _deeper(lines, above, here)
    if not block or owner is None:
        return None
    first = block[-1]
    if _sibling_above(lines, owner, here) and not _belong_together(
        lines[owner - 1], lines[first - 1], lines[place.line - 1]
    ):
        return _too_little(lines, owner)
    step = next((_indent(one) for one in lines if _indent(one) and _stripped(one)), 0)
    deeper = _count(lines, reversed(block), _indent(lines[first - 1]))
    like_this = _count(lines, range(place.line, len(lines) + 1), here)
    if deeper < like_this or (deeper == like_this and here - _indent(lines[owner - 1]) == step):
        return Trouble("This line is indented too far.", "Indent it like its neighbours.", Place(first, place.column))
    return Trouble("This line is indented as none above it is.", "Indent it like its neighbours.", place)


def _deeper(lines: Sequence[str], upwards: Sequence[int], indent: int) -> tuple[list[int], int | None]:
    """The lines, going up, that are indented by more than that, and the first that is not."""
    for count, number in enumerate(upwards):
        if _indent(lines[number - 1]) <= indent:
            return list(upwards[:count]), number
    return list(upwards), None


def _belong_together(owner: str, *lines: str) -> bool:
    """Whether two lines are settings of the same section, which may be that of an owner with a name of its own."""
    keys = {_key(line) for line in lines}
    owned = _key(owner) not in SINGLE_VALUES | SECTIONS.keys() and keys <= SINGLE_VALUES
    return owned or _are_together(keys)


def _are_together(keys: Set[str]) -> bool:
    return any(keys <= set(section.names) for section in SECTIONS.values())


def _key(line: str) -> str:
    return _stripped(line).lstrip("- ").partition(":")[0].strip()


def _count(lines: Sequence[str], numbers: Iterable[int], indent: int) -> int:
    """How many lines have that indentation, until one has less."""
    count = 0
    for number in numbers:
        if not _stripped(lines[number - 1]):
            continue
        if _indent(lines[number - 1]) < indent:
            break
        count += _indent(lines[number - 1]) == indent
    return count


def _too_little(lines: Sequence[str], number: int) -> Trouble:
    place = Place(number, _indent(lines[number - 1]) + 1)
    return Trouble("This line is indented too little.", "Indent it like its neighbours.", place)


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
