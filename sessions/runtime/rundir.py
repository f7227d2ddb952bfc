"""The run directory: every file of an attempt has its name here, and one way to be written."""

from __future__ import annotations

import re
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeVar

from sessions.runtime.files import atomic_write, create_once, read_json
from sessions.runtime.records import (
    BY_RECONCILER,
    COOKIE_VARIABLE,
    Claim,
    ExitRecord,
    LaunchSpec,
    Request,
    ShimRecord,
    StopSeen,
    TrainerRecord,
    TrainExit,
    build,
)

__all__ = [
    "AttemptDirectory",
    "Claim",
    "ExitRecord",
    "LaunchSpec",
    "Request",
    "RunDirectory",
    "ShimRecord",
    "StopSeen",
    "TrainExit",
    "TrainerRecord",
    "atomic_write",
    "create_once",
]

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")

Record = TypeVar("Record")


class AttemptDirectory:
    """The files of one attempt.

    A reader returns None for a file that is missing, unreadable, not understood or a link, and never raises.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"AttemptDirectory({str(self.path)!r})"

    @property
    def spec(self) -> Path:
        return self.path / "spec.json"

    @property
    def config(self) -> Path:
        """The configuration the trainer reads."""
        return self.path / "config.yaml"

    @property
    def given_config(self) -> Path:
        """The configuration as the user gave it, byte for byte."""
        return self.path / "config.given.yaml"

    @property
    def console(self) -> Path:
        return self.path / "console.log"

    @property
    def claim(self) -> Path:
        return self.path / "claim.json"

    @property
    def shim_lock(self) -> Path:
        return self.path / "shim.lock"

    @property
    def train_lock(self) -> Path:
        return self.path / "train.lock"

    @property
    def shim_json(self) -> Path:
        return self.path / "shim.json"

    @property
    def train_json(self) -> Path:
        return self.path / "train.json"

    @property
    def stop_request(self) -> Path:
        return self.path / "stop.request"

    @property
    def kill_request(self) -> Path:
        return self.path / "kill.request"

    @property
    def stop_seen(self) -> Path:
        return self.path / "stop.seen"

    @property
    def train_exit(self) -> Path:
        return self.path / "train.exit.json"

    @property
    def exit(self) -> Path:
        return self.path / "exit.json"

    @property
    def heartbeat(self) -> Path:
        return self.path / "heartbeat"

    @property
    def shim_error(self) -> Path:
        """The traceback of a shim that failed; there only then."""
        return self.path / "shim.error.txt"

    def read_spec(self) -> LaunchSpec | None:
        return _read(LaunchSpec, self.spec)

    def read_claim(self) -> Claim | None:
        return _read(Claim, self.claim)

    def read_shim(self) -> ShimRecord | None:
        return _read(ShimRecord, self.shim_json)

    def read_trainer(self) -> TrainerRecord | None:
        return _read(TrainerRecord, self.train_json)

    def read_stop_request(self) -> Request | None:
        return _read(Request, self.stop_request)

    def read_kill_request(self) -> Request | None:
        return _read(Request, self.kill_request)

    def read_stop_seen(self) -> StopSeen | None:
        return _read(StopSeen, self.stop_seen)

    def read_train_exit(self) -> TrainExit | None:
        return _read(TrainExit, self.train_exit)

    def read_exit(self) -> ExitRecord | None:
        return _read(ExitRecord, self.exit)

    def prepare(self, spec: LaunchSpec, config: bytes, given: bytes) -> None:
        """Make the directory, private to its owner, with both configurations and, last, the spec.

        The environment in the stored spec carries the cookie by which the attempt's processes are found.
        Raises FileExistsError when the attempt has a spec already.
        """
        self._make()
        if self.spec.exists():
            raise FileExistsError(f"{self.spec} exists: an attempt is prepared once")
        atomic_write(self.config, config)
        atomic_write(self.given_config, given)
        stored = replace(spec, env={**spec.env, COOKIE_VARIABLE: spec.cookie})
        if not create_once(self.spec, asdict(stored)):
            raise FileExistsError(f"{self.spec} exists: an attempt is prepared once")

    def grace_seconds(self) -> float | None:
        """Return how long the trainer has to save and end, as the stop or its start says; None when neither does."""
        request, spec = self.read_stop_request(), self.read_spec()
        if request is not None and request.grace_seconds is not None:
            return request.grace_seconds
        return spec.grace_seconds if spec else None

    def request_stop(self, by: str, grace_seconds: float | None = None) -> bool:
        """Ask the trainer to save and end within `grace_seconds`; False when that was asked before."""
        return create_once(self.stop_request, asdict(Request(time.time(), by, grace_seconds)))

    def request_kill(self, by: str) -> bool:
        """Ask for the end of the attempt's processes, without saving; False when that was asked before."""
        return create_once(self.kill_request, asdict(Request(time.time(), by)))

    def claim_void(self) -> bool:
        """Decide that this attempt never starts; False when a shim (or another decision) was first.

        The directory need not be there: a launch may have died before it made one, and may still come.
        """
        self._make()
        return create_once(self.claim, asdict(Claim(by=BY_RECONCILER, void=True, at=time.time())))

    def _make(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)

    def see_stop(self, stage: str) -> bool:
        """Take the right to interrupt the trainer; False when somebody has it. None interrupts without."""
        return create_once(self.stop_seen, asdict(StopSeen(time.time(), stage)))


def _read(kind: type[Record], path: Path) -> Record | None:
    return build(kind, read_json(path))


class RunDirectory:
    """The folder of one run id: its results and its attempts."""

    def __init__(self, home: Path, run_id: str) -> None:
        """Raises ValueError for a run id that could lead out of the folder."""
        if not RUN_ID.match(run_id):
            raise ValueError(f"{run_id!r} is not a run id")
        self.path = home / "runs" / run_id

    @property
    def results(self) -> Path:
        return self.path / "results"

    @property
    def memo(self) -> Path:
        """What only the database would know of the session."""
        return self.path / "session.json"

    @property
    def kept(self) -> Path:
        """Checkpoints that MENTOR keeps: kept/<behavior>/attempt-<number>/<file name>."""
        return self.path / "kept"

    def start(self, number: int) -> Path:
        """What an attempt starts from, when it was chosen: <behavior>/checkpoint.pt for each behavior."""
        return self.path / "starts" / f"attempt-{number}"

    def attempt(self, number: int) -> AttemptDirectory:
        return AttemptDirectory(self.path / "attempts" / str(number))
