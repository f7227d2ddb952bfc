"""Finding the cause that a console tells of."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sessions.domain.diagnosis.catalogue import CATALOGUE
from sessions.domain.diagnosis.entries import PHASES, Entry, Kind
from sessions.domain.diagnosis.reading import Reading, is_summary, summaries_left_out
from sessions.domain.diagnosis.remedies import REMEDIES, Remedy
from sessions.domain.failures import is_frame, shorten
from sessions.domain.outcome import code_in_words, plain_code
from sessions.domain.states import State

# A full disk may fail anything; an unknown error says more than that the training was interrupted.
CAUSES = ("any", *(phase for phase in PHASES if phase != "any"))
LAST_RESORTS = (*(phase for phase in PHASES if phase not in ("any", "end")), "any", "end")
MOST_EVIDENCE = 3
# The patterns look at the beginning and at the end of a console that is longer.
HEAD_CHARACTERS, TAIL_CHARACTERS = 1 << 20, 2 << 20
LINE_CHARACTERS = 4000
AROUND = 5
# What says no more than that it failed; it shows the last lines.
UNKNOWN_ERROR = "generic_traceback"
# What is mended outside of MENTOR leaves this to do.
ANYWAY = ("again",)
# Where lines may have been broken: how many of the last are looked at, and how wide windows are.
BROKEN_LINES, WIDTHS = 60, (40, 250)


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
    reading: Reading,
    *,
    source: str = "console.log",
    known: Iterable[Entry] = CATALOGUE,
    ended: bool = False,
    code: int | None = None,
) -> Diagnosis | None:
    """Return the cause of a bad end, or None when nothing ended badly, as far as the console tells.

    Of all entries that match, the one of the earliest phase is the cause: what went wrong first. What the training
    outlived, for it went on to its last summary, comes after everything else. With `ended` the training is known to
    have ended badly, whatever the console says; `code` is then its exit code. Time is in proportion to the console's
    length.
    """
    if reading.state in (State.STOPPED, State.COMPLETED) and not ended:
        candidates = [entry for entry in known if entry.quiet and reading.state is State.STOPPED]
    elif reading.state is State.FAILED or ended:
        candidates = [entry for entry in known if entry.kind is not Kind.NOTICE]
    else:
        return None
    hits = _hits(candidates, reading.lines)
    if not any(hit.entry.kind is Kind.CAUSE for hit in hits):
        hits += _hits_across_breaks(candidates, reading.lines, found=hits)
    hits += _told_by_code(candidates, code, found=hits)
    if not hits and reading.failure and not ended:
        hits = [_Hit(entry, {}, []) for entry in candidates if entry.id == UNKNOWN_ERROR]
    if not hits:
        return None
    last_summary = max((number for number, line in enumerate(reading.lines) if is_summary(line)), default=-1)
    best, *others = sorted(hits, key=lambda hit: (bool(hit.lines) and max(hit.lines) < last_summary, *_rank(hit)))
    return Diagnosis(
        id=best.entry.id,
        title=best.entry.title,
        cause=filled(
            best.entry.cause, {**best.words, **_meaning(best.words), "failure": reading.failure or "see below"}
        ).strip(),
        fix=filled(best.entry.fix, best.words),
        evidence=_evidence(best, reading, source),
        actions=[REMEDIES[one].told(best.words) for one in best.entry.remedies or ANYWAY],
        further=[one.entry.title for one in others if one.entry.kind is Kind.CAUSE],
    )


def _meaning(words: dict[str, str]) -> dict[str, str]:
    """What the exit code of a player means, where the console names no signal."""
    rc = words.get("rc", "")
    return {"sig": code_in_words(int(rc))} if rc and not words.get("sig") and len(rc) < 12 else {}


def _rank(hit: _Hit) -> tuple[bool, int]:
    """Sorting keeps the catalogue's order within a phase."""
    last = hit.entry.kind is Kind.LAST_RESORT
    return last, (LAST_RESORTS if last else CAUSES).index(hit.entry.phase)


def _told_by_code(entries: Iterable[Entry], code: int | None, *, found: Sequence[_Hit]) -> list[_Hit]:
    known = {hit.entry.id for hit in found}
    number = None if code is None else plain_code(code)
    return [_Hit(entry, {}, []) for entry in entries if number in entry.codes and entry.id not in known]


def _hits_across_breaks(entries: Iterable[Entry], lines: Sequence[str], *, found: Sequence[_Hit]) -> list[_Hit]:
    """What the last lines say when a narrow window broke them: then the longest is as wide as a window."""
    first = max(0, len(lines) - BROKEN_LINES)
    last = [line.rstrip() for line in lines[first:]]
    widest = max(map(len, last), default=0)
    if not WIDTHS[0] <= widest <= WIDTHS[1]:
        return []
    known = {hit.entry.id for hit in found}
    hits = [hit for hit in _hits(entries, last, between="") if hit.entry.id not in known]
    return [replace(hit, lines=[first + number for number in hit.lines]) for hit in hits]


def _hits(entries: Iterable[Entry], lines: Sequence[str], *, between: str = "\n") -> list[_Hit]:
    text, starts, numbers = _searched(lines, between)
    hits = []
    for entry in entries:
        found = _matches(entry.compiled(), text)
        if found:
            places = [numbers[bisect_right(starts, _place(match)) - 1] for match in found]
            hits.append(_Hit(entry, found[-1].groupdict(default=""), places))
    return hits


def _place(match: re.Match[str]) -> int:
    """Where what is shown of a match stands: of one that goes over several lines the last, the exception."""
    return match.end() - 1 if "\n" in match[0].rstrip("\n") else match.start()


def _matches(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    found: list[re.Match[str]] = []
    for match in pattern.finditer(text):
        found = [*found[: MOST_EVIDENCE - 1], match]
    return found


def _searched(lines: Sequence[str], between: str) -> tuple[str, list[int], list[int]]:
    """The text that is searched, where its lines begin, and their places among all lines."""
    kept = [(number, line[:LINE_CHARACTERS].rstrip()) for number, line in enumerate(summaries_left_out(lines)) if line]
    kept = _ends(kept)
    starts, position = [], 0
    for _, line in kept:
        starts.append(position)
        position += len(line) + len(between)
    return between.join(line for _, line in kept), starts, [number for number, _ in kept]


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
    if hit.entry.id == UNKNOWN_ERROR:
        head = max((number for number, line in enumerate(reading.lines) if line.startswith("Traceback (")), default=-1)
        last = (one for one in last_lines(reading, source) if one.line > reading.first_line + head)
        return [*_at([head] if head >= 0 else [], reading, source), *last]
    places = list(dict.fromkeys(hit.lines))
    told = [place for place in places if not (place and is_frame(reading.lines[place - 1]))]
    return _at(told or places, reading, source)


def last_lines(reading: Reading, source: str) -> list[Evidence]:
    """Return the last lines that say anything, for what nothing explains."""
    told = [number for number, line in enumerate(reading.lines) if line.strip()]
    return _at(told[-AROUND:], reading, source)


def _at(places: Iterable[int], reading: Reading, source: str) -> list[Evidence]:
    return [Evidence(source, reading.first_line + place, shorten(reading.lines[place])) for place in places]


def filled(text: str, words: dict[str, str]) -> str:
    """Return a text with the words that a pattern found, each short and in one line."""
    short: dict[str, Any] = {name: shorten(word) for name, word in words.items()}
    return text.format_map(_Words(short)).replace(" ()", "") if "{" in text else text


class _Words(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "?"
