"""What directory and kernel say about an attempt, and its exit record when nobody is left to write it."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Literal

from sessions.runtime.files import age_seconds, create_once, read_regular, size_and_crc32
from sessions.runtime.identity import REAP_SECONDS, ProcessIdentity, alive, current_boot, reap, with_cookie
from sessions.runtime.locks import is_held
from sessions.runtime.records import (
    Claim,
    ExitRecord,
    LaunchSpec,
    Request,
    ShimRecord,
    StopSeen,
    TrainerRecord,
    TrainExit,
)
from sessions.runtime.rundir import AttemptDirectory


@dataclass(frozen=True)
class Evidence:
    """One look at an attempt. Whatever was printed before a death seen here can be read after this look."""

    claim: Claim | None
    exit: ExitRecord | None
    train_exit: TrainExit | None
    stop_request: Request | None
    kill_request: Request | None
    stop_seen: StopSeen | None
    shim_alive: bool
    trainer_alive: bool
    # There once was a process of the trainer.
    trainer_started: bool
    # Whether the attempt was started since the machine was; None while that is not known.
    boot: Literal["same", "other"] | None
    # Ages of the files by their own clock; None without the file.
    claim_age: float | None
    spec_age: float | None
    heartbeat_age: float | None
    # Further processes with the attempt's cookie, where they matter: nobody may live when an attempt ends.
    leftovers: tuple[int, ...] = ()


def look(directory: AttemptDirectory, cookie: str = "", *, started: bool = False) -> Evidence:
    """Look once: first at the exit record, then at who lives, then, if nobody does, at the exit record again.

    In this order an attempt that ends during the look is either seen alive or seen with its exit record. `started`
    says that the attempt is known to have started, whatever its directory says. Raises OSError when this process
    lacks descriptors or memory, for then it cannot tell.
    """
    ended = directory.read_exit()
    shim_alive = is_held(directory.shim_lock)
    trainer, shim = directory.read_trainer(), directory.read_shim()
    trainer_alive = _trainer_lives(directory, trainer, shim)
    if ended is None and not (shim_alive or trainer_alive):
        ended = directory.read_exit()
    claim = directory.read_claim()
    nobody_seen = (started or claim is not None) and not (shim_alive or trainer_alive)
    leftovers = tuple(with_cookie(cookie)) if ended is not None or nobody_seen else ()
    unnamed = trainer is None and shim is None and not directory.train_lock.exists()
    if leftovers and ended is None and unnamed:
        # A shim died right after it started the trainer, which has neither said its name nor taken its lock yet.
        trainer_alive = True
    return Evidence(
        claim=claim,
        exit=ended,
        train_exit=directory.read_train_exit(),
        stop_request=directory.read_stop_request(),
        kill_request=directory.read_kill_request(),
        stop_seen=directory.read_stop_seen(),
        shim_alive=shim_alive,
        trainer_alive=trainer_alive,
        trainer_started=trainer is not None or shim is not None,
        boot=_boot(trainer, shim, claim),
        claim_age=age_seconds(directory.claim),
        spec_age=age_seconds(directory.spec),
        heartbeat_age=age_seconds(directory.heartbeat),
        leftovers=leftovers,
    )


def trainer_identities(trainer: TrainerRecord | None, shim: ShimRecord | None) -> list[ProcessIdentity]:
    """Return the processes that trainer and shim call the trainer; one, except behind a redirector."""
    found = []
    if trainer is not None:
        found.append(ProcessIdentity(trainer.pid, trainer.boot_id, trainer.started))
    if shim is not None:
        found.append(ProcessIdentity(shim.trainer_pid, shim.boot_id, shim.trainer_started))
    return found


def _trainer_lives(directory: AttemptDirectory, trainer: TrainerRecord | None, shim: ShimRecord | None) -> bool:
    return is_held(directory.train_lock) or any(map(alive, trainer_identities(trainer, shim)))


def _boot(*records: TrainerRecord | ShimRecord | Claim | None) -> Literal["same", "other"] | None:
    here = current_boot()
    for record in records:
        if here and record is not None and record.boot_id:
            return "same" if record.boot_id == here else "other"
    return None


def infer_exit(directory: AttemptDirectory, *, killed: bool = False, reap_seconds: float = REAP_SECONDS) -> ExitRecord:
    """Write, for a shim that died, how the attempt ended; returns the exit record that holds from now on.

    Only for when neither shim nor trainer lives. What is left of the attempt is killed first, so that the log
    has its final size. The code is what the trainer itself wrote, else None: it is never guessed. On a disk that
    takes nothing the record is returned all the same. Raises OSError when a record is there that cannot be read.
    """
    spec = directory.read_spec()
    reaped = reap(spec.cookie, seconds=reap_seconds) if spec else []
    inside = directory.read_train_exit()
    size, crc = size_and_crc32(directory.console)
    record = ExitRecord(
        code=inside.code if inside else None,
        ended_at=_ended_at(directory, inside, spec),
        log_size=size,
        log_crc32=crc,
        stop_requested=directory.read_stop_request() is not None,
        killed=killed or (inside is None and directory.read_kill_request() is not None),
        reaped=reaped,
        inferred=True,
    )
    with suppress(OSError):
        if create_once(directory.exit, asdict(record)):
            return record
    return directory.read_exit() or _instead_of_what_is_there(directory, record)


def _instead_of_what_is_there(directory: AttemptDirectory, record: ExitRecord) -> ExitRecord:
    """Write `record` where a file lies that nobody understands; that file is kept beside it."""
    if directory.exit.exists():
        if read_regular(directory.exit) is None:
            raise OSError(f"{directory.exit} cannot be read")
        with suppress(OSError):
            directory.exit.replace(directory.path / "exit.unreadable.json")
            create_once(directory.exit, asdict(record))
    return record


def _ended_at(directory: AttemptDirectory, inside: TrainExit | None, spec: LaunchSpec | None) -> float:
    """Return the last sign of life, in seconds since the epoch."""
    if inside is not None and inside.at:
        return inside.at
    now = time.time()
    ages = [age_seconds(path, now=lambda: now) for path in (directory.console, directory.heartbeat)]
    return now - min((age for age in ages if age is not None), default=0.0)
