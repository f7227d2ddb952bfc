"""What the log of a Unity player tells of a bad end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sessions.domain.diagnosis.entries import Entry
from sessions.domain.diagnosis.explain import Diagnosis, Evidence, filled
from sessions.domain.diagnosis.player_causes import PLAYER_CAUSES
from sessions.domain.diagnosis.remedies import REMEDIES
from sessions.domain.failures import shorten

MOST_LINES = 5
_LINE_CHARACTERS = 2000
# What no trainer would write.
_IN_CONSOLES = [
    one
    for one in PLAYER_CAUSES
    if one.id in ("player_display", "player_incomplete", "player_trainer", "player_observations")
]
# What the console alone cannot explain: Unity went away, never came, or nobody knows.
OPEN_TO_MORE = {
    "env_exit", "env_restart_limit", "env_left", "env_comm", "env_stuck", "timeout", "grpc", "obs_shape",
    "generic_traceback", "interrupted", "unknown",
}  # fmt: skip


@dataclass(frozen=True)
class PlayerLog:
    """What a player's log tells: lines that speak of a failure, and the first cause among them, if any is known."""

    evidence: list[Evidence]
    cause: Entry | None = None
    words: dict[str, str] | None = None


def read_player_log(
    text: str, *, source: str, first_line: int = 1, causes: Sequence[Entry] = PLAYER_CAUSES
) -> PlayerLog:
    """Return the last telling lines of a player's log, at most five, each kind of line once, and what they mean."""
    found: dict[str, Evidence] = {}
    matched: dict[str, tuple[Entry, dict[str, str]]] = {}
    for number, line in enumerate(text.split("\n"), first_line):
        for entry in causes:
            match = entry.compiled().search(line[:_LINE_CHARACTERS])
            if match is None:
                continue
            sentence = shorten(line[:_LINE_CHARACTERS])
            found.pop(sentence, None)
            found[sentence] = Evidence(source, number, sentence)
            matched[entry.id] = (entry, match.groupdict(default=""))
            break
    best = next((matched[entry.id] for entry in causes if entry.id in matched), (None, None))
    return PlayerLog(list(found.values())[-MOST_LINES:], *best)


def with_players_words(diagnosis: Diagnosis, lines: Sequence[str], *, source: str, first_line: int) -> Diagnosis:
    """Return a diagnosis with what a player wrote into the trainer's own console, as it does in some releases."""
    if diagnosis.id not in OPEN_TO_MORE:
        return diagnosis
    log = read_player_log("\n".join(lines), source=source, first_line=first_line, causes=_IN_CONSOLES)
    return with_players(diagnosis, [log])


def with_players(diagnosis: Diagnosis, logs: Sequence[PlayerLog]) -> Diagnosis:
    """Return a diagnosis with what the players wrote: as evidence, and as the cause where only Unity knows it."""
    evidence = [*diagnosis.evidence, *(one for log in logs for one in log.evidence)]
    telling = next((log for log in logs if log.cause is not None), None)
    if telling is None or telling.cause is None or diagnosis.id not in OPEN_TO_MORE:
        return replace(diagnosis, evidence=evidence)
    cause, words = telling.cause, telling.words or {}
    return replace(
        diagnosis,
        cause=f"{cause.title}. {filled(cause.cause, words).strip()} {diagnosis.cause}",
        fix=f"{cause.fix} {diagnosis.fix}",
        evidence=evidence,
        actions=list(
            {one.id: one for one in (*(REMEDIES[name] for name in cause.remedies), *diagnosis.actions)}.values()
        ),
    )
