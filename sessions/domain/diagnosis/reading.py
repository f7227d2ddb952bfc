"""What a whole console tells, also one that MENTOR did not start: version, state, behaviors."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from sessions.domain import console
from sessions.domain.console import ConsoleEvent
from sessions.domain.diagnosis.starts import last_start
from sessions.domain.diagnosis.texts import out_of_notebook, undressed
from sessions.domain.failures import RECORD_PREFIX, bare_failure, cut_failure, failures_of, quoted_failure
from sessions.domain.states import ENDED, State

_VERSION = re.compile(r"\s*ml-agents: ([\w.+-]{1,50}),?\s*")
# How logging repeats, on stderr, a line that the console's encoding could not take.
_LOST_LINE = re.compile(r"Message: (?P<text>['\"].{0,20000}['\"])")
# What an environment said of itself when it connected, until 0.12.
_ACADEMY = re.compile(r"'.{1,1000}' started successfully!|Unity brain name: .{1,1000}")
# A summary whose behavior was left out by who shows it.
_NAMELESS = re.compile(r"(?:\[INFO\] ?|INFO: ?)?Step: \d{1,18}\. {1,8}(?:Time |Mean |Lesson: )")
_SAVED_UNTIL_0_19 = "Saved Model"
# After these words the trainer saves and fails.
_GIVEN_UP = " exceeded the allowed number of restarts."
# Of a run id; so many are looked at.
MOST_UNDERSCORES = 20


@dataclass(frozen=True)
class BehaviorReading:
    """Where a behavior stood in its last summary; `saved_step` is the true step of what was saved last."""

    name: str
    step: int | None = None
    mean_reward: float | None = None
    saved_step: int | None = None


@dataclass(frozen=True)
class Reading:
    """What the last start in a console tells; `first_line` is where it begins, counted from 1."""

    version: str | None
    state: State
    behaviors: list[BehaviorReading]
    failure: str | None
    first_line: int
    lines: Sequence[str] = field(repr=False)


def read_console(text: str, *, code: int | None = None) -> Reading:
    """Return what a console tells of the last start in it.

    Without an exit code an end that is not told is none: such a training is still running, as far as its console says.
    """
    lines = undressed([line.rstrip("\r") for line in out_of_notebook(text).split("\n")])
    first, end = last_start(lines)
    story = _Story()
    for number, line in enumerate(lines[first:end], first):
        texts = (line, *_lost(line))
        events = [event for text in texts if (event := console.parse_line(text)) is not None]
        if any(map(story.is_over_before, events)):
            story, first = _Story(story.version, announced=story.announced), number
        story.take(texts, events)
    lines = lines[first:end]
    failures = failures_of(lines)
    main, last = failures.main, failures.last
    if main is None and not story.interrupted and failures.left_alone:
        main = last
    if last is None:
        main = last = bare_failure(lines) or cut_failure(lines)
    state = _state(story, main, last)
    if last is None and state not in ENDED:
        main = quoted_failure(lines, is_silent=story.is_silent)
        state = State.FAILED if main else state
    if code and state not in ENDED:
        state = State.FAILED
    failure = (main or last) if state in (State.FAILED, State.LOST) else None
    return Reading(story.version, state, story.told_behaviors(), failure, first + 1, lines)


@dataclass
class _Story:
    version: str | None = None
    behaviors: dict[str, BehaviorReading] = field(default_factory=dict)
    announced: set[str] = field(default_factory=set)
    # The seconds and the step of every behavior's last summary.
    clocks: dict[str, tuple[float, int]] = field(default_factory=dict)
    began: bool = False
    waiting: bool = False
    interrupted: bool = False
    # The final model of these was written.
    finished: set[str] = field(default_factory=set)
    saved: bool = False
    given_up: bool = False

    def is_over_before(self, event: ConsoleEvent) -> bool:
        """Whether an event is of another training: clocks never go back, and nothing comes after the final model."""
        if isinstance(event, console.Summary):
            seconds, step = self.clocks.get(event.behavior, (0.0, 0))
            return event.step < step if event.elapsed_seconds is None else event.elapsed_seconds < seconds
        ended = self.interrupted or bool(self.finished)
        return ended and isinstance(event, (console.EditorWait, console.Connected))

    def take(self, texts: Sequence[str], events: Iterable[ConsoleEvent]) -> None:
        """Take the next line, the one that it repeats behind it, and what they say."""
        line = texts[0]
        if match := _VERSION.fullmatch(line):
            self.version = match[1]
        if _NAMELESS.match(line) or _ACADEMY.fullmatch(line):
            self.waiting, self.began = False, True
        for text in texts:
            self.saved = self.saved or _message(text) == _SAVED_UNTIL_0_19
            self.given_up = self.given_up or text.endswith(_GIVEN_UP)
        for event in events:
            self._event(event)

    def _event(self, event: ConsoleEvent) -> None:
        if isinstance(event, console.Summary):
            self._summary(event)
        elif isinstance(event, console.NewBehavior):
            self.waiting = False
            self.announced.add(event.name)
        elif isinstance(event, console.Connected):
            self.waiting = False
        elif isinstance(event, console.EditorWait):
            self.waiting = True
        elif isinstance(event, console.Interrupted):
            self.interrupted = True
        elif isinstance(event, console.Resumed):
            self.waiting, self.began = False, True
        elif isinstance(event, (console.Exported, console.Copied)):
            self._saved(event)

    def _summary(self, event: console.Summary) -> None:
        before = self.behaviors.get(event.behavior, BehaviorReading(event.behavior))
        reward = before.mean_reward if event.mean_reward is None else event.mean_reward
        self.behaviors[event.behavior] = replace(before, step=event.step, mean_reward=reward)
        self.clocks[event.behavior] = (event.elapsed_seconds or 0.0, event.step)
        self.waiting = self.saved = False

    def told_behaviors(self) -> list[BehaviorReading]:
        """The behaviors under their own names: ML-Agents 0.16 writes the run id and _ before them."""
        if not (self.version or "").startswith("0.16."):
            return list(self.behaviors.values())
        told: dict[str, BehaviorReading] = {}
        for name, one in self.behaviors.items():
            words = name.split("_", MOST_UNDERSCORES)
            ends = ("_".join(words[number:]) for number in range(len(words)))
            own = next((end for end in ends if end in self.announced), name)
            before = told.get(own, BehaviorReading(own))
            told[own] = BehaviorReading(
                own,
                before.step if one.step is None else one.step,
                before.mean_reward if one.mean_reward is None else one.mean_reward,
                before.saved_step if one.saved_step is None else one.saved_step,
            )
        return list(told.values())

    @property
    def is_silent(self) -> bool:
        """Whether nothing was told of a trainer."""
        return not (self.version or self.behaviors or self.announced or self.waiting or self.interrupted)

    def _saved(self, event: console.Exported | console.Copied) -> None:
        before = self.behaviors.get(event.behavior, BehaviorReading(event.behavior))
        step = before.saved_step if event.step is None else event.step
        # Checkpoints have their step in their name; until 0.16 only the final model is exported.
        if isinstance(event, console.Copied) or (event.step is None and event.behavior in self.behaviors):
            self.finished.add(event.behavior)
        self.behaviors[event.behavior] = replace(before, saved_step=step)


def _lost(line: str) -> Iterator[str]:
    """The line that a console of another encoding lost."""
    match = _LOST_LINE.fullmatch(line)
    if match is None:
        return
    try:
        text = ast.literal_eval(match["text"])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return
    if isinstance(text, str):
        yield text


def _message(text: str) -> str:
    prefix = RECORD_PREFIX.match(text)
    return text[prefix.end() :].strip() if prefix else text.strip()


def _state(story: _Story, main: str | None, last: str | None) -> State:
    saved = bool(story.finished) or story.saved
    pressed = main is not None and main.startswith("KeyboardInterrupt")
    if main is not None and not (pressed and (saved or not story.interrupted)):
        return State.FAILED
    if story.interrupted or pressed:
        return State.STOPPED if saved or pressed or last is None else State.FAILED
    if saved and set(story.behaviors) <= (story.finished or set(story.behaviors)):
        return State.COMPLETED
    if story.given_up or (last is not None and not story.behaviors):
        return State.FAILED
    if story.waiting:
        return State.WAITING_FOR_EDITOR
    return State.RUNNING if story.behaviors or story.announced or story.began else State.STARTING


def summaries_left_out(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines with the summaries made empty: most of a console, and none of them tells of a failure."""
    for line in lines:
        yield "" if is_summary(line) else line


def is_summary(line: str) -> bool:
    """Tell whether a line is surely a summary; those of ML-Agents 0.5 may pass for another line."""
    return " Step: " in line and "Time Elapsed" in line
