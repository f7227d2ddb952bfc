"""What the supervisor does to a trainer whose shim is dead: the shim's own deeds, with the same care."""

from __future__ import annotations

import os
from functools import partial

from sessions.runtime.evidence import trainer_identities
from sessions.runtime.identity import ProcessIdentity, alive, reap
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


def kill_attempt(directory: AttemptDirectory) -> list[int]:
    """Kill the trainer and every process of the attempt; returns the numbers of those that were killed.

    A process is killed only for its identity, its lock or its cookie, never for its number.
    """
    identities = trainer_identities(directory.read_trainer(), directory.read_shim())
    killed = {
        identity.pid for identity in identities if here.kill(identity.pid, partial(_is_trainer, directory, identity))
    }
    spec = directory.read_spec()
    return sorted(killed | set(reap(spec.cookie) if spec else []))


def _is_trainer(directory: AttemptDirectory, identity: ProcessIdentity) -> bool:
    if identity.pid == os.getpid():
        return False
    return alive(identity) or holder(directory.train_lock) == identity.pid
