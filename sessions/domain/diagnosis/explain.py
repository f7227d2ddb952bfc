"""Finding the cause that a console tells of."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sessions.domain.diagnosis.catalogue import CATALOGUE
from sessions.domain.diagnosis.entries import PHASES, Entry, Kind
from sessions.domain.diagnosis.reading import Reading, summaries_left_out
from sessions.domain.diagnosis.remedies import REMEDIES, Remedy
from sessions.domain.failures import shorten
from sessions.domain.states import State

# A full disk may fail anything; an unknown error says more than that the training was interrupted.
CAUSES = ("any", *(phase for phase in PHASES if phase != "any"))
LAST_RESORTS = (*(phase for phase in PHASES if phase not in ("any", "end")), "any", "end")
MOST_EVIDENCE = 3
# The patterns look at the beginning and at the end of a console that is longer.
HEAD_CHARACTERS, TAIL_CHARACTERS = 1 << 20, 2 << 20
LINE_CHARACTERS = 4000
AROUND = 5


@dataclass(frozen=True)
class Evidence:
    """A line that speaks for a cause; `source` is the file, `line` counts from 1."""

    source: str
    line: int
    text: str


@dataclass(frozen=True)
class Diagnosis:
    """Why a training ended as it did.

    `further` are titles of other causes that were found; `facts` say how things stood when it ended.
    """

    id: str
    title: str
    cause: str
    fix: str
    evidence: list[Evidence]
    actions: list[Remedy] = field(default_factory=list)
    further: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Hit:
    entry: Entry
    words: dict[str, str]
    lines: list[int]


def diagnose(
    reading: Reading, *, source: str = "console.log", known: Iterable[Entry] = CATALOGUE, ended: bool = False
) -> Diagnosis | None:
    """Return the cause of a bad end, or None when nothing ended badly, as far as the console tells.

    Of all entries that match, the one of the earliest phase is the cause: what went wrong first. With `ended` the
    training is known to have ended badly, whatever the console says. Time is in proportion to the console's length.
    """
    if reading.state in (State.STOPPED, State.COMPLETED) and not ended:
        candidates = [entry for entry in known if entry.quiet and reading.state is State.STOPPED]
    elif reading.state is State.FAILED or ended:
        candidates = [entry for entry in known if entry.kind is not Kind.NOTICE]
    else:
        return None
    hits = _hits(candidates, reading.lines)
    if not hits:
        return None
    best, *others = sorted(hits, key=_rank)
    return Diagnosis(
        id=best.entry.id,
        title=best.entry.title,
        cause=_filled(best.entry.cause, best.words),
        fix=_filled(best.entry.fix, best.words),
        evidence=_evidence(best, reading, source),
        actions=[REMEDIES[one] for one in best.entry.remedies],
        further=[one.entry.title for one in others if one.entry.kind is Kind.CAUSE],
    )


def _rank(hit: _Hit) -> tuple[bool, int]:
    """Sorting keeps the catalogue's order within a phase."""
    last = hit.entry.kind is Kind.LAST_RESORT
    return last, (LAST_RESORTS if last else CAUSES).index(hit.entry.phase)


def _hits(entries: Iterable[Entry], lines: Sequence[str]) -> list[_Hit]:
    text, starts, numbers = _searched(lines)
    hits = []
    for entry in entries:
        found = _matches(entry.compiled(), text)
        if found:
            places = [numbers[bisect_right(starts, match.start()) - 1] for match in found]
            hits.append(_Hit(entry, found[-1].groupdict(default=""), places))
    return hits


def _matches(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    found: list[re.Match[str]] = []
    for match in pattern.finditer(text):
        found = [*found[: MOST_EVIDENCE - 1], match]
    return found


def _searched(lines: Sequence[str]) -> tuple[str, list[int], list[int]]:
    """The text that is searched, where its lines begin, and their places among all lines."""
    kept = [(number, line[:LINE_CHARACTERS]) for number, line in enumerate(summaries_left_out(lines)) if line]
    kept = _ends(kept)
    starts, position = [], 0
    for _, line in kept:
        starts.append(position)
        position += len(line) + 1
    return "\n".join(line for _, line in kept), starts, [number for number, _ in kept]


def _ends(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The first and the last of many lines."""
    if sum(len(line) for _, line in lines) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return lines
    head, room = 0, HEAD_CHARACTERS
    while room > 0:
        room -= len(lines[head][1]) + 1
        head += 1
    tail, room = len(lines), TAIL_CHARACTERS
    while tail > head and room > 0:
        tail -= 1
        room -= len(lines[tail][1]) + 1
    return [*lines[:head], *lines[tail:]]


def _evidence(hit: _Hit, reading: Reading, source: str) -> list[Evidence]:
    """The lines that matched; of an unknown error, the last lines as well."""
    places = list(dict.fromkeys(hit.lines))
    if hit.entry.id == "generic_traceback":
        told = [number for number, line in enumerate(reading.lines) if line.strip()]
        places = [*places[-1:], *(place for place in told[-AROUND:] if place > places[-1])]
    return [Evidence(source, reading.first_line + place, shorten(reading.lines[place])) for place in places]


def _filled(text: str, words: dict[str, str]) -> str:
    """The text with the words that the pattern found, each short and in one line."""
    short: dict[str, Any] = {name: shorten(word) for name, word in words.items()}
    return text.format_map(_Words(short)).replace(" ()", "") if "{" in text else text


class _Words(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "?"
