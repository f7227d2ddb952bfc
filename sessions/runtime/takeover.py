"""What the supervisor does to a trainer whose shim is dead: the shim's own deeds, with the same care."""

from __future__ import annotations

import os
from functools import partial

from sessions.runtime.evidence import trainer_identities
from sessions.runtime.identity import REAP_SECONDS, ProcessIdentity, alive, reap
from sessions.runtime.locks import holder
from sessions.runtime.rundir import AttemptDirectory
from sessions.runtime.system import here


def interrupt_trainer(directory: AttemptDirectory) -> bool:
    """Interrupt the trainer from outside, unless it was interrupted before; False when nothing was sent."""
    trainer = directory.read_trainer()
    if trainer is None or not directory.see_stop("unanswered"):
        return False
    identity = ProcessIdentity(trainer.pid, trainer.boot_id, trainer.started)
    return here.interrupt(trainer.pid, partial(_is_trainer, directory, identity))


def kill_attempt(directory: AttemptDirectory, cookie: str = "", *, seconds: float = REAP_SECONDS) -> list[int]:
    """Kill the trainer and every process of the attempt; returns the numbers of those that were killed.

    A process is killed only for its identity, its lock or its cookie, never for its number. The spec's cookie holds
    when none is given. Those that survive are tried again for at most `seconds`.
    """
    identities = trainer_identities(directory.read_trainer(), directory.read_shim())
    killed = {
        identity.pid for identity in identities if here.kill(identity.pid, partial(_is_trainer, directory, identity))
    }
    spec = directory.read_spec()
    cookie = cookie or (spec.cookie if spec else "")
    return sorted(killed | set(reap(cookie, seconds=seconds)))


def kill_shim(directory: AttemptDirectory) -> bool:
    """Kill the shim that claimed the attempt, if that very process still lives; for one that does nothing any more."""
    claim = directory.read_claim()
    if claim is None:
        return False
    identity = ProcessIdentity(claim.pid, claim.boot_id, claim.started)
    return here.kill(identity.pid, partial(alive, identity))


def _is_trainer(directory: AttemptDirectory, identity: ProcessIdentity) -> bool:
    if identity.pid == os.getpid():
        return False
    return alive(identity) or holder(directory.train_lock) == identity.pid
