"""What a line of mlagents-learn's console says, in the formats of all its versions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_LINE = 4096

PREFIX = (
    r"(?:\[(?:INFO|WARNING|ERROR|DEBUG|CRITICAL)\] |\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (?:INFO|WARNING|ERROR|DEBUG|CRITICAL) "
    r"\[[^\]:]+:\d+\] |(?:INFO|WARNING|ERROR|DEBUG):[\w.]+: ?)?"
)
NUMBER = r"[-+\d.einfa]+?"
SUMMARY = re.compile(
    rf"^{PREFIX}(?:[^:\n]+?: (?=[^:\n]+: Step: ))?(?P<behavior>.+?)[.:] Step: (?P<step>\d+)\. "
    r"(?:Time Elapsed: (?P<elapsed>[\d.]+) s\.? )?(?:Rank: \d+\. )?"
    rf"(?:Mean Reward: (?P<mean>{NUMBER})\. (?:Mean Group Reward: (?P<group>{NUMBER})\. |Std of Reward: (?P<std>{NUMBER})\. )?"
    r"|No episode was completed since last summary\. )"
    r"(?P<training>Training|Not Training)\.{0,2}(?: ?\.? ?ELO: (?P<elo>[-\d.]+?)\.?)?\s*$"
)
LISTENING = re.compile(rf"^{PREFIX}(?:Listening on port (\d+)\. )?Start training by pressing the Play button")
CONNECTED = re.compile(
    rf"^{PREFIX}Connected to Unity environment with package version (\S+) and communication version (\S+)"
)
BRAIN = re.compile(rf"^{PREFIX}Connected new brain: (.+?)(?:\?team=(\d+))?\s*$")
EXPORTED = re.compile(rf"^{PREFIX}Exported (.+\.(?:onnx|nn))\s*$")
COPIED = re.compile(rf"^{PREFIX}Copied (.+\.onnx) to (.+\.onnx)\.?\s*$")
INTERRUPTED = re.compile(rf"^{PREFIX}Learning was interrupted\.")
RESTARTING = re.compile(rf"^{PREFIX}Restarting worker\[(\d+)\] after '(.*)")
RESUMED = re.compile(rf"^{PREFIX}Resuming training from step (\d+)\.")
LESSON = re.compile(
    rf"^{PREFIX}Parameter '(.+?)' (?:is in lesson '(.+?)' and has value '(.+)'|has been updated to (.+?)\. Now in lesson '(.+?)')"
)
FAILURE = re.compile(r"^((?:[A-Za-z_]\w*\.)*[A-Za-z_]*(?:Error|Exception|Interrupt|Exit)\b)(?:: (.*))?$")
USAGE = re.compile(r"^mlagents-learn: error: (.+)$")
CHECKPOINT = re.compile(r"^(?P<behavior>.+)-(?P<step>\d+)$")


@dataclass(frozen=True)
class Summary:
    """A behavior's progress line. `step` is a multiple of summary_freq; the clock restarts with every process."""

    behavior: str
    step: int
    elapsed_seconds: float | None
    mean_reward: float | None
    std_reward: float | None
    group_reward: float | None
    elo: float | None
    training: bool


@dataclass(frozen=True)
class EditorWait:
    """The trainer waits for Play in the Unity Editor."""

    port: int


@dataclass(frozen=True)
class Connected:
    """Unity has connected."""

    package: str
    communicator: str


@dataclass(frozen=True)
class NewBehavior:
    """A behavior was seen for the first time by one worker."""

    name: str
    team: int


@dataclass(frozen=True)
class Exported:
    """A checkpoint's model was written."""

    behavior: str
    step: int | None
    path: str


@dataclass(frozen=True)
class Copied:
    """The final model was written."""

    behavior: str
    step: int | None
    path: str


@dataclass(frozen=True)
class Interrupted:
    """The training ends before its goal: it was interrupted, or Unity left."""


@dataclass(frozen=True)
class Restarting:
    """An environment is started again."""

    worker: int
    reason: str


@dataclass(frozen=True)
class Resumed:
    """The training goes on from a step."""

    step: int


@dataclass(frozen=True)
class Lesson:
    """A parameter of the environment is in a lesson."""

    parameter: str
    lesson: str
    value: str


@dataclass(frozen=True)
class Failure:
    """The last line of a traceback, or a refused command line."""

    text: str


ConsoleEvent = (
    Summary
    | EditorWait
    | Connected
    | NewBehavior
    | Exported
    | Copied
    | Interrupted
    | Restarting
    | Resumed
    | Lesson
    | Failure
)


def parse_line(text: str) -> ConsoleEvent | None:
    """Return what a line says, or None when it says nothing MENTOR acts on. Longer lines than 4096 say nothing."""
    if len(text) > LONGEST_LINE:
        return None
    for word, read in READERS:
        if word in text and (event := read(text)) is not None:
            return event
    return None


def _summary(text: str) -> Summary | None:
    if (match := SUMMARY.match(text)) is None:
        return None
    numbers = {name: _number(match[name]) for name in ("elapsed", "mean", "std", "group", "elo")}
    return Summary(
        behavior=match["behavior"],
        step=int(match["step"]),
        elapsed_seconds=numbers["elapsed"],
        mean_reward=numbers["mean"],
        std_reward=numbers["std"],
        group_reward=numbers["group"],
        elo=numbers["elo"],
        training=match["training"] == "Training",
    )


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def _editor(text: str) -> EditorWait | None:
    match = LISTENING.match(text)
    return EditorWait(int(match[1] or 5004)) if match else None


def _connected(text: str) -> Connected | None:
    match = CONNECTED.match(text)
    return Connected(match[1], match[2]) if match else None


def _brain(text: str) -> NewBehavior | None:
    match = BRAIN.match(text)
    return NewBehavior(match[1], int(match[2] or 0)) if match else None


def _checkpoint(path: str) -> tuple[str, int | None]:
    stem = re.split(r"[\\/]", path)[-1].rpartition(".")[0]
    match = CHECKPOINT.match(stem)
    return (match["behavior"], int(match["step"])) if match else (stem, None)


def _exported(text: str) -> Exported | None:
    match = EXPORTED.match(text)
    return Exported(*_checkpoint(match[1]), match[1]) if match else None


def _copied(text: str) -> Copied | None:
    match = COPIED.match(text)
    return Copied(*_checkpoint(match[1]), match[2]) if match else None


def _interrupted(text: str) -> Interrupted | None:
    return Interrupted() if INTERRUPTED.match(text) else None


def _restarting(text: str) -> Restarting | None:
    match = RESTARTING.match(text)
    return Restarting(int(match[1]), match[2].rstrip("'")) if match else None


def _resumed(text: str) -> Resumed | None:
    match = RESUMED.match(text)
    return Resumed(int(match[1])) if match else None


def _lesson(text: str) -> Lesson | None:
    match = LESSON.match(text)
    return Lesson(match[1], match[2] or match[5], match[3] or match[4]) if match else None


def _failure(text: str) -> Failure | None:
    if (usage := USAGE.match(text)) is not None:
        return Failure(usage[1])
    return Failure(text.strip()) if FAILURE.match(text) else None


# A word that must be in the line before its expression is tried: a console may carry 40,000 lines a second.
READERS = (
    (" Step: ", _summary),
    ("pressing the Play", _editor),
    ("Connected to Unity", _connected),
    ("Connected new brain: ", _brain),
    ("Exported ", _exported),
    ("Copied ", _copied),
    ("Learning was interrupted", _interrupted),
    ("Restarting worker", _restarting),
    ("Resuming training", _resumed),
    ("Parameter '", _lesson),
    ("rror", _failure),
    ("xception", _failure),
)
LONGEST_FAILURE = 600


def last_failure(lines: Sequence[str]) -> str | None:
    """Return the last exception of a console's end as one line, with the lines that belong to it; None without one."""
    for index in range(len(lines) - 1, -1, -1):
        event = _failure(lines[index][:LONGEST_LINE])
        if event is not None and not event.text.startswith("KeyboardInterrupt"):
            return _joined(event.text, lines[index + 1 : index + 8])
    return None


def _joined(first: str, following: Sequence[str]) -> str:
    parts = [first]
    for line in following:
        if not line.strip() or line.startswith(("[", "Traceback", "  File")):
            break
        parts.append(line.strip())
    whole = " ".join(parts)
    return whole if len(whole) <= LONGEST_FAILURE else whole[: LONGEST_FAILURE - 1] + "…"
