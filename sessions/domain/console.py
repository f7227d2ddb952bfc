"""What a line of a trainer's console says, for every version of ML-Agents since 0.5.

A line is looked at once, from its ends, with patterns that cannot backtrack: a hostile line costs time in proportion
to its length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sessions.domain.failures import EXCEPTION, RECORD_PREFIX, USAGE_ERROR, last_failure

__all__ = [
    "Connected", "ConsoleEvent", "Copied", "EditorWait", "Exported", "Failure", "Interrupted", "Lesson", "NewBehavior",
    "Restarting", "Resumed", "Summary", "last_failure", "parse_line",
]  # fmt: skip

# Longer than anything that ML-Agents prints in one line; the rest of a line is not looked at.
MAX_LINE_CHARACTERS = 16 * 1024


@dataclass(frozen=True)
class Summary:
    """The line printed every summary_freq steps. Rewards are None when no episode ended since the last one.

    `step` is a multiple of summary_freq and may lie a little above the true step; `elapsed_seconds` begins at 0 with
    every process and is None before ML-Agents 0.6. Rewards may be NaN or infinite. The last value is whether it learns.
    """

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
    """Somebody has to press Play in Unity; the port is None before ML-Agents 0.13."""

    port: int | None


@dataclass(frozen=True)
class Connected:
    """An environment answered, with the version of its package and of the protocol."""

    package: str
    communicator: str


@dataclass(frozen=True)
class NewBehavior:
    """An environment announced a behavior; once per worker, and again after each of its restarts."""

    name: str
    team: int | None


@dataclass(frozen=True)
class Exported:
    """A model was written; `step` is the true step, None when the file's name has none."""

    behavior: str
    step: int | None
    path: str


@dataclass(frozen=True)
class Copied:
    """The final model was written to `path`, from a checkpoint of this step."""

    behavior: str
    step: int | None
    path: str


@dataclass(frozen=True)
class Interrupted:
    """Training ends early, on request or because the environment went away; the model is saved next."""


@dataclass(frozen=True)
class Restarting:
    """An environment went away and is started again, or waited for."""

    worker: int
    reason: str


@dataclass(frozen=True)
class Resumed:
    """Training goes on from the step of a checkpoint."""

    step: int


@dataclass(frozen=True)
class Lesson:
    """An environment parameter is in a lesson; for ML-Agents before 0.18 `parameter` is the behavior."""

    parameter: str
    lesson: str
    value: str | None


@dataclass(frozen=True)
class Failure:
    """The last line of a traceback, or the refusal of a command line."""

    text: str


ConsoleEvent = (
    Summary | EditorWait | Connected | NewBehavior | Exported | Copied
    | Interrupted | Restarting | Resumed | Lesson | Failure
)  # fmt: skip

_NUMBER = r"-?(?:\d{1,40}(?:\.\d{1,40})?(?:e[+-]?\d{1,4})?|nan|inf)"
# One blank between the parts; people line them up with more, and leave the last ones out.
_BLANKS = r"(?: {1,8}|\Z)"
_SUMMARY = re.compile(
    rf"(?P<step>\d{{1,18}})\.{_BLANKS}(?:Time Elapsed: (?P<elapsed>\d{{1,18}}(?:\.\d{{1,9}})?) s\.?{_BLANKS})?"
    rf"(?:Rank: \d{{1,9}}\.{_BLANKS})?"
    rf"(?:Mean Reward: (?P<mean>{_NUMBER})\.?{_BLANKS}"
    rf"(?:Mean Group Reward: (?P<group>{_NUMBER})\.?{_BLANKS}|Std of Reward: (?P<std>{_NUMBER})\.?{_BLANKS})?"
    rf"|No episode was completed since last summary\.?{_BLANKS}|(?=(?:Not )?Training))"
    rf"(?:(?P<training>Training|Not Training)\.{{0,2}}(?: {{1,8}}ELO: (?P<elo>{_NUMBER})\.?)?)?"  # not said until 0.3
)
_LEVELS = ("[INFO]", "INFO")
_TEAM = re.compile(r"(?P<name>.{1,1000})\?team=(?P<team>\d{1,9})")
_MODEL_SUFFIXES = (".onnx", ".nn", ".pt")


def parse_line(text: str) -> ConsoleEvent | None:
    """Return what a line says, or None when it says nothing that matters. Takes any text and never raises."""
    text = text[:MAX_LINE_CHARACTERS].rstrip()
    prefix = RECORD_PREFIX.match(text)
    message = text[prefix.end() :].lstrip(" ") if prefix else text
    return _summary(message) or (_bare(text) if prefix is None else None) or _message(message)


def _bare(text: str) -> ConsoleEvent | None:
    """A line without a prefix: the end of a traceback, a refused command line, the second line of a record."""
    if EXCEPTION.fullmatch(text) or USAGE_ERROR.fullmatch(text):
        return Failure(text)
    if "?team=" in text and ": " not in text:
        return _new_behavior(text)
    return None


def _summary(message: str) -> Summary | None:
    head, found, tail = message.rpartition(" Step: ")
    match = _SUMMARY.fullmatch(tail) if found and head.endswith((".", ":")) else None
    if match is None:
        return None
    behavior = head[:-1]
    if head.endswith(":"):
        behavior = behavior.rpartition(": ")[2]  # the run id before it, until 0.16
    if behavior in _LEVELS:
        return None  # whoever shows it left the behavior out
    return Summary(
        behavior=behavior.strip(),
        step=int(match["step"]),
        elapsed_seconds=_number(match["elapsed"]),
        mean_reward=_number(match["mean"]),
        std_reward=_number(match["std"]),
        group_reward=_number(match["group"]),
        elo=_number(match["elo"]),
        training=match["training"] != "Not Training",
    )


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _message(message: str) -> ConsoleEvent | None:
    for start, read in _MESSAGES:
        if message.startswith(start):
            return read(message[len(start) :])
    return _old_lesson(message) if " lesson changed. Now in lesson " in message else None


def _listening(rest: str) -> ConsoleEvent | None:
    port = rest.partition(".")[0]
    return EditorWait(int(port)) if _is_count(port) else None


def _connected(rest: str) -> ConsoleEvent | None:
    package, found, communicator = rest.partition(" and communication version ")
    return Connected(package, communicator) if found else None


def _new_behavior(rest: str) -> ConsoleEvent | None:
    name = rest.strip()
    match = _TEAM.fullmatch(name)
    if match:
        return NewBehavior(match["name"], int(match["team"]))
    return NewBehavior(name, None) if name else None


def _exported(rest: str) -> ConsoleEvent | None:
    path = _model_path(rest)
    return Exported(*_behavior_and_step(path), path) if path else None


def _copied(rest: str) -> ConsoleEvent | None:
    for suffix in _MODEL_SUFFIXES:
        source, found, target = rest.rpartition(f"{suffix} to ")
        if found and (path := _model_path(target)):
            return Copied(*_behavior_and_step(source + suffix), path)
    path = _model_path(rest.rpartition(" to ")[2])  # its source left out by who shows it
    return Copied(*_behavior_and_step(path), path) if path else None


def _model_path(text: str) -> str | None:
    path = text.removesuffix(".").removesuffix(" file")
    return path if path.endswith(_MODEL_SUFFIXES) else None


def _behavior_and_step(path: str) -> tuple[str, int | None]:
    name = path.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]
    behavior, _, step = name.rpartition("-")
    return (behavior, int(step)) if behavior and _is_count(step) else (name, None)


def _restarting(rest: str) -> ConsoleEvent | None:
    worker, found, reason = rest.partition("] after ")
    return Restarting(int(worker), reason.strip("'")) if found and _is_count(worker) else None


def _resumed(rest: str) -> ConsoleEvent | None:
    step = rest.removesuffix(".")
    return Resumed(int(step)) if _is_count(step) else None


def _lesson(rest: str) -> ConsoleEvent | None:
    parameter, found, rest = rest.partition("' is in lesson '")
    if found:
        lesson, _, value = rest.partition("' and has value '")
        return Lesson(parameter, lesson, value.removesuffix(".").removesuffix("'"))
    parameter, found, rest = parameter.partition("' has been updated to ")
    if found:
        value, _, lesson = rest.rpartition(". Now in lesson '")
        return Lesson(parameter, lesson.removesuffix("'"), value)
    parameter, found, lesson = parameter.partition("' has changed. Now in lesson '")
    return Lesson(parameter, lesson.removesuffix("'"), None) if found else None


def _old_lesson(message: str) -> ConsoleEvent | None:
    behavior, _, rest = message.partition(" lesson changed. Now in lesson ")
    lesson, _, values = rest.partition(": ")
    return Lesson(behavior, lesson, values or None)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


_MESSAGES = (
    ("Exported ", _exported),
    ("Copied ", _copied),
    ("Parameter '", _lesson),
    ("Listening on port ", _listening),
    ("Start training by pressing the Play button", lambda _: EditorWait(None)),
    ("Connected to Unity environment with package version ", _connected),
    ("Connected new brain:", _new_behavior),
    ("Learning was interrupted.", lambda _: Interrupted()),
    ("Restarting worker[", _restarting),
    ("Resuming training from step ", _resumed),
)
