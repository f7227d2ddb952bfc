"""How an attempt ended: the rules that tell completed, stopped, failed and lost apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# What the boot leaves with when it is asked to stop before the trainer's modules are loaded.
STOPPED_EARLY = 75
# Codes with which a trainer that was interrupted may leave: 0, the boot's own, SIGINT, and Windows' word for Ctrl-C.
INTERRUPT_CODES = {0, STOPPED_EARLY, -2, 130, 0xC000013A}
NAMES = {
    -1: "the closing of its terminal", -4: "an illegal instruction", -6: "an abort", -7: "a bus error",
    -8: "an arithmetic error", -9: "a kill from outside; the system does so when memory runs out",
    -11: "a segmentation fault", -15: "a termination from outside", 0xC0000005: "an access violation",
    0xC0000017: "a lack of memory", 0xC000001D: "an illegal instruction", 0xC000007B: "a library for another processor",
    0xC0000094: "a division by zero", 0xC00000FD: "a stack overflow", 0xC000012D: "a lack of memory",
    0xC0000135: "a missing library", 0xC0000142: "a failed start of a library", 0xC0000374: "a broken heap",
    0xC0000409: "a stack overrun",
}  # fmt: skip
# What shells say of a program that a signal ended: 128 and its number.
SHELL_SIGNALS = range(129, 128 + 32)
WORDS = {
    0: "it ended by itself", 2: "its command line was refused",
    STOPPED_EARLY: "it was stopped while it loaded", 126: "it may not be executed", 127: "it was not found",
    9009: "it was not found",
}  # fmt: skip


def plain_code(code: int) -> int:
    """Return an exit code of Windows without a sign; every other one as it is."""
    return code + 2**32 if code < -(2**16) else code


def code_in_words(code: int) -> str:
    """Return what an exit code means, such as "a segmentation fault"; an empty text when nobody knows."""
    code = plain_code(code)
    if code in INTERRUPT_CODES - {0, STOPPED_EARLY}:
        return "an interrupt"
    signal = 128 - code if code in SHELL_SIGNALS else code
    return NAMES.get(signal) or WORDS.get(code, "")


@dataclass(frozen=True)
class Ending:
    """What is known of an attempt that has ended. `steps` and `max_steps` are of the behaviors that appeared.

    `advice` says what helps against the failure.

    `kill_asked`: somebody wanted it to end at once; one that was `killed` without had not stopped within its grace.
    """

    code: int | None
    stop_requested: bool
    killed: bool
    kill_asked: bool
    grace_seconds: float | None
    inferred: bool
    interrupted: bool
    steps: Mapping[str, int]
    max_steps: Mapping[str, int]
    saved: Sequence[str]
    failure: str | None
    same_boot: bool
    started: bool
    advice: str = ""


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
        return Outcome("stopped", f"{_forced(ending)} {_saved(ending)}")
    if ending.code == 0 and _reached(ending):
        return Outcome("completed", f"Every behavior reached its max_steps. {_saved(ending)}")
    if ending.stop_requested and (ending.code in INTERRUPT_CODES or _saved_before_it_was_lost(ending)):
        return _stopped(ending)
    if ending.code is not None and ending.stop_requested and ending.interrupted and ending.saved:
        return _stumbled(ending)
    if ending.code is None:
        return _lost(ending)
    if ending.code == 0:
        return _left_early(ending)
    return _failed(ending)


def _reached(ending: Ending) -> bool:
    """A behavior whose goal is unknown has reached it when the trainer ended by itself."""
    goals = {name: goal for name, goal in ending.max_steps.items() if name in ending.steps}
    all_reached = all(ending.steps[name] >= goal > 0 for name, goal in goals.items())
    return bool(ending.steps) and all_reached and not ending.interrupted


def _saved_before_it_was_lost(ending: Ending) -> bool:
    return ending.code is None and ending.same_boot and bool(ending.saved)


def _saved(ending: Ending) -> str:
    if not ending.saved:
        return "Nothing new was saved."
    if len(ending.saved) > 1:
        return f"{', '.join(ending.saved[:-1])} and {ending.saved[-1]} were saved."
    name, at, step = ending.saved[0].partition(" at step ")
    return f"{name} was saved{at}{step}."


def _forced(ending: Ending) -> str:
    if not ending.stop_requested:
        return "Ended at once, by force."
    if ending.kill_asked:
        return "Ended at once, by force, while it was stopping."
    within = f" within {ending.grace_seconds:g} s" if ending.grace_seconds is not None else ""
    return f"It had not stopped{within}, and was ended by force."


def _stopped(ending: Ending) -> Outcome:
    if ending.code == STOPPED_EARLY:
        return Outcome("stopped", "Stopped as asked, before training began; nothing new was saved.")
    saved = _saved(ending)
    return Outcome("stopped", f"Stopped as asked; {saved if ending.saved else saved[0].lower() + saved[1:]}")


def _stumbled(ending: Ending) -> Outcome:
    """The final model is the last thing a stop is for; what fails while the trainer leaves costs nothing."""
    how = f"On its way out it ended with code {ending.code}"
    why = f": {_sentence(ending.failure)}" if ending.failure else "."
    return Outcome("stopped", f"Stopped as asked; {_saved(ending)} {how}{why}")


def _lost(ending: Ending) -> Outcome:
    if not ending.same_boot:
        return Outcome("lost", "The machine was restarted while it trained. Resume it from its last checkpoint.")
    if not ending.started:
        return Outcome("failed", "The trainer could not be started; nothing of it was ever seen.")
    words = f" Its last error was {_sentence(ending.failure)}" if ending.failure else ""
    how = f"The trainer ended without leaving an exit code.{words}"
    return Outcome("lost", f"{how} Resume it from its last checkpoint.")


def _left_early(ending: Ending) -> Outcome:
    if not ending.steps:
        return Outcome("failed", f"The trainer ended before it trained a step. {_saved(ending)}")
    where = ", ".join(_standing(name, step, ending.max_steps.get(name)) for name, step in ending.steps.items())
    return Outcome(
        "failed", f"The environment closed the connection before max_steps was reached ({where}). {_saved(ending)}"
    )


def _standing(name: str, step: int, goal: int | None) -> str:
    return f"{name} at {step:,}" + (f" of {goal:,}" if goal else "")


def _failed(ending: Ending) -> Outcome:
    if ending.code in NAMES:
        return Outcome("failed", f"The trainer crashed by {NAMES[ending.code]}. {_saved(ending)}")
    if ending.code in INTERRUPT_CODES:
        return Outcome("failed", f"The trainer was interrupted, and not by MENTOR. {_saved(ending)}")
    reason = _sentence(ending.failure or "its console says no more")
    how = f"The trainer ended with exit code {ending.code}: {reason} {ending.advice}".rstrip()
    return Outcome("failed", f"{how} {_saved(ending)}" if ending.saved else how)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
