"""How an attempt ended: the rules that tell completed, stopped, failed and lost apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# What the boot leaves with when it is asked to stop before the trainer's modules are loaded.
STOPPED_EARLY = 75
# Codes with which a trainer that was interrupted may leave: 0, the boot's own, SIGINT, and Windows' word for Ctrl-C.
INTERRUPT_CODES = {0, STOPPED_EARLY, -2, 130, 0xC000013A}
NAMES = {
    -4: "an illegal instruction", -6: "an abort", -7: "a bus error", -8: "an arithmetic error",
    -9: "a kill from outside; the system does so when memory runs out", -11: "a segmentation fault",
    -15: "a termination from outside", 0xC0000005: "an access violation", 0xC0000409: "a stack overrun",
    0xC000012D: "a lack of memory", 0xC0000142: "a failed start of a library",
}  # fmt: skip


@dataclass(frozen=True)
class Ending:
    """What is known of an attempt that has ended. `steps` and `max_steps` are of the behaviors that appeared."""

    code: int | None
    stop_requested: bool
    killed: bool
    inferred: bool
    interrupted: bool
    steps: Mapping[str, int]
    max_steps: Mapping[str, int]
    saved: Sequence[str]
    failure: str | None
    same_boot: bool
    started: bool


@dataclass(frozen=True)
class Outcome:
    """The terminal state, and a sentence or two a person can act on."""

    state: str
    explanation: str


def classify(ending: Ending) -> Outcome:
    """Return how the attempt ended.

    Exit code 0 alone says nothing: mlagents-learn leaves with it after an interrupt and when Unity left, too. An
    attempt whose behaviors all reached max_steps and saved is completed, even if a stop came a moment too late.
    """
    if ending.killed:
        return Outcome("stopped", f"Ended at once, without saving. {_saved(ending)}")
    if ending.code == 0 and _reached(ending) and not ending.interrupted:
        return Outcome("completed", f"Every behavior reached its max_steps. {_saved(ending)}")
    if ending.stop_requested and ending.code in INTERRUPT_CODES:
        return _stopped(ending)
    if ending.code is None:
        return _lost(ending)
    if ending.code == 0:
        return _left_early(ending)
    return _failed(ending)


def _reached(ending: Ending) -> bool:
    return bool(ending.steps) and all(step >= ending.max_steps.get(name, 0) > 0 for name, step in ending.steps.items())


def _saved(ending: Ending) -> str:
    if not ending.saved:
        return "Nothing new was saved."
    return f"{' and '.join(ending.saved)} {'was' if len(ending.saved) == 1 else 'were'} saved."


def _stopped(ending: Ending) -> Outcome:
    if ending.code == STOPPED_EARLY:
        return Outcome("stopped", "Stopped as asked, before training began; nothing new was saved.")
    return Outcome("stopped", f"Stopped as asked. {_saved(ending)}")


def _lost(ending: Ending) -> Outcome:
    if not ending.same_boot:
        return Outcome("lost", "The machine was restarted while it trained. Resume it from its last checkpoint.")
    if not ending.started:
        return Outcome("failed", "The trainer could not be started; nothing of it was ever seen.")
    return Outcome("lost", "The trainer ended without leaving an exit code. Resume it from its last checkpoint.")


def _left_early(ending: Ending) -> Outcome:
    where = ", ".join(f"{name} at {step:,} of {ending.max_steps.get(name, 0):,}" for name, step in ending.steps.items())
    at = f" ({where})" if where else ""
    return Outcome(
        "failed", f"The environment closed the connection before max_steps was reached{at}. {_saved(ending)}"
    )


def _failed(ending: Ending) -> Outcome:
    if ending.code in NAMES:
        return Outcome("failed", f"The trainer crashed by {NAMES[ending.code]}. {_saved(ending)}")
    reason = ending.failure or "its console says no more"
    return Outcome("failed", f"The trainer ended with exit code {ending.code}: {reason}")
