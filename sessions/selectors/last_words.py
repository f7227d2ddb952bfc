"""What ML-Agents writes when a training ends: its configuration with all defaults, its status, its timers.

While a training runs these files are missing, or those of the attempt before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Generic, TypeVar

from sessions.domain.config_comparison import Setting, compare
from sessions.domain.hostile_json import MOST_BYTES, Unreadable
from sessions.domain.timers import Timers, read_timers
from sessions.domain.training_status import TrainingStatus, read_status
from sessions.domain.yaml_tree import ConfigError, parse
from sessions.models import TrainingSession
from sessions.runtime.files import read_regular
from sessions.selectors.run_files import folder_of_results

Value = TypeVar("Value")


@dataclass(frozen=True)
class Written(Generic[Value]):
    """A file as it was understood: without a value it is missing or, with a `problem`, not what it should be."""

    value: Value | None = None
    problem: str = ""
    written_at: datetime | None = None


@dataclass(frozen=True)
class Configuration:
    """The configuration that was used, as text, and setting by setting beside the one that was given, if one was."""

    text: str
    settings: list[Setting]
    compared: bool

    def of_kind(self, kind: str) -> list[Setting]:
        return [one for one in self.settings if one.kind == kind]

    @property
    def changed(self) -> list[Setting]:
        return self.of_kind("changed") + self.of_kind("unused")

    @property
    def same(self) -> list[Setting]:
        return self.of_kind("same")

    @property
    def added(self) -> list[Setting]:
        return self.of_kind("added")


@dataclass(frozen=True)
class LastWords:
    """What a session's results say of the whole training."""

    configuration: Written[Configuration]
    status: Written[TrainingStatus]
    timers: Written[Timers]


def last_words_of(session: TrainingSession) -> LastWords:
    """Return what was written at the end; hostile files are told as such, and none is read beyond a megabyte."""
    given = bytes(session.config_given)
    return LastWords(
        configuration=_written(session, "", "configuration.yaml", lambda data: _configuration(data, given)),
        status=_written(session, "run_logs", "training_status.json", read_status),
        timers=_written(session, "run_logs", "timers.json", read_timers),
    )


def _written(session: TrainingSession, folder: str, name: str, understand: Callable[[bytes], Value]) -> Written[Value]:
    place = folder_of_results(session, folder)
    path = place / name if place else None
    if path is None or not path.is_file():
        return Written()
    data = read_regular(path, MOST_BYTES)
    if data is None:
        return Written(problem=f"{name} is a link, larger than a megabyte, or may not be read.")
    try:
        return Written(understand(data), written_at=_changed(path))
    except (Unreadable, ConfigError) as error:
        return Written(problem=f"{name} cannot be understood. {error}", written_at=_changed(path))


def _changed(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
    except (OSError, OverflowError, ValueError):
        return None


def _configuration(used: bytes, given: bytes) -> Configuration:
    """The comparison is left out when what was given cannot be read any more."""
    tree = parse(used).tree
    try:
        before = parse(given).tree if given else None
    except ConfigError:
        before = None
    compared = isinstance(before, dict)
    return Configuration(used.decode("utf-8-sig", "replace"), compare(before if compared else {}, tree), compared)
