"""Why a session's attempt ended badly: what its console and Unity's players wrote, looked at together."""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import psutil

from sessions.domain.diagnosis.catalogue import CATALOGUE
from sessions.domain.diagnosis.correcting import renamed
from sessions.domain.diagnosis.entries import Entry, Kind
from sessions.domain.diagnosis.explain import Diagnosis, Evidence, diagnose, last_lines
from sessions.domain.diagnosis.players import PlayerLog, read_player_log, with_players
from sessions.domain.diagnosis.reading import read_console
from sessions.domain.diagnosis.remedies import PATIENCE_SECONDS, REMEDIES, Remedy
from sessions.domain.diagnosis.texts import decoded
from sessions.domain.outcome import code_in_words
from sessions.domain.resources import DISK, GPU_MEMORY, MEMORY, OF_THE_ATTEMPT
from sessions.domain.states import State
from sessions.models import Artifact, Attempt, Series, TaughtCause, TrainingSession
from sessions.selectors.console import console_path

# More of a console is read from its two ends only; of one that a page waits for, less.
CONSOLE_BYTES = 8 * 1024 * 1024
SHOWN_BYTES = 1024 * 1024
PLAYER_BYTES = 512 * 1024
BLOCK_BYTES = 1024 * 1024
MOST_PLAYERS = 8
GIGABYTE = 1e9
BAD_ENDS = (State.FAILED, State.LOST)


def read_file(path: Path, most: int = CONSOLE_BYTES) -> str:
    """Return a text file; of one that is longer than `most` bytes, the beginning and the end, with blank lines between.

    So each line keeps its number. Raises OSError when it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(most // 2)
        size = file.seek(0, 2)
        file.seek(len(head))
        left_out = _line_ends(file, size - most // 2 - len(head))
        tail = file.read(most // 2)
    wide = head.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    return decoded(head + (b"" if wide else b"\n" * left_out) + tail)


def _line_ends(file: BinaryIO, count: int) -> int:
    """Read so many bytes and return how many lines end in them."""
    found = 0
    while count > 0 and (block := file.read(min(count, BLOCK_BYTES))):
        count -= len(block)
        found += block.count(b"\n")
    return found


def diagnosis_of(session: TrainingSession, attempt: Attempt | None = None) -> Diagnosis | None:
    """Return why the attempt (without one, the session's latest) ended as it did; None when it did not end badly."""
    attempt = attempt or session.attempts.order_by("-number").first()
    if attempt is None or State(attempt.state) not in BAD_ENDS:
        return None
    told = _told_by_console(session, attempt, attempt.exit_code)
    found = with_players(told.diagnosis or _by_state(attempt, told), _players(attempt))
    actions = [one for one in found.actions if _is_of_use(one, session)]
    return replace(found, actions=actions, facts=_facts(session, attempt, told.version))


@dataclass(frozen=True)
class Told:
    """What a console tells of a bad end: why, where it says so; its last lines; the version of ML-Agents."""

    diagnosis: Diagnosis | None = None
    last: list[Evidence] = field(default_factory=list)
    version: str = ""


def _told_by_console(session: TrainingSession, attempt: Attempt, code: int | None) -> Told:
    path = console_path(session, attempt)
    try:
        stat = path.stat()
        return _read(path, stat.st_size, stat.st_mtime_ns, tuple(taught_causes()), code)
    except OSError:
        return Told(diagnose(read_console(""), ended=True, code=code))


@lru_cache(maxsize=32)
def _read(path: Path, size: int, modified_ns: int, taught: tuple[Entry, ...], code: int | None) -> Told:
    """A page asks again and again; size and time tell when the console is another."""
    reading = read_console(read_file(path, SHOWN_BYTES))
    known = (*taught, *CATALOGUE)
    last = last_lines(reading, path.name) if any(reading.lines) else []
    return Told(diagnose(reading, known=known, ended=True, code=code), last, reading.version or "")


def cause_of(session: TrainingSession, attempt: Attempt, code: int | None) -> tuple[Entry, str] | None:
    """Return what is known of the cause of a bad end, and its fix, by console and exit code; None without a cause."""
    told = _told_by_console(session, attempt, code).diagnosis
    entries = (one for one in (*taught_causes(), *CATALOGUE) if told is not None and one.id == told.id)
    entry = next(entries, None)
    if told is None or entry is None or not (entry.kind is Kind.CAUSE or entry.lasting):
        return None
    return entry, told.fix


def taught_causes() -> list[Entry]:
    """Return the causes that users taught."""
    taught = TaughtCause.objects.all()
    return [Entry.taught(one.pk, one.text, title=one.title, cause=one.cause, fix=one.fix) for one in taught]


def earlier_checkpoint(session: TrainingSession) -> Artifact | None:
    """Return the state of the checkpoint before the last one of the behavior that was saved last; None without one."""
    rows = Artifact.objects.filter(session=session, kind="pt", present=True, final=False, step__isnull=False)
    rows = rows.exclude(condition__in=("broken", "blank", "missing", "changed")).order_by("-step", "-kept")
    newest = rows.order_by("-seen_at", "-step").first()
    if newest is None:
        return None
    return rows.filter(behavior=newest.behavior, step__lt=newest.step).first()


def config_with_name(session: TrainingSession, behavior: str) -> bytes | None:
    """Return the configuration with the behavior renamed that Unity calls so; None when nobody knows which."""
    seen = session.behaviors.filter(seen=True).values_list("name", flat=True)
    return renamed(bytes(session.config_used), behavior, in_use=set(seen))


def _is_of_use(remedy: Remedy, session: TrainingSession) -> bool:
    """Whether a remedy would change anything."""
    options = session.options
    if remedy.way == "earlier":
        return earlier_checkpoint(session) is not None
    if remedy.way == "rename":
        return config_with_name(session, remedy.changes["behavior"]) is not None
    useless = {
        "no_graphics": bool(options.get("no_graphics")),
        "one_environment": (options.get("num_envs") or 1) <= 1,
        "cpu": options.get("device") == "cpu",
        "patience": (options.get("timeout_wait") or 0) >= PATIENCE_SECONDS,
    }
    return not useless.get(remedy.id, False)


def _facts(session: TrainingSession, attempt: Attempt, version: str) -> list[str]:
    """How things stood when it ended."""
    trainer = session.trainer
    versions = {"ML-Agents": version or trainer.version, "Python": trainer.python_version}
    versions["PyTorch"] = trainer.torch_version
    facts = [
        _code_fact(attempt.exit_code),
        "" if attempt.base_port is None else f"port {attempt.base_port}",
        *(f"{name} {version}" for name, version in versions.items() if version),
        *_resource_facts(attempt),
    ]
    return [fact for fact in facts if fact]


def _code_fact(code: int | None) -> str:
    if code is None:
        return "no exit code"
    words = code_in_words(code)
    return f"exit code {code} ({words})" if words else f"exit code {code}"


def _resource_facts(attempt: Attempt) -> Iterable[str]:
    """What the training took when it was last looked at, and what the machine has."""
    rows = Series.objects.filter(attempt=attempt, behavior=OF_THE_ATTEMPT, tag__in=(MEMORY, GPU_MEMORY, DISK))
    series = {one.tag: one for one in rows if one.last_value}
    if (memory := series.get(MEMORY)) is not None:
        most = f", at most {memory.max_value / GIGABYTE:.1f} GB" if memory.max_value else ""
        yield f"{(memory.last_value or 0) / GIGABYTE:.1f} GB of memory{most}"
    yield f"the machine has {psutil.virtual_memory().total / GIGABYTE:.1f} GB"
    if (gpu := series.get(GPU_MEMORY)) is not None:
        yield f"{(gpu.last_value or 0) / GIGABYTE:.1f} GB of GPU memory"
    try:
        yield f"{psutil.disk_usage(attempt.results_dir).free / GIGABYTE:.1f} GB of disk are free now"
    except OSError:
        return


def _by_state(attempt: Attempt, told: Told) -> Diagnosis:
    """What the state alone tells, where the console and the exit code are silent."""
    if attempt.started_at is None and not told.last:
        return Diagnosis(
            id="not_started",
            title="The training was not started",
            cause=attempt.failure or attempt.session.explanation,
            fix="Mend what the cause names, then start again.",
            evidence=[],
            actions=[REMEDIES["again"]],
        )
    return Diagnosis(
        id="unknown",
        title="The console does not say why",
        cause=attempt.failure or attempt.session.explanation,
        fix="Look at the last lines of the console and into Player-0.log; then resume.",
        evidence=told.last,
        actions=[REMEDIES["resume"]],
    )


def _players(attempt: Attempt) -> list[PlayerLog]:
    """What the players of this attempt wrote that tells of a failure."""
    since = attempt.launched_at or attempt.started_at
    found = []
    for path in sorted((attempt.results / "run_logs").glob("Player-*.log"))[:MOST_PLAYERS]:
        try:
            if since is not None and path.stat().st_mtime < since.timestamp():
                continue
            found.append(read_player_log(read_file(path, PLAYER_BYTES), source=path.name))
        except OSError:
            continue
    return found
