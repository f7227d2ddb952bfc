"""The last words of a trainer that failed, found among the lines of its console."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sessions.domain import shell_words

LEVEL = r"(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)"
RECORD_PREFIX = re.compile(
    rf"\[{LEVEL}\] "  # 0.26 and later
    # From 0.15 to 0.25, and with --debug; people leave the date out.
    rf"|(?:\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d(?:,\d{{3}})? )?{LEVEL} \[[^\]:]{{1,200}}:\d{{1,9}}\] "
    rf"|{LEVEL}:[\w.]{{1,200}}: ?"  # until 0.14
    r"|[DIWEF]\d{4} \d\d:\d\d:\d\d\.\d{6} +\d{1,9} [^\]:]{1,200}:\d{1,9}\] +"  # until 0.14, beside TensorFlow 1.13
)
# TensorFlow 1 repeats an exception with words of its own behind the name.
_REPEATED = r"(?: \(see above for traceback\))?"
EXCEPTION = re.compile(rf"(?:[^\W\d]\w*\.)*[^\W\d]\w*(?:Error|Exception|Interrupt|Exit){_REPEATED}(?::.*)?")
USAGE_ERROR = re.compile(r"[\w.\-]{1,100}: error: .+")

TRACEBACK = "Traceback (most recent call last):"
_CHAINED = ("During handling of the above exception", "The above exception was the direct cause")
# A traceback after one of these is not how the main process ended.
_ASIDE = re.compile(
    r"Exception (?:ignored )?in|Error in atexit|Process \w*Process-|--- Logging error|Call stack:"
    r"|.*UnityEnvironment worker .*exception"
)
# A place in the code, wherever it stands: people leave out what was before, and several workers write over one another.
_FRAME = re.compile(r"\s{0,20}File \"[^\"]{1,1000}\", line \d{1,9}")
_MOST_CODE_LINES = 8
# What a worker says when the process that it works for is gone.
_ALONE = ("EOFError", "BrokenPipeError", "ConnectionResetError")
# With threaded: true it is a thread that learns; the main thread does not end with it, and waits for ever.
_THREAD = "Exception in thread Thread-"
# Inside a traceback any name may stand, also subprocess.TimeoutExpired.
_RAISED = re.compile(rf"(?P<name>(?:[^\W\d]\w*\.)*[^\W\d]\w*){_REPEATED}(?::(?P<text>.*))?")
_NAME = r"(?:[^\W\d]\w{0,100}\.){0,10}[^\W\d]\w{0,100}"
# Notebooks name the exception above its frames, editors above its message.
_IN_NOTEBOOK = re.compile(rf"(?P<name>{_NAME})\s+Traceback \(most recent call last\):?")
_IN_EDITOR = re.compile(rf"Exception has occurred: (?P<name>{_NAME}).{{0,200}}")
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
            rf"(?:{shell_words.KILLED})|{shell_words.FAULT}|{shell_words.ABORTED}",
            r"Fatal Python error: .+|Windows fatal exception: .+|OMP: Error #\d+: .+",
            r"terminate called (?:after throwing|without an active).+|(?:free|malloc|realloc)\(\): .+|double free .+",
            rf".{{0,200}}mlagents-learn{_QUOTE}:? (?:is not recognized|command not found|not found).{{0,300}}",
            rf".{{0,200}}mlagents-learn.{{0,20}}(?:{shell_words.NOT_FOUND}).{{0,300}}",
            rf".{{0,50}}(?:command not found:|[Uu]nknown command:?) {_QUOTE}mlagents-learn.{{0,50}}",
            r"\S{1,300}: No module named '?mlagents\S*|.{0,300}: can't open file .{1,500}",
            r"ERROR: (?:Package 'mlagents'|No matching distribution found for mlagents).{0,500}",
            r"\s{0,20}ERROR: (?:Failed building wheel for|Could not build wheels for).{0,500}",
            r"forrtl: error \(200\): .{1,300}|Fatal error in launcher: .{1,500}",
        )
    )
)
# Most lines have none of these; looking for them is cheaper.
_ENDED_WORDS = re.compile(
    r"(?i:kill|terminate|hangup|abort|bus e|fault|illegal|floating|fatal|OMP: |free|alloc\(|mlagents|can't open)"
    rf"|wheel|forrtl|{shell_words.ANY}"
)
# What pip, conda and shells say when ML-Agents could not be installed or found. A trainer may begin all the same.
_BEFORE_A_TRAINER = re.compile(
    "|".join(
        (
            r"\s{0,20}(?:error|ERROR): (?:subprocess-exited-with-error|legacy-install-failure|resolution-too-deep"
            r"|metadata-generation-failed|externally-managed-environment)",
            r"\s{0,20}(?:\u00d7 )?(?:Building wheel|Preparing metadata|Getting requirements|python setup\.py"
            r"|pip subprocess).{0,200} did not run successfully.{0,50}",
            r"\s{0,20}(?:ERROR: )?(?:Could not find a version that satisfies|No matching distribution found for"
            r"|Cannot install|ResolutionImpossible|Could not install packages due to|Package '|Failed to build"
            r"|Command (?:errored|\")).{0,3000}",
            r"(?:ERROR: )?[\w.-]{1,60} \S{1,30} (?:has requirement|requires) .{1,300}"
            r"(?:, but you(?:'ll)? .{1,200}|, which is not installed\.?)",
            r"\s{0,20}error in \S{1,60} setup command: .{1,300}|error: (?:command|Microsoft Visual C).{1,500}",
            r"\w{1,50}NotFound:.{0,500}",
            r".{0,200}\b(?:pip|python|conda|mlagents-[a-z-]{1,20})[\d.]{0,5}['\"\u2019]?:? "
            r"(?:is not recognized|command not found).{0,300}",
            rf".{{0,100}}\b(?:pip|python|conda)\b.{{0,20}}(?:{shell_words.NOT_FOUND}).{{0,300}}",
            r".{0,50}command not found: (?:pip|python|conda).{0,50}",
            r".{0,300}activate(?:\.\w{1,5})?['\"]? is not recognized .{1,300}"
            r"|.{0,300}activate(?:\.\w{1,5})?: No such file or directory",
            r"Python was not found; .{1,300}|.{0,500} running scripts is disabled on this system.{0,300}",
            r".{0,300}\[WinError \d{1,5}\] .{1,1000}",
        )
    )
)
# Exceptions of which only the words were quoted.
_WORDS_ALONE = re.compile(
    r"(?:The Unity environment took too long to respond|Couldn't (?:launch|start) (?:the|new|socket) .{1,200}"
    r"|The behavior \S{1,200} needs an? .{1,40}input of dimension|The behavior name \S{1,200} has not been specified"
    r"|Previous data from this run ID was (?:not )?found|(?:The )?API number (?:is )?not compatible"
    r"|The communication API version is not compatible between Unity and python\. Python API).{0,1000}"
    r"|.{0,200}\b(?:[Cc]annot|[Cc]ould not) connect to (?:X server|display).{0,200}"
)
# Until 0.14 a command line that is refused is answered by its usage alone.
_USAGE_ALONE = re.compile(r"\s{1,20}(?:mlagents-)?learn --help")
_PROMPTS = (">", "$", "#", "%")
_MESSAGE_LINES = 6
_SENTENCE_CHARACTERS = 300
_LINE_CHARACTERS = 4096


class _Failed(NamedTuple):
    text: str
    is_main: bool
    line: int
    in_thread: bool = False


@dataclass(frozen=True)
class Failures:
    """What a console says of failures.

    `last` is what `last_failure` returns, `main` the last one of the main process alone: a worker that fails may be
    started again. It is `left_alone` when its last word is that of a worker whose main process is gone, or of a thread.
    """

    last: str | None = None
    main: str | None = None
    left_alone: bool = False


def last_failure(lines: Iterable[str]) -> str | None:
    """Return how the trainer says it failed, from the last lines of its console; None when it does not say.

    That is the class (without its module) and message of the main process's last traceback, or of the last one there
    is, or what is wrong with the command line; in one line of at most 300 characters.
    """
    return failures_of(lines).last


def failures_of(lines: Iterable[str]) -> Failures:
    """Return everything that the last lines of a console say of how the trainer failed."""
    cut = _cut(lines)
    found = list(_failures(cut))
    if not found:
        return Failures()
    main = next((one.text for one in reversed(found) if one.is_main), None)
    newest = found[-1]
    alone = newest.line > _last_record(cut) and (newest.in_thread or newest.text.startswith(_ALONE))
    return Failures(main or newest.text, main, alone)


def bare_failure(lines: Iterable[str]) -> str | None:
    """Return the exception that an excerpt from a console ends with, where its traceback was left out."""
    cut = _cut(lines)
    for number in range(len(cut) - 1, _last_record(cut), -1):
        if ":" in cut[number] and EXCEPTION.fullmatch(cut[number]):
            return _told(cut[number], cut, number + 1)
    return None


def cut_failure(lines: Iterable[str]) -> str | None:
    """Return the code that a console ends with inside a traceback, before its exception: a message may stand there."""
    told = [line for line in _cut(lines) if line][-_MOST_CODE_LINES:]
    frame = next((number for number in range(len(told) - 1, -1, -1) if _FRAME.match(told[number])), None)
    if frame is None or any(line[0] not in " \t" for line in told[frame + 1 :]):
        return None
    return shorten(told[-1])


def is_frame(line: str) -> bool:
    """Tell whether a line names a place in the code; below it stands that code, which is nothing that was printed."""
    return _FRAME.match(line) is not None


def quoted_failure(lines: Iterable[str], *, is_silent: bool) -> str | None:
    """Return the words of an exception that an excerpt ends with, where its name was left out.

    Where the console `is_silent`, tells nothing of a trainer, what kept it from being installed or found counts, too.
    """
    cut = _cut(lines)
    rest = [line for line in reversed(cut[_last_record(cut) + 1 :]) if line]
    words = next((shorten(line) for line in rest if _WORDS_ALONE.fullmatch(line)), None)
    if words or not is_silent:
        return words
    if _USAGE_ALONE.fullmatch(next((line for line in rest if not line.endswith(_PROMPTS)), "")):
        return "The command line was refused."
    return next((shorten(line) for line in rest if _BEFORE_A_TRAINER.fullmatch(line)), None)


def _cut(lines: Iterable[str]) -> list[str]:
    return [line[:_LINE_CHARACTERS].rstrip() for line in lines]


def _last_record(lines: Sequence[str]) -> int:
    return next((number for number in range(len(lines) - 1, -1, -1) if RECORD_PREFIX.match(lines[number])), -1)


def _failures(lines: Sequence[str]) -> Iterator[_Failed]:
    is_main, in_thread = True, False
    before = ""
    last_record = _last_record(lines)
    done = 0  # the lines before this one are those of a traceback that was read
    for number, line in enumerate(lines):
        if line == TRACEBACK:
            if not before.startswith(_CHAINED):
                is_main, in_thread = not _ASIDE.match(before), before.startswith(_THREAD)
            raised, done = _raised(lines, number + 1)
            if raised is None and done >= len(lines):
                raised = next(filter(None, map(_end_in, reversed(lines[number + 1 :]))), None)
            if raised:
                yield _Failed(raised, is_main, number, in_thread)
        elif number < done:
            pass
        elif USAGE_ERROR.fullmatch(line):
            yield _Failed(shorten(line.partition(": error: ")[2]), True, number)
        elif _is_end(line):
            yield _Failed(shorten(line), True, number)
        elif line.startswith(TRACEBACK):
            yield _Failed(_in_one_line(line), True, number)
        elif "call last)" in line and (match := _IN_NOTEBOOK.fullmatch(line)):
            yield _Failed(_named_above(match["name"], lines, number + 1), True, number)
        elif line.startswith("Exception has") and (match := _IN_EDITOR.fullmatch(line)):
            yield _Failed(_told(f"{match['name']}:", lines, number + 1), True, number)
        elif _FRAME.match(line):
            raised, done = _headless(lines, number)
            if raised and number > last_record and not _ASIDE.match(before):
                yield _Failed(raised, True, number)
        before = line or before


def _raised(lines: Sequence[str], number: int) -> tuple[str | None, int]:
    """The exception of a traceback whose frames begin at `number`, and where what follows it begins.

    None when the console ends before it.
    """
    while number < len(lines) and (not lines[number] or lines[number][0] in " \t"):
        number += 1
    match = _RAISED.fullmatch(lines[number]) if number < len(lines) else None
    while match is None:  # the frames of a window that was too narrow
        number += 1
        if number >= len(lines) or lines[number] == TRACEBACK or RECORD_PREFIX.match(lines[number]):
            return None, number
        match = _RAISED.fullmatch(lines[number]) if EXCEPTION.fullmatch(lines[number]) else None
    return _told(lines[number], lines, number + 1), number + 1


def _headless(lines: Sequence[str], number: int) -> tuple[str | None, int]:
    """The same where the frames are not those of a traceback that is whole."""
    code = 0
    while number < len(lines) and code <= _MOST_CODE_LINES:
        line = lines[number]
        if line == TRACEBACK or RECORD_PREFIX.match(line):
            return None, number
        if EXCEPTION.fullmatch(line):
            return _told(line, lines, number + 1), number + 1
        code = 0 if _FRAME.match(line) else code + 1
        number += 1
    return None, number


def _is_end(line: str) -> bool:
    return _ENDED_WORDS.search(line) is not None and _ENDED.fullmatch(line) is not None


def _end_in(line: str) -> str | None:
    """How a trainer ended, told in a line of a traceback that has no last line of its own."""
    return shorten(line) if _is_end(line) else _exception_in(line)


def _exception_in(line: str) -> str | None:
    """The last exception in a line that has others things in it: the line ends of its traceback were lost."""
    words = line.split()
    for number in range(len(words) - 1, -1, -1):
        if words[number].endswith(":") and EXCEPTION.fullmatch(words[number][:-1]):
            return shorten(" ".join([words[number].rpartition(".")[2], *words[number + 1 :]]))
    return None


def _in_one_line(line: str) -> str:
    """A traceback whose line ends were lost; its last exception."""
    return _exception_in(line) or shorten(line)


def _named_above(name: str, lines: Sequence[str], number: int) -> str:
    """The exception of a notebook's traceback, whose frames begin at `number`; its end may have been cut off."""
    short = name.rpartition(".")[2]
    for place in range(number, len(lines)):
        line = lines[place]
        if _IN_NOTEBOOK.fullmatch(line) or RECORD_PREFIX.match(line):
            break
        if line.partition(":")[0].rpartition(".")[2] == short and not line[:1].isspace():
            return _told(line, lines, place + 1)
    return short


def _told(line: str, lines: Sequence[str], number: int) -> str:
    """An exception in one line; what belongs to its message begins at `number`."""
    match = _RAISED.fullmatch(line)
    name, text = (match["name"], match["text"]) if match else (line, "")
    text = " ".join([text or "", *_further(lines, number)]).strip()
    name = name.rpartition(".")[2]
    return shorten(f"{name}: {text}" if text else name)


def _further(lines: Sequence[str], number: int) -> Iterator[str]:
    """The further lines of a message, up to where something else begins."""
    for line in lines[number : number + _MESSAGE_LINES]:
        if not line or line == TRACEBACK or RECORD_PREFIX.match(line) or _ASIDE.match(line):
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
