"""What a session looks like from outside: the same shapes feed templates, API answers and live frames."""

from __future__ import annotations

from dataclasses import dataclass, field, is_dataclass
from datetime import datetime
from typing import Any


def as_plain(value: Any) -> Any:
    """Return a shape as dictionaries and lists for JSON; `asdict` would copy every value in it as well."""
    if isinstance(value, list):
        return [as_plain(one) for one in value]
    if is_dataclass(value):
        return {name: as_plain(one) for name, one in vars(value).items()}
    return value


@dataclass(frozen=True)
class BehaviorShape:
    """Where one behavior stands; rewards are the last summary's."""

    name: str
    step: int
    max_steps: int | None
    mean_reward: float | None
    std_reward: float | None
    progress: float | None


@dataclass(frozen=True)
class SavedShape:
    """A file that an attempt saved, as it was when the attempt ended."""

    path: str
    behavior: str
    kind: str
    step: int | None
    reward: float | None
    size: int
    sha256: str
    final: bool
    newest: bool = field(metadata={"help": "Whether its behavior saved nothing later."})
    condition: str = field(metadata={"help": "whole, broken, blank or missing, by its bytes; empty when not looked."})
    url: str


@dataclass(frozen=True)
class ReceiptShape:
    """What an attempt that has ended left behind, and how long its end took."""

    attempt: int
    step: int | None = field(metadata={"help": "The step of what it saved last."})
    reward: float | None = field(metadata={"help": "ML-Agents' own mean reward at that step."})
    whole: bool | None = field(metadata={"help": "Whether all that was saved can be read; None when nothing was."})
    asked_at: datetime | None
    asked_by: str
    seconds: float | None = field(metadata={"help": "From the request to the end; None without a request."})
    files: list[SavedShape]


@dataclass(frozen=True)
class StoppingShape:
    """A stop that is under way. `stage`: asked, loading, saving, ending, or unanswered."""

    asked_at: datetime | None
    asked_by: str
    stage: str
    grace_seconds: float
    seconds_left: float | None = field(metadata={"help": "Until it is ended by force; None once that was asked for."})
    words: str = field(metadata={"help": "The stage as a sentence."})


@dataclass(frozen=True)
class AttemptShape:
    """One start of the session's process."""

    number: int
    state: str
    exit_code: int | None
    started_at: datetime | None
    ended_at: datetime | None
    supervised: bool
    resume: bool
    receipt: ReceiptShape | None
    alarm: str = field(metadata={"help": "What a person should look at; empty when all is well."})


@dataclass(frozen=True)
class ResourcesShape:
    """What a session's processes take: percent of one core or GPU, bytes, a count; None where that is not known."""

    cpu_percent: float | None = None
    memory_bytes: float | None = None
    gpu_percent: float | None = None
    gpu_memory_bytes: float | None = None
    disk_bytes: float | None = None
    processes: float | None = None


@dataclass(frozen=True)
class TrainerShape:
    """The installation that trains."""

    id: int
    kind: str
    name: str
    version: str
    python_version: str
    interpreter: str
    ok: bool
    problem: str


@dataclass(frozen=True)
class EnvironmentShape:
    """A registered build that trainers may start."""

    id: int
    name: str
    path: str
    ok: bool
    problem: str
    behaviors: list[str] = field(metadata={"help": "As it named them when it was last connected; none when never."})


@dataclass(frozen=True)
class SessionShape:
    """One session as lists, dashboard cards and live frames show it. Times in seconds, progress from 0 to 1."""

    run_id: str
    name: str
    state: str
    explanation: str
    waits_for: str
    held: bool
    start_at: datetime | None
    start_after: str | None
    mode: str
    origin: str = field(metadata={"help": "mentor: started here; imported: only watched."})
    trainer: str
    environment: str | None
    owner: str | None
    progress: float | None
    step: int
    max_steps: int | None
    elapsed_seconds: float | None
    eta_seconds: float | None
    steps_per_second: float | None
    behaviors: list[BehaviorShape]
    tags: list[str]
    project: str
    priority: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    archived_at: datetime | None
    trashed_at: datetime | None
    url: str
    resources: ResourcesShape
    actions: list[str] = field(
        metadata={"help": "What may be asked of it now: stop, kill, resume, archive, trash, restore."}
    )
    alarm: str = field(metadata={"help": "What a person should look at, in its latest attempt."})


@dataclass(frozen=True)
class SessionDetailShape(SessionShape):
    """One session whole: what `GET /api/sessions/{run_id}/` answers."""

    notes: str
    disk_bytes: int | None = field(metadata={"help": "Taken by MENTOR's own files of it, once measured."})
    packed_bytes: int = field(metadata={"help": "How much smaller these are for being compressed."})
    command: list[str]
    options: dict[str, Any]
    config_name: str
    attempts: list[AttemptShape]
    rules: dict[str, Any] = field(metadata={"help": "The rules that are on."})
    unattended: list[str] = field(metadata={"help": "The same in words."})
    saved: list[dict[str, Any]] = field(metadata={"help": "What the last attempt saved; `receipt` says more."})
    receipt: ReceiptShape | None = field(metadata={"help": "That of the last attempt, once it has ended."})
    stopping: StoppingShape | None = field(metadata={"help": "While it stops."})
