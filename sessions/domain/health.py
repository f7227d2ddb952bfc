"""What goes wrong while a training runs, told from its curves: numbers in, findings out.

Every rule judges the last summaries of one behavior and needs two of them to agree, so that one odd summary is no
finding; what is no number is told at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

REWARD = "Environment/Cumulative Reward"
ENTROPY = "Policy/Entropy"
VALUE_LOSS = "Losses/Value Loss"
LEARNING_RATE = "Policy/Learning Rate"
LESSON = "Environment/Lesson Number/"
TAGS = frozenset({REWARD, ENTROPY, VALUE_LOSS, LEARNING_RATE})
LOSSES = "Losses/"

AGREEING = 2
# Fewer points than this say nothing about a trend.
FEWEST_POINTS = 10
RECENT = 50
# Of the entropy at the beginning; a policy that explores no more long before the end has settled too early.
ENTROPY_SHARE = 0.1
EARLY_PROGRESS = 0.5
# A reward that fell by so much of all it had gained, and by so many of its usual jumps.
COLLAPSE_SHARE = 0.5
COLLAPSE_JUMPS = 4.0
EXPLOSION = 10.0
EPISODES_MISSING = 5
LESSON_SHARE = 0.25
PACE_SHARE = 0.5
RESTARTS = 2
AT_ONCE = {"nan", "restarts"}

Point = tuple[int, float, float]


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a behavior since `step`; `kind` is the rule's name.

    `at` is the wall time of the step in seconds, `tag` the curve that tells of it; empty when none does.
    """

    kind: str
    behavior: str
    step: int
    title: str
    why: str
    fix: str
    tag: str = ""
    at: float = 0.0


@dataclass(frozen=True)
class Course:
    """One behavior's curves: by tag the points (step, wall time in seconds, value) in order, the newest last.

    `max_steps` is its goal, `lessons` the number of lessons of each curriculum, `restarts` how often an environment
    was started again in this attempt, `since` the wall time of the first point of this attempt: what came before it
    is known to whoever resumed, and only shows what is usual.
    """

    behavior: str
    curves: Mapping[str, Sequence[Point]]
    max_steps: int | None = None
    lessons: Mapping[str, int] | None = None
    restarts: int = 0
    since: float = -math.inf

    def of(self, tag: str) -> Sequence[Point]:
        """Return a tag's points; none where it was never written."""
        return self.curves.get(tag, ())

    def numbers(self, tag: str) -> list[Point]:
        """Return those whose value is a finite number."""
        return [point for point in self.of(tag) if math.isfinite(point[2])]

    @property
    def steady(self) -> str:
        """The tag that has a point in every summary."""
        return LEARNING_RATE if self.of(LEARNING_RATE) else ENTROPY

    def recent(self, tag: str) -> Sequence[Point]:
        """Return the last two points of a tag, as far as this attempt wrote them."""
        return [point for point in self.of(tag)[-AGREEING:] if point[1] >= self.since]

    @property
    def newest(self) -> Point:
        """The furthest point of any curve."""
        return max((points[-1] for points in self.curves.values() if points), default=(0, 0.0, 0.0))


def is_judged(tag: str) -> bool:
    """Tell whether a tag has a say in how a training goes."""
    return tag in TAGS or tag.startswith((LESSON, LOSSES))


def findings(course: Course) -> list[Finding]:
    """Return all that is wrong with a behavior now."""
    return [finding for rule in RULES for finding in rule(course) if _is_news(finding, course)]


def _is_news(finding: Finding, course: Course) -> bool:
    """Two summaries of this attempt have to agree; a value that is no number, and a restart, speak for themselves."""
    return finding.kind in AT_ONCE or len(course.recent(finding.tag)) >= AGREEING


def _finding(kind: str, course: Course, tag: str, point: Point, told: tuple[str, str, str]) -> Finding:
    """`told` is the title, why, and the fix."""
    step, at, _ = point
    return Finding(kind, course.behavior, step, *told, tag=tag, at=at)


def no_number(course: Course) -> Iterator[Finding]:
    """A value that is NaN or infinite."""
    for tag in sorted(course.curves):
        broken = [point for point in course.recent(tag) if not math.isfinite(point[2])]
        if broken:
            yield _finding("nan", course, tag, broken[0], (
                "A value is no number",
                f"{tag} is {broken[-1][2]} at step {broken[-1][0]:,}.",
                "Training has diverged, or Unity sends such values. Stop it, lower learning_rate, set normalize: true, "
                "and go on from an older checkpoint.",
            ))  # fmt: skip
            return


def entropy(course: Course) -> Iterator[Finding]:
    """A policy that is certain of everything long before the end."""
    points = course.numbers(ENTROPY)
    if len(points) < FEWEST_POINTS or not course.max_steps:
        return
    first = median(value for _, _, value in points[:3])
    low = first > 0 and all(value < first * ENTROPY_SHARE for _, _, value in points[-AGREEING:])
    step = points[-AGREEING][0]
    if low and step < course.max_steps * EARLY_PROGRESS:
        yield _finding("entropy", course, ENTROPY, points[-AGREEING], (
            "The policy no longer explores",
            f"Entropy fell from {first:.3g} to {points[-1][2]:.3g} at {step / course.max_steps:.0%} of max_steps.",
            "Raise beta (for SAC: init_entcoef), lower learning_rate, or reward what it should discover.",
        ))  # fmt: skip


def reward_collapse(course: Course) -> Iterator[Finding]:
    """A reward that lost half of what it had gained, and by more than it usually jumps."""
    points = course.numbers(REWARD)
    if len(points) < FEWEST_POINTS:
        return
    values = [value for _, _, value in points]
    smooth = _smoothed(values)
    best = max(range(len(smooth) - AGREEING), key=smooth.__getitem__)
    gained = smooth[best] - min(smooth[: best + 1])
    jump = median(abs(later - earlier) for earlier, later in pairwise(values[: best + 1])) if best else 0.0
    floor = smooth[best] - max(COLLAPSE_SHARE * gained, COLLAPSE_JUMPS * jump)
    if gained > COLLAPSE_JUMPS * jump and all(value < floor for _, _, value in points[-AGREEING:]):
        yield _finding("reward collapse", course, REWARD, points[-AGREEING], (
            "The reward has collapsed",
            f"It was about {smooth[best]:.4g} at step {points[best][0]:,} and is {points[-1][2]:.4g} now.",
            f"Go on from a checkpoint near step {points[best][0]:,}, with a smaller learning_rate or epsilon.",
        ))  # fmt: skip


def value_loss(course: Course) -> Iterator[Finding]:
    """A value function that has lost its way."""
    points = course.numbers(VALUE_LOSS)[-RECENT:]
    if len(points) < FEWEST_POINTS:
        return
    usual = median(value for _, _, value in points[:-AGREEING])
    if usual > 0 and all(value > usual * EXPLOSION for _, _, value in points[-AGREEING:]):
        yield _finding("value loss", course, VALUE_LOSS, points[-AGREEING], (
            "The value loss explodes",
            f"It is {points[-1][2]:.4g}; usual were {usual:.3g}.",
            "Rewards may have become much larger: scale them to about -1 to 1; or lower learning_rate.",
        ))  # fmt: skip


def no_episode(course: Course) -> Iterator[Finding]:
    """Summaries without a reward: no episode ends."""
    rewards = course.of(REWARD)
    since = rewards[-1][0] if rewards else -1
    missing = [point for point in course.of(course.steady) if point[0] > since]
    if len(missing) >= EPISODES_MISSING:
        yield _finding("no episode", course, course.steady, missing[0], (
            "No episode has ended for long",
            f"The last {len(missing)} summaries have no reward.",
            "Set Max Step of the agent, or call EndEpisode; an agent that never finishes cannot be judged.",
        ))  # fmt: skip


def lesson(course: Course) -> Iterator[Finding]:
    """A curriculum that does not advance."""
    for tag in sorted(course.curves):
        points = course.numbers(tag) if tag.startswith(LESSON) else []
        name = tag.removeprefix(LESSON)
        count = (course.lessons or {}).get(name, 0)
        if not points or not course.max_steps or points[-1][2] >= count - 1:
            continue
        since = _since_change(points)
        if points[-1][0] - since[0] >= course.max_steps * LESSON_SHARE:
            yield _finding("lesson", course, tag, since, (
                "A lesson does not end",
                f"{name} is in lesson {points[-1][2]:.0f} of {count - 1} since step {since[0]:,}.",
                "Lower the threshold of its completion criteria, make the lesson easier, or check the behavior's name.",
            ))  # fmt: skip


def pace(course: Course) -> Iterator[Finding]:
    """Steps that take longer and longer."""
    points = course.of(course.steady)[-RECENT:]
    speeds = [
        (later[0] - earlier[0]) / (later[1] - earlier[1])
        for earlier, later in pairwise(points)
        if later[1] > earlier[1] and later[0] > earlier[0]
    ]
    if len(speeds) < FEWEST_POINTS:
        return
    usual = median(speeds[: len(speeds) // 2])
    if all(speed < usual * PACE_SHARE for speed in speeds[-AGREEING:]):
        yield _finding("pace", course, course.steady, points[-AGREEING], (
            "Training became slow",
            f"{speeds[-1]:,.0f} steps a second; it was {usual:,.0f}.",
            "Look at memory, other programs and the size of the scene; resuming it starts fresh processes.",
        ))  # fmt: skip


def restarts(course: Course) -> Iterator[Finding]:
    """Environments that end again and again."""
    if course.restarts >= RESTARTS:
        yield _finding("restarts", course, "", course.newest, (
            "Environments keep restarting",
            f"{course.restarts} times in this attempt.",
            "Look into Player-0.log; fewer environments need less memory.",
        ))  # fmt: skip


RULES: tuple[Callable[[Course], Iterator[Finding]], ...] = (
    no_number, reward_collapse, entropy, value_loss, no_episode, lesson, pace, restarts,
)  # fmt: skip


def _smoothed(values: Sequence[float], weight: float = 0.6) -> list[float]:
    """The exponentially weighted mean up to each value."""
    smooth, last = [], values[0]
    for value in values:
        last = weight * last + (1 - weight) * value
        smooth.append(last)
    return smooth


def _since_change(points: Sequence[Point]) -> Point:
    since = points[-1]
    for point in reversed(points):
        if point[2] != points[-1][2]:
            return since
        since = point
    return since
