"""Why a session's attempt ended badly: what its console and Unity's players wrote, looked at together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sessions.domain.diagnosis.catalogue import CATALOGUE
from sessions.domain.diagnosis.entries import Entry
from sessions.domain.diagnosis.explain import Diagnosis, Evidence, diagnose
from sessions.domain.diagnosis.players import player_evidence
from sessions.domain.diagnosis.reading import Reading, read_console
from sessions.domain.resources import GPU_MEMORY, MEMORY, OF_THE_ATTEMPT
from sessions.domain.states import State
from sessions.models import Attempt, Series, TaughtCause, TrainingSession
from sessions.selectors.console import console_path

# More of a console is read from its two ends only.
CONSOLE_BYTES = 8 * 1024 * 1024
PLAYER_BYTES = 512 * 1024
MOST_PLAYERS = 8
GIGABYTE = 1e9
BAD_ENDS = (State.FAILED, State.LOST)


def read_file(path: Path, most: int = CONSOLE_BYTES) -> str:
    """Return a text file; of one that is longer than `most` bytes, the beginning and the end.

    Raises OSError when it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(most // 2)
        size = file.seek(0, 2)
        file.seek(max(len(head), size - most // 2))
        tail = file.read(most // 2)
    return (head + tail).decode("utf-8", "replace").lstrip("\ufeff")


def diagnosis_of(session: TrainingSession, attempt: Attempt | None = None) -> Diagnosis | None:
    """Return why the attempt (without one, the session's latest) ended as it did; None when it did not end badly."""
    attempt = attempt or session.attempts.order_by("-number").first()
    if attempt is None or State(attempt.state) not in BAD_ENDS:
        return None
    known = (*taught_causes(), *CATALOGUE)
    reading = _reading(session, attempt)
    found = diagnose(reading, source="console.log", known=known, ended=True) or _by_exit(attempt)
    return replace(found, evidence=[*found.evidence, *_players(attempt)], facts=_facts(session, attempt, reading))


def taught_causes() -> list[Entry]:
    """Return the causes that users taught."""
    taught = TaughtCause.objects.all()
    return [Entry.taught(one.pk, one.text, title=one.title, cause=one.cause, fix=one.fix) for one in taught]


def _facts(session: TrainingSession, attempt: Attempt, reading: Reading) -> list[str]:
    """How things stood when it ended."""
    trainer = session.trainer
    versions = {"ML-Agents": reading.version or trainer.version, "Python": trainer.python_version}
    versions["PyTorch"] = trainer.torch_version
    series = Series.objects.filter(attempt=attempt, behavior=OF_THE_ATTEMPT, tag__in=(MEMORY, GPU_MEMORY))
    used = {one.tag: one.last_value for one in series if one.last_value}
    facts = [
        "" if attempt.exit_code is None else f"exit code {attempt.exit_code}",
        "" if attempt.base_port is None else f"port {attempt.base_port}",
        f"{used[MEMORY] / GIGABYTE:.1f} GB of memory" if MEMORY in used else "",
        f"{used[GPU_MEMORY] / GIGABYTE:.1f} GB of GPU memory" if GPU_MEMORY in used else "",
        *(f"{name} {version}" for name, version in versions.items() if version),
    ]
    return [fact for fact in facts if fact]


def _reading(session: TrainingSession, attempt: Attempt) -> Reading:
    try:
        text = read_file(console_path(session, attempt))
    except OSError:
        text = ""
    return read_console(text)


def _by_exit(attempt: Attempt) -> Diagnosis:
    """What the state alone tells, where the console is silent."""
    return Diagnosis(
        id="unknown",
        title="The console does not say why",
        cause=attempt.failure or attempt.session.explanation,
        fix="Look at the last lines of the console and into Player-0.log; then resume.",
        evidence=[],
    )


def _players(attempt: Attempt) -> list[Evidence]:
    """What the players of this attempt wrote last that tells of a failure."""
    since = attempt.launched_at or attempt.started_at
    found: list[Evidence] = []
    for path in sorted((attempt.results / "run_logs").glob("Player-*.log"))[:MOST_PLAYERS]:
        try:
            if since is not None and path.stat().st_mtime < since.timestamp():
                continue
            found += player_evidence(read_file(path, PLAYER_BYTES), source=path.name)
        except OSError:
            continue
    return found
