"""The last words of a trainer that failed, found among the lines of its console."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

LEVEL = r"(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)"
RECORD_PREFIX = re.compile(
    rf"\[{LEVEL}\] "  # 0.26 and later
    rf"|\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d(?:,\d{{3}})? {LEVEL} \[[^\]:]{{1,200}}:\d{{1,9}}\] "  # 0.15 to 0.25; --debug
    rf"|{LEVEL}:[\w.]{{1,200}}: ?"  # until 0.14
)
EXCEPTION = re.compile(r"(?:[^\W\d]\w*\.)*[^\W\d]\w*(?:Error|Exception|Interrupt|Exit)(?::.*)?")
USAGE_ERROR = re.compile(r"[\w.\-]{1,100}: error: .+")

_TRACEBACK = "Traceback (most recent call last):"
_CHAINED = ("During handling of the above exception", "The above exception was the direct cause")
# A traceback after one of these is not how the main process ended.
_ASIDE = re.compile(
    r"Exception (?:ignored )?in|Process \w*Process-|--- Logging error|Call stack:|.*UnityEnvironment worker .*exception"
)
# Inside a traceback any name may stand, also subprocess.TimeoutExpired.
_RAISED = re.compile(r"(?P<name>(?:[^\W\d]\w*\.)*[^\W\d]\w*)(?::(?P<text>.*))?")
# What a shell, a C library or the interpreter says of a program that ended, or never began, without a traceback.
_SIGNALS = (
    "killed|terminated|hangup|abort(?:ed)?|bus error|segmentation fault|illegal (?:hardware )?instruction"
    "|floating[- ]point exception"
)
_QUOTE = "['\"\u2018\u2019]?"
_ENDED = re.compile(
    "|".join(
        (
            # bash alone, in a script, in the background; zsh, which names the program
            rf"(?:.{{0,200}}: line \d+: +\d+ )?(?i:{_SIGNALS})(?: +\(core dumped\).{{0,1000}})?",
            rf"(?:.{{0,200}}: line \d+: +\d+|(?:zsh|bash|sh|fish):|\[\d+\][ +\d-]*) *(?i:{_SIGNALS})\b.{{0,1000}}",
            r"Fatal Python error: .+|Windows fatal exception: .+|OMP: Error #\d+: .+",
            r"terminate called (?:after throwing|without an active).+|(?:free|malloc|realloc)\(\): .+|double free .+",
            rf".{{0,200}}mlagents-learn{_QUOTE}:? (?:is not recognized|command not found|not found).{{0,300}}",
            rf".{{0,50}}(?:command not found:|[Uu]nknown command:?) {_QUOTE}mlagents-learn.{{0,50}}",
            r"\S{1,300}: No module named '?mlagents\S*|.{0,300}: can't open file .{1,500}",
            r"ERROR: (?:Package 'mlagents'|No matching distribution found for mlagents).{0,500}",
        )
    )
)
# Most lines have none of these; looking for them is cheaper.
_ENDED_WORDS = re.compile(
    r"(?i:kill|terminate|hangup|abort|bus e|fault|illegal|floating|fatal|OMP: |free|alloc\(|mlagents|can't open)"
)
_MESSAGE_LINES = 6
_SENTENCE_CHARACTERS = 300
_LINE_CHARACTERS = 4096


def last_failure(lines: Iterable[str]) -> str | None:
    """Return how the trainer says it failed, from the last lines of its console; None when it does not say.

    That is the class (without its module) and message of the main process's last traceback, or of the last one there
    is, or what is wrong with the command line; in one line of at most 300 characters.
    """
    failures = list(_failures(_cut(lines)))
    return next((text for text, is_main in reversed(failures) if is_main), None) or (
        failures[-1][0] if failures else None
    )


def main_failure(lines: Iterable[str]) -> str | None:
    """Return the last failure of the main process alone: a worker that fails may be started again."""
    return next((text for text, is_main in reversed(list(_failures(_cut(lines)))) if is_main), None)


def _cut(lines: Iterable[str]) -> list[str]:
    return [line[:_LINE_CHARACTERS].rstrip() for line in lines]


def _failures(lines: Sequence[str]) -> Iterator[tuple[str, bool]]:
    is_main = True
    before = ""
    for number, line in enumerate(lines):
        if line == _TRACEBACK:
            is_main = is_main if before.startswith(_CHAINED) else not _ASIDE.match(before)
            if raised := _raised(lines, number + 1):
                yield raised, is_main
        elif USAGE_ERROR.fullmatch(line):
            yield shorten(line.partition(": error: ")[2]), True
        elif _ENDED_WORDS.search(line) and _ENDED.fullmatch(line):
            yield shorten(line), True
        before = line or before


def _raised(lines: Sequence[str], number: int) -> str | None:
    """The exception of a traceback whose frames begin at `number`; None when the console ends before it."""
    while number < len(lines) and (not lines[number] or lines[number][0] in " \t"):
        number += 1
    match = _RAISED.fullmatch(lines[number]) if number < len(lines) else None
    while match is None:  # the frames of a window that was too narrow
        number += 1
        if number >= len(lines) or lines[number] == _TRACEBACK or RECORD_PREFIX.match(lines[number]):
            return None
        match = _RAISED.fullmatch(lines[number]) if EXCEPTION.fullmatch(lines[number]) else None
    name = match["name"].rpartition(".")[2]
    text = " ".join([match["text"] or "", *_further(lines, number + 1)]).strip()
    return shorten(f"{name}: {text}" if text else name)


def _further(lines: Sequence[str], number: int) -> Iterator[str]:
    """The further lines of a message, up to where something else begins."""
    for line in lines[number : number + _MESSAGE_LINES]:
        if not line or line == _TRACEBACK or RECORD_PREFIX.match(line) or _ASIDE.match(line):
            return
        yield line


def shorten(text: str) -> str:
    """Return a text in one line, cut where a sentence ends if it is longer than a person would read."""
    line = " ".join(text.split())
    if len(line) <= _SENTENCE_CHARACTERS:
        return line
    cut = line[:_SENTENCE_CHARACTERS]
    end = max(cut.rfind(". "), cut.rfind(": "))
    return cut[: end + 1] if end > 0 else cut[:-1] + "…"
