"""What the run directories say of sessions and attempts, without the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sessions.domain.command import RunOptions, read_command_line
from sessions.runtime.files import read_regular
from sessions.runtime.memo import AttemptMemo, SessionMemo, read_memo
from sessions.runtime.records import LaunchSpec
from sessions.runtime.rundir import AttemptDirectory, RunDirectory

PROGRAM = "mlagents-learn"


@dataclass(frozen=True)
class AttemptRemains:
    """What is left of one attempt; without a spec it was never launched."""

    number: int
    directory: AttemptDirectory
    memo: AttemptMemo | None

    @cached_property
    def spec(self) -> LaunchSpec | None:
        return self.directory.read_spec()

    @cached_property
    def command(self) -> list[str]:
        """mlagents-learn and its arguments."""
        if self.spec is None or "--" not in self.spec.argv:
            return self.memo.command if self.memo else []
        return [PROGRAM, *self.spec.argv[self.spec.argv.index("--") + 1 :]]

    @cached_property
    def options(self) -> RunOptions | None:
        """What the command says; None when it says nothing."""
        try:
            return read_command_line(self.command[1:])[1]
        except (IndexError, TypeError, ValueError):
            return None

    @cached_property
    def launched_at(self) -> float:
        """Seconds since the epoch."""
        claim = self.directory.read_claim()
        return claim.at if claim and claim.at else self.directory.spec.stat().st_mtime

    @property
    def ended_at(self) -> float:
        """Seconds since the epoch; infinity while nobody recorded an end."""
        ended = self.directory.read_exit()
        return ended.ended_at if ended else float("inf")

    def configs(self) -> tuple[bytes, bytes] | None:
        """Return the configuration as it was given and as it was used, when the attempt has kept it."""
        used = read_regular(self.directory.config)
        return None if used is None else (read_regular(self.directory.given_config) or used, used)


@dataclass(frozen=True)
class RunRemains:
    """What is left of one session; at least one attempt, or a memo that names one."""

    run_id: str
    memo: SessionMemo | None
    attempts: tuple[AttemptRemains, ...]

    @property
    def began_at(self) -> float:
        """When the session was created, in seconds since the epoch, as far as it can be told."""
        if self.memo and self.memo.created_at:
            return self.memo.created_at
        return min((one.launched_at for one in self.attempts if one.spec), default=0.0)


def runs_in(home: Path) -> list[RunRemains]:
    """Return the sessions of which something is left in `home`, oldest first."""
    found = filter(None, map(_run, _folders(home / "runs")))
    return sorted(found, key=lambda run: (run.began_at, run.run_id))


def _run(folder: Path) -> RunRemains | None:
    try:
        directory = RunDirectory(folder.parent.parent, folder.name)
    except ValueError:
        return None
    memo = read_memo(directory.memo)
    listed = {one.number for one in memo.attempts} if memo else set()
    numbers = {int(one.name) for one in _folders(folder / "attempts") if one.name.isdecimal()}
    attempts = [
        AttemptRemains(number, directory.attempt(number), memo.attempt(number) if memo else None)
        for number in sorted(listed | numbers)
    ]
    known = tuple(one for one in attempts if one.spec or one.memo)
    return RunRemains(folder.name, memo, known) if known else None


def _folders(path: Path) -> Iterator[Path]:
    try:
        yield from sorted(entry for entry in path.iterdir() if entry.is_dir() and not entry.is_symlink())
    except OSError:
        return
