"""A console as it was when it was printed, whatever it went through since: terminals, files, log collectors, forums.

Lines keep their numbers: one line in, one line out.
"""

from __future__ import annotations

import codecs
import html
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from sessions.domain import console
from sessions.domain.diagnosis.documents import out_of_document
from sessions.domain.failures import LEVEL, RECORD_PREFIX

_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be", codecs.BOM_UTF8: "utf-8"}
_LOOKED_AT = 4096
# Colours, cursor movements and titles of windows.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,1000}(?:\x07|\x1b\\)?|[@-Z\\-_=>])")
_FENCE = re.compile(r"\s{0,3}(?:`{3,}|~{3,})\s{0,3}[\w.+-]{0,20}\s*")
_CODE = re.compile(r"`([^`]{1,4000})`[.,;:]?")
_ENTITY = re.compile(r"&(?:gt|lt|amp|quot|apos|nbsp|#\d{1,7}|#x[0-9a-fA-F]{1,6});")
_LINE_BREAK = re.compile(r"\s{0,8}<br ?/?>\Z")
_QUOTES = {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'}
_PRINTED = str.maketrans({**_QUOTES, "\xa0": " ", "\u200b": "", "\ufeff": ""})
_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_DATE = r"\d{4}[-/]\d\d[-/]\d\d"
# What others put before every line; ML-Agents' own time stands before a level and the file that logs.
_PREFIXES = tuple(
    re.compile(pattern)
    for pattern in (
        r" {0,8}(?:> ?)+",
        r"\|(?: |$)",
        rf"{_DATE}[T ]{_CLOCK}(?:Z|[+-]\d\d:?\d\d)?(?: (?:stdout|stderr) [FP])?(?:[:|,]? |\t|$)(?!{LEVEL} \[)",
        rf"\[(?:{_DATE}[T ])?{_CLOCK}(?:Z|[+-]\d\d:?\d\d)?\](?: |$)",
        rf"{_CLOCK}(?: |\t|$)(?!{LEVEL} \[)",
        rf"[A-Z][a-z]{{2}} [ \d]\d {_CLOCK} (?:\S{{1,100}} \S{{1,100}}\[\d{{1,9}}\]:(?: |$))?",
        r"[\w.-]{1,60}\s{1,20}\|(?: |$)",
        r"\[(?:stdout|stderr|out|err)\](?: |$)",
        r"(?:stdout|stderr):(?: |$)",
        r"\((?:\w{1,60} )?pid=[^)]{1,100}\)(?: |$)",
        r"\s{0,8}\d{1,7}(?::|\t| ?\|)(?: |$)?",
        r"\s{0,8}\d{1,7}\.(?: |$)",
    )
)
# How a terminal shows that Ctrl-C was pressed; what is printed next stands behind it.
_PRESSED = re.compile(r"(?:\^C)+")
# PowerShell takes the first line on stderr for an error, and writes five lines of its own below it.
_TAKEN_FOR_AN_ERROR = re.compile(r"\s{0,8}\+ FullyQualifiedErrorId\s?: NativeCommandError.{0,200}")
_PROGRAM = re.compile(r"(\s{0,16})(?:\S{1,300}[\\/])?[\w.-]{1,60}\s?: (?=\S)")
_MOST_LINES_ABOVE = 8
_MOST_LAYERS = 3
# Of the lines that say anything, as many have what was put before all of them: multi-line messages may lack it.
_SHARE = 0.7
_JOINED_LINES = 3
_BEGINNINGS = ("Exported ", "Copied ", "Parameter '", "Resuming training from step ", "Connected to Unity environment")


def decoded(data: bytes) -> str:
    """Return the text in bytes of any usual encoding: UTF-8, UTF-16, and Windows' own in lines that are no UTF-8.

    A mark at the beginning names the encoding and is left out.
    """
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return _text(data[len(mark) :], encoding)
    head = data[:_LOOKED_AT]
    if head.count(b"\0") > len(head) // 4:
        return _text(data, "utf-16-le" if head[1::2].count(b"\0") >= head[::2].count(b"\0") else "utf-16-be")
    return _text(data, "utf-8")


def _text(data: bytes, encoding: str) -> str:
    if encoding != "utf-8":
        return data.decode(encoding, "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "\n".join(_line(line) for line in data.split(b"\n"))


def _line(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def out_of_notebook(text: str) -> str:
    """Return what the cells of a Jupyter notebook that is given as a file printed; any other text as it is."""
    if not text.lstrip().startswith("{") or '"cells"' not in text:
        return text
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):
        return text
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        return text
    return "\n".join(line for cell in cells if isinstance(cell, dict) for line in _cell(cell))


def _cell(cell: dict[str, Any]) -> Iterator[str]:
    """The commands of a cell, then what they printed."""
    yield from (line for line in _lines_of(cell.get("source")) if line.startswith("!"))
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        if isinstance(output, dict):
            yield from _lines_of(output.get("text"))
            yield from _lines_of(output.get("traceback"), between="\n")


def _lines_of(value: object, *, between: str = "") -> list[str]:
    """A text of a notebook, which may be a list of its pieces."""
    pieces = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return between.join(piece for piece in pieces if isinstance(piece, str)).splitlines()


def undressed(lines: Sequence[str]) -> list[str]:
    """Return the lines as the trainer printed them, without colours, quotes, fences, clocks and names of containers."""
    bare = [_printed(line) for line in lines]
    for _ in range(_MOST_LAYERS):
        prefix = _common_prefix(bare)
        if prefix is None:
            break
        bare = [line[match.end() :] if (match := prefix.match(line)) else line for line in bare]
    bare = out_of_document(_moved_left(_without_powershell(bare)))
    return _joined([_PRESSED.sub("", line, 1) if line[:1] == "^" else line for line in bare])


def _without_powershell(lines: list[str]) -> list[str]:
    for last, line in enumerate(lines):
        if _TAKEN_FOR_AN_ERROR.fullmatch(line):
            first = last
            while first > 0 and last - first < _MOST_LINES_ABOVE and lines[first].lstrip().startswith("+"):
                first -= 1
            lines[first : last + 1] = [""] * (last + 1 - first)
            _leave_out_program(lines, first)
    return lines


def _leave_out_program(lines: list[str], below: int) -> None:
    """What PowerShell put before the line that it took for an error, which may be broken into several."""
    for number in range(below - 1, max(-1, below - 1 - _MOST_LINES_ABOVE), -1):
        if match := _PROGRAM.match(lines[number]):
            lines[number] = match[1] + lines[number][match.end() :]
            return


def _printed(line: str) -> str:
    if "\x1b" in line:
        line = _ESCAPES.sub("", line)
    if "&" in line and _ENTITY.search(line):
        line = html.unescape(line)
    if "<br" in line:
        line = _LINE_BREAK.sub("", line.rstrip())
    if "\r" in line or "\x08" in line:
        line = _last_overwritten(line)
    if not line.isascii():
        line = line.translate(_PRINTED)
    if "`" in line or "**" in line:
        line = _without_marks(line)
    return "" if line[:6].lstrip().startswith(("```", "~~~")) and _FENCE.fullmatch(line) else line


def _without_marks(line: str) -> str:
    """A line of code or of bold letters as forums write it, without the marks at its ends."""
    bare = line.strip()
    margin = line[: len(line) - len(line.lstrip())]
    if bare.startswith("**") and bare.endswith("**") and bare.count("**") == 2:
        return margin + bare[2:-2]
    code = _CODE.fullmatch(bare)
    return margin + (code[1] if code else bare.strip("`")) if code or bare.count("`") == 1 else line


def _last_overwritten(line: str) -> str:
    """What is left to see of a line that was written several times, as progress bars do; a record wins over a bar."""
    first, *others = re.split(r"[\r\x08]+", line)
    parts = [part for part in (first, *others) if part.strip()]
    records = [part for part in parts if RECORD_PREFIX.match(part)]
    margin = "" if first.strip() else first
    return margin + (records or parts or [""])[-1]


def _common_prefix(lines: Sequence[str]) -> re.Pattern[str] | None:
    told = [line for line in (*lines[:_LOOKED_AT], *lines[_LOOKED_AT:][-_LOOKED_AT:]) if line.strip()]
    return next((one for one in _PREFIXES if told and _is_common(one, told)), None)


def _is_common(prefix: re.Pattern[str], lines: Sequence[str]) -> bool:
    return sum(prefix.match(line) is not None for line in lines) >= max(min(2, len(lines)), _SHARE * len(lines))


def _moved_left(lines: list[str]) -> list[str]:
    """The lines without what all of them are indented by; the version stands one blank to the right."""
    margin = 0 if any(line[:1] > " " for line in lines) else _margin(lines)
    return [line[margin:] for line in lines] if margin > 1 else lines


def _margin(lines: Sequence[str]) -> int:
    return min((len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()), default=0)


def _joined(lines: list[str]) -> list[str]:
    """Put records together that a narrow window broke into several lines; the rest of them is left empty."""
    for index, line in enumerate(lines):
        if _is_broken(line):
            _join(lines, index)
    return lines


def _is_broken(line: str) -> bool:
    prefix = None if line.endswith("Training.") else RECORD_PREFIX.match(line)
    if prefix is None:
        return False
    message = line[prefix.end() :].lstrip()
    return (" Step:" in message or message.startswith(_BEGINNINGS)) and console.parse_line(line) is None


def _join(lines: list[str], index: int) -> None:
    """Whether a blank was lost at the break, nobody knows: what can be read is right."""
    for count in range(1, _JOINED_LINES + 1):
        rest = lines[index + 1 : index + 1 + count]
        if any(RECORD_PREFIX.match(one) or not one.strip() for one in rest):
            return
        for blank in ("", " "):
            whole = blank.join([lines[index], *rest])
            if console.parse_line(whole) is not None:
                lines[index : index + 1 + count] = [whole, *[""] * len(rest)]
                return
