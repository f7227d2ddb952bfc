"""Where the last start in a console begins and ends: people show several, with other words between them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sessions.domain import console
from sessions.domain.failures import RECORD_PREFIX, bare_failure, failures_of

_BANNER = "Version information:"
_PROGRAM = (
    r"(?:\S{1,200}[\\/])?(?:mlagents-learn(?:\.exe)?"
    r"|python[\d.]{0,5}(?:\.exe)? (?:-m mlagents\.trainers\.learn|(?!\S{0,200}setup\.py)\S{1,300}\.py))"
)
# A prompt of a shell with the command behind it: what follows is another start.
_COMMAND = re.compile(
    r"(?:.{0,400}[>$#%!\u276f\u03bb\u2717\u00bb] ?|.{0,400}git:\(.{1,100}\) |)(?:xvfb-run .{1,200} )?"
    rf"{_PROGRAM}(?: (?!\w*: error|: ).{{0,4000}})?"
)
_LIKELY = ("mlagents", "python")
# What libraries print while the trainer loads, Unity's logo, and what the trainer says of its options.
_LOADING = re.compile(r"^usage: |site-packages|dist-packages|tensorflow|\u2593\u2593\u2593|\u256c\u256c")


def last_start(lines: Sequence[str]) -> tuple[int, int]:
    """Return the indices of the first line of the last start and of the one behind its last.

    It begins with its command, else with its banner, else with the first line. Commands that printed nothing, as they
    stand in instructions, are no starts; when none printed anything, the last one is meant.
    """
    begins = [0, *_begins(lines)]
    ends = [*begins[1:], len(lines)]
    spoken = (pair for pair in zip(reversed(begins), reversed(ends), strict=True) if _speaks(lines[slice(*pair)]))
    return next(spoken, (begins[-1] if any(map(str.strip, lines[begins[-1] + 1 :])) else 0, len(lines)))


def _begins(lines: Sequence[str]) -> list[int]:
    """A banner belongs to the command above it; a further one is a start of its own."""
    found: list[int] = []
    has_banner = False
    for index, line in enumerate(lines):
        if any(word in line for word in _LIKELY) and _COMMAND.fullmatch(line.rstrip()):
            found.append(index)
            has_banner = False
        elif line.strip() == _BANNER:
            if has_banner:
                found.append(index)
            has_banner = True
    return found


def _speaks(lines: Sequence[str]) -> bool:
    """Whether a trainer printed anything of this."""
    return any(map(_is_printed, lines)) or failures_of(lines).last is not None or bare_failure(lines) is not None


def _is_printed(line: str) -> bool:
    return (
        RECORD_PREFIX.match(line) is not None
        or line.strip() == _BANNER
        or _LOADING.search(line) is not None
        or console.parse_line(line) is not None
    )
