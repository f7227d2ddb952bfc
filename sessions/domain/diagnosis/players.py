"""What the log of a Unity player tells of a bad end."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sessions.domain.diagnosis.explain import Evidence
from sessions.domain.failures import shorten

MOST_LINES = 5
# What Unity writes when a script throws, when the player crashes, and when it cannot draw or start.
_TELLING = re.compile(
    r"^(?:\w+\.)*\w*Exception\b"
    r"|^Crash!!!|^Caught fatal signal|^Obtained \d+ stack frames|^Unhandled exception"
    r"|Failed to (?:initialize|create) (?:graphics|D3D|window|device)|Unable to (?:open|initialize) (?:display|X11)"
    r"|\bSIG(?:SEGV|ABRT|BUS|ILL)\b|Out of memory|Could not allocate memory"
    r"|Couldn't connect to trainer|heartbeat|The Communicator API version is not compatible"
)
_LINE_CHARACTERS = 2000


def player_evidence(text: str, *, source: str) -> list[Evidence]:
    """Return the last telling lines of a player's log, at most five, each kind of line once."""
    found: dict[str, Evidence] = {}
    for number, line in _telling(text.split("\n")):
        sentence = shorten(line)
        found.pop(sentence, None)
        found[sentence] = Evidence(source, number, sentence)
    return list(found.values())[-MOST_LINES:]


def _telling(lines: Iterable[str]) -> Iterable[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        if _TELLING.search(line[:_LINE_CHARACTERS]):
            yield number, line[:_LINE_CHARACTERS].strip()
