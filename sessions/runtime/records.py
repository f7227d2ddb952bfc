"""What the small files of an attempt say, as values. A file that says something else says nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

SCHEMA = 1
COOKIE_VARIABLE = "MENTOR_ATTEMPT"
BY_SHIM = "shim"
BY_RECONCILER = "reconciler"

Record = TypeVar("Record")


@dataclass(frozen=True)
class LaunchSpec:
    """How one attempt is started; immutable once written."""

    run_id: str
    attempt: int
    cookie: str
    argv: list[str]
    cwd: str
    env: dict[str, str]
    grace_seconds: float = 180.0
    # How long the trainer may leave a stop request unseen before the shim interrupts it from outside.
    interrupt_after_seconds: float = 10.0
    reap_seconds: float = 10.0
    schema: int = SCHEMA


@dataclass(frozen=True)
class Claim:
    """Who decided whether this attempt starts: a shim that starts it, or one who forbids it (`void`)."""

    by: str
    void: bool
    at: float = 0.0
    pid: int = 0
    boot_id: str = ""
    started: int = 0


@dataclass(frozen=True)
class Request:
    """Somebody wants the attempt to stop (or to be killed). `grace_seconds` None means the spec's."""

    at: float
    by: str
    grace_seconds: float | None = None


@dataclass(frozen=True)
class TrainerRecord:
    """The trainer's own word on which process it is."""

    pid: int
    boot_id: str
    started: int
    in_job: bool = False


@dataclass(frozen=True)
class ShimRecord:
    """The shim's word on which process it started. On Windows that may be a redirector before it."""

    pid: int
    boot_id: str
    started: int
    trainer_pid: int
    trainer_started: int
    in_parent_job: bool = False


@dataclass(frozen=True)
class StopSeen:
    """The stop was answered: by the trainer in one of its stages, or from outside (`unanswered`)."""

    at: float
    stage: str


@dataclass(frozen=True)
class TrainExit:
    """How the training ended, seen from inside the trainer."""

    code: int
    stage: str
    exception: str
    at: float = 0.0


@dataclass(frozen=True)
class ExitRecord:
    """How the attempt ended. `code`: None when nobody saw it, negative for a signal, unsigned on Windows."""

    code: int | None
    ended_at: float
    log_size: int
    log_crc32: int
    stop_requested: bool = False
    killed: bool = False
    reaped: list[int] = field(default_factory=list)
    inferred: bool = False


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return _is_int(value) or isinstance(value, float)


def _is_str(value: object) -> bool:
    return isinstance(value, str)


# By the text of the annotation, which is what a dataclass keeps of it here.
FITS: dict[str, Callable[[Any], bool]] = {
    "int": _is_int,
    "float": _is_number,
    "str": _is_str,
    "bool": lambda value: isinstance(value, bool),
    "int | None": lambda value: value is None or _is_int(value),
    "float | None": lambda value: value is None or _is_number(value),
    "list[int]": lambda value: isinstance(value, list) and all(map(_is_int, value)),
    "list[str]": lambda value: isinstance(value, list) and all(map(_is_str, value)),
    "list[dict[str, Any]]": lambda value: isinstance(value, list) and all(isinstance(one, dict) for one in value),
    "dict[str, Any]": lambda value: isinstance(value, dict),
    "dict[str, str]": lambda value: isinstance(value, dict) and all(map(_is_str, value.values())),
}


def build(kind: type[Record], facts: Mapping[str, Any] | None) -> Record | None:
    """Return the record of `kind` with these facts; None when one is missing or of the wrong type.

    Facts that `kind` does not know are left out, so that a newer writer does not silence an older reader.
    """
    if facts is None:
        return None
    known = {item.name: item for item in fields(kind) if item.name in facts}  # type: ignore[arg-type]
    if not all(FITS[str(item.type)](facts[name]) for name, item in known.items()):
        return None
    try:
        return kind(**{name: facts[name] for name in known})
    except TypeError:
        return None
