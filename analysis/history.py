"""What the history of a session shows beside its rewards: ELO, win rates, lessons, episodes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from analysis.lessons import Course, is_course, lesson_names, parameter_of, stays
from analysis.winning import ELO_TAG, POOL, ROLLING, against_pool, is_rate, rolling, says_win
from sessions.domain.config import ConfigError, read_config
from sessions.models import TrainingSession
from sessions.selectors.series import PointsShape, points_after, series_shapes
from sessions.selectors.stitching import stitched

# Values of a win rate that are handed out.
MOST_SHOWN = 500
LENGTH_TAG = "Environment/Episode Length"
# What counts episodes itself, in other trainers' event files.
COUNTERS = ("time/episodes", "charts/episodes", "rollout/episodes")


@dataclass(frozen=True)
class EloSummary:
    """The rating of the learning policy; 1200 unless self_play.initial_elo says otherwise."""

    first: float
    best: float
    last: float


@dataclass(frozen=True)
class WinRate:
    """A rolling win rate, from 0 to 1: `kind` is "signal" (a tag that says so) or "elo" (expected, from ELO).

    Of a long one, `steps` and `values` are a selection at even distances that ends with the last value.
    """

    kind: str
    tag: str
    window: int
    best: float
    last: float
    steps: list[int]
    values: list[float]


@dataclass(frozen=True)
class Episodes:
    """How many episodes ended; estimated from steps and the mean length of an episode where nothing counts them."""

    count: int
    estimated: bool


@dataclass
class BehaviorHistory:
    """What one behavior's series say beside rewards."""

    behavior: str
    elo: EloSummary | None = None
    win_rates: list[WinRate] = field(default_factory=list)
    courses: list[Course] = field(default_factory=list)
    episodes: Episodes | None = None


def histories(session: TrainingSession) -> dict[str, BehaviorHistory]:
    """Return the history of each behavior that has any of it."""
    found: dict[str, BehaviorHistory] = {}
    names = _lesson_names(session)
    for tag, behavior, curve in _curves(session):
        history = found.setdefault(behavior, BehaviorHistory(behavior))
        parameter = parameter_of(tag)
        if parameter is not None:
            _add_course(history, parameter, curve, names)
        elif tag == LENGTH_TAG or tag in COUNTERS:
            history.episodes = _episodes(tag, curve, history.episodes)
        else:
            _add_win_rate(history, tag, curve)
    return {name: one for name, one in found.items() if one.elo or one.win_rates or one.courses or one.episodes}


def _curves(session: TrainingSession) -> list[tuple[str, str, PointsShape]]:
    """The curves that matter here, over all attempts, as tag, behavior and points."""
    tags: dict[str, None] = defaultdict(None)
    for shape in series_shapes(session):
        if shape.tag in (ELO_TAG, LENGTH_TAG, *COUNTERS) or says_win(shape.tag) or parameter_of(shape.tag) is not None:
            tags[shape.tag] = None
    curves = []
    for tag in tags:
        parts, _ = points_after(session, tag=tag)
        curves += [(tag, behavior, curve.whole) for behavior, curve in stitched(parts).items()]
    return curves


def _lesson_names(session: TrainingSession) -> dict[str, list[str]]:
    try:
        return lesson_names(read_config(bytes(session.config_used)).tree)
    except ConfigError:  # was right for the version that stored it
        return {}


def _add_course(history: BehaviorHistory, parameter: str, curve: PointsShape, names: dict[str, list[str]]) -> None:
    named = names.get(parameter, [])
    found = stays(curve.steps, curve.wall_times, curve.values, named)
    course = Course(history.behavior, parameter, found, len(named) or None)
    if found and is_course(course):
        history.courses.append(course)


def _add_win_rate(history: BehaviorHistory, tag: str, curve: PointsShape) -> None:
    known = [value for value in curve.values if value is not None]
    if tag == ELO_TAG and known:
        history.elo = EloSummary(known[0], max(known), known[-1])
        rates, kind, window = against_pool(curve.values), "elo", POOL
    elif is_rate(curve.values):
        rates, kind, window = rolling(curve.values), "signal", ROLLING
    else:
        return
    pairs = [(step, rate) for step, rate in zip(curve.steps, rates, strict=True) if rate is not None]
    if pairs:
        shown = pairs[:: -(-len(pairs) // MOST_SHOWN)]
        shown += [] if shown[-1] == pairs[-1] else [pairs[-1]]
        history.win_rates.append(
            WinRate(
                kind=kind,
                tag=tag,
                window=window,
                best=max(rate for _, rate in pairs),
                last=pairs[-1][1],
                steps=[step for step, _ in shown],
                values=[rate for _, rate in shown],
            )
        )


def _episodes(tag: str, curve: PointsShape, known: Episodes | None) -> Episodes | None:
    counted = [value for value in curve.values if value is not None]
    if not counted:
        return known
    if tag in COUNTERS:
        return Episodes(int(max(counted)), estimated=False)
    return known or Episodes(estimated_episodes(curve.steps, curve.values), estimated=True)


def estimated_episodes(steps: list[int], lengths: list[float | None]) -> int:
    """Return how many episodes fit into the steps: each summary's steps divided by its mean episode length.

    A summary without an episode is counted with the next one's length, steps before the first point included.
    """
    total, before = 0.0, 0
    for step, length in zip(steps, lengths, strict=True):
        if length is not None and length > 0:
            total += max(0, step - before) / max(1.0, length)
            before = step
    return round(total)
