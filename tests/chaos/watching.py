"""What must hold at every moment (I1, I2, I3, I8), looked at while the faults strike."""

from __future__ import annotations

import os
import sys
from collections import Counter, defaultdict
from pathlib import Path

from sessions.domain.states import ENDED, values
from sessions.models import Attempt, Environment, Trainer
from sessions.runtime.locks import is_held
from sessions.services.launching import directory_of


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Watcher:
    """Remembers how attempts ended, and tells each violation once."""

    def __init__(self) -> None:
        self.endings: dict[int, str] = {}
        self.violations: list[str] = []
        self.states: Counter[str] = Counter()

    def violation(self, sentence: str) -> None:
        """Note and print a violation, unless it is known."""
        if sentence not in self.violations:
            self.violations.append(sentence)
            say(f"VIOLATION {sentence}")

    def look(self) -> None:
        """Compare database, locks and processes once."""
        attempts = list(Attempt.objects.select_related("session__trainer", "session__environment"))
        self._states_stay(attempts)
        self._one_trainer_per_session(attempts)
        self._the_dead_are_dead([one for one in attempts if one.state in values(ENDED)])

    def _states_stay(self, attempts: list[Attempt]) -> None:
        for attempt in attempts:
            before = self.endings.get(attempt.pk)
            if before is None and attempt.state in values(ENDED):
                self.endings[attempt.pk] = attempt.state
                self.states[attempt.state] += 1
                alarm = f" ALARM {attempt.alarm}" if attempt.alarm else ""
                told = attempt.failure or attempt.session.explanation
                say(f"{name(attempt)} {attempt.state} ({attempt.exit_code}): {told}{alarm}")
            elif before is not None and before != attempt.state:
                self.violation(f"I2 {name(attempt)} was {before} and became {attempt.state}")

    def _one_trainer_per_session(self, attempts: list[Attempt]) -> None:
        living: dict[int, list[str]] = defaultdict(list)
        for attempt in attempts:
            if is_held(directory_of(attempt).train_lock):
                living[attempt.session_id].append(name(attempt))
        for names in living.values():
            if len(names) > 1:
                self.violation(f"I1 {' and '.join(names)} train at the same time")

    def _the_dead_are_dead(self, ended: list[Attempt]) -> None:
        """The attempts were over before the processes are looked at."""
        known = {attempt.cookie: attempt for attempt in ended}
        for pid, cookie in processes_with_cookies():
            if cookie in known:
                command = command_of(pid)
                self.violation(f"I3 {name(known[cookie])} is over, and process {pid} of it lives: {command}")


def name(attempt: Attempt) -> str:
    """Return run id and number."""
    return f"{attempt.session.run_id}/{attempt.number}"


def processes_with_cookies() -> list[tuple[int, str]]:
    """Return number and cookie of every process of any attempt that is not a zombie."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            variables = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        found += [(int(entry.name), one[15:].decode()) for one in variables if one.startswith(b"MENTOR_ATTEMPT=")]
    return found


def command_of(pid: int) -> str:
    """Return a process' command line, or what is known instead."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return "gone"


def unregistered(attempt: Attempt) -> list[str]:
    """I8: what an attempt's command names that is no registered trainer or environment."""
    spec = directory_of(attempt).read_spec()
    if spec is None:
        return []
    allowed = set(Trainer.objects.values_list("interpreter", flat=True)) | {sys.executable}
    builds = set(Environment.objects.values_list("path", flat=True))
    wrong = [] if spec.argv[0] in allowed else [spec.argv[0]]
    builds_named = [word.removeprefix("--env=") for word in spec.argv if word.startswith("--env=")]
    return wrong + [build for build in builds_named if os.path.realpath(build) not in map(os.path.realpath, builds)]
