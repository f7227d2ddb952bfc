"""A console that stands in a document: in a list, in a quote, in code of one line, escaped, between other words.

Lines keep their numbers: one line in, one line out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sessions.domain.failures import EXCEPTION, RECORD_PREFIX, TRACEBACK

# What Markdown and lists of texts put before a line; a backslash before a bracket keeps it from being a link.
_MARKS = re.compile(r"[\s*+_`|'\"\\-]{1,16}")
_BEHIND = " ,;"
_ESCAPED = re.compile(r"(\[[A-Z]{4,8})\\(?=\] )")
_QUOTED = re.compile(r"\s{0,3}(?:> ){1,5}")
_ERROR = re.compile(r"(?:mlagents|unityagents)[\w.]{0,60}\.exception\.\w{1,60}: ")
_PROMPT = re.compile(r"\S.{0,400}[>$#%] ?mlagents-learn\b")
# pip shows what a package said while it was built in a frame of its own.
_FRAME_OF_PIP = ("\u2570", "\u2502", "\u00d7")


def out_of_document(lines: Iterable[str]) -> list[str]:
    """Return the lines without the marks of a document; every other line as it is."""
    return list(_blocks_moved_left(map(_unmarked, lines)))


def _unmarked(line: str) -> str:
    if ">" in line[:4]:
        line = _QUOTED.sub("", line, 1)
    marks = _MARKS.match(line)
    if marks is None or not marks[0].strip():
        return line
    bare = _ESCAPED.sub(r"\1", line[marks.end() :], count=1).rstrip(marks[0] + _BEHIND)
    return bare if RECORD_PREFIX.match(bare) or (":" in bare and EXCEPTION.fullmatch(bare)) else line


def _blocks_moved_left(lines: Iterable[str]) -> Iterator[str]:
    """Move a block to the left from its first record, command or error on, up to where it is left."""
    margin, before = 0, ""
    for line in lines:
        if line[:1] > " ":
            margin = 0
        elif line.strip():
            text = line.lstrip(" \t")
            indent = len(line) - len(text)
            if _begins_block(text, before):
                margin = indent
            elif indent < margin:
                margin = 0
        yield line[margin:]
        before = line.strip() or before


def _begins_block(text: str, before: str) -> bool:
    if text == TRACEBACK:
        return not before.startswith(_FRAME_OF_PIP)
    return any(one.match(text) for one in (RECORD_PREFIX, _PROMPT, _ERROR))
