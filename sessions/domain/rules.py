"""What MENTOR may do with a session that nobody watches: the rules, how they are written, and in words.

Rules are written flat, such as {"restart_limit": 3, "stall_minutes": 30}; each is off until its number is given.
Minutes, seconds and megabytes (of 1024 * 1024 bytes) are what people give; the decisions are in `verdicts`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sessions.domain.keeping import MODES
from sessions.errors import InvalidInput

REWARD_TAG = "Environment/Cumulative Reward"
MEGABYTE = 1024 * 1024
ACTIONS = ("warn", "stop", "restart")
DIRECTIONS = ("above", "below")
LONGEST_TEXT = 255
MANY = 10**12
# Rules that need one of these numbers to mean anything.
NUMBERS = {
    "restart": ("restart_limit",),
    "stall": ("stall_minutes",),
    "memory": ("memory_mb", "memory_growth_percent"),
    "goal": ("goal_value",),
    "plateau": ("plateau_steps",),
}


class InvalidRules(InvalidInput):
    """Rules that cannot be used; `errors` has sentences by rule, each named `rules.<rule>`."""

    code = "invalid_rules"


def whole(lowest: int, highest: int = 1_000_000) -> Callable[[Any], int]:
    """Return a reader of whole numbers."""

    def read(given: Any) -> int:
        number = _float(given)
        if number != int(number) or not lowest <= number <= highest:
            raise ValueError
        return int(number)

    read.__doc__ = f"a whole number from {lowest} to {highest:,}"
    return read


def number(lowest: float, highest: float = MANY) -> Callable[[Any], float]:
    """Return a reader of numbers."""

    def read(given: Any) -> float:
        value = _float(given)
        if not lowest <= value <= highest:
            raise ValueError
        return value

    read.__doc__ = f"a number from {lowest:g} to {highest:g}"
    return read


def _float(given: Any) -> float:
    value = math.nan if isinstance(given, bool) else float(given)
    if not math.isfinite(value):
        raise ValueError
    return value


def choice(*words: str) -> Callable[[Any], str]:
    """Return a reader of one word of several."""

    def read(given: Any) -> str:
        if given not in words:
            raise ValueError
        return str(given)

    read.__doc__ = f"{', '.join(words[:-1])} or {words[-1]}"
    return read


def name(given: Any) -> str:
    """a text of at most 255 characters"""
    if not isinstance(given, str) or len(given) > LONGEST_TEXT or "\0" in given:
        raise ValueError
    return given


def moment(given: Any) -> datetime:
    """a moment such as 2026-05-01T08:00, in the time of MENTOR's machine unless it says its own zone"""
    return datetime.fromisoformat(given[:-1] + "+00:00" if given.endswith("Z") else given).astimezone()


def _rule(read: Callable[[Any], Any], help: str, default: Any = None) -> Any:
    return field(default=default, metadata={"read": read, "help": help})


@dataclass(frozen=True)
class Rules:
    """The rules of one session; a number that is None leaves its rule off."""

    restart_limit: int | None = _rule(whole(1, 1000), "Restarts in a row after a crash, from the last checkpoint.")
    restart_pause_seconds: float = _rule(
        number(0, 3600), "Pause before the first restart; it doubles with each that follows, up to an hour.", 30.0
    )
    restart_reset_minutes: float = _rule(
        number(0.01, 100_000),
        "An attempt that trained so long counts as well: the count of restarts begins anew.",
        10.0,
    )
    stall_minutes: float | None = _rule(number(0.01, 100_000), "Minutes without a summary of a new step.")
    stall_action: str = _rule(choice(*ACTIONS), "What follows then.", "warn")
    memory_mb: float | None = _rule(number(1), "Megabytes of memory of the trainer and all its processes.")
    memory_growth_percent: float | None = _rule(number(0.1), "Growth of that memory in percent per hour.")
    memory_window_minutes: float = _rule(number(0.1, 1440), "Minutes over which growth is measured.", 30.0)
    memory_action: str = _rule(choice(*ACTIONS), "What follows above either.", "warn")
    health_action: str = _rule(
        choice("warn", "pause", "stop", "go_back"),
        "What follows when its curves tell of trouble; go_back restarts from the best checkpoint before it.",
        "warn",
    )
    goal_value: float | None = _rule(number(-MANY), "Stop once the tag is at this value or beyond it.")
    goal_direction: str = _rule(choice(*DIRECTIONS), "Whether beyond is above or below.", "above")
    goal_summaries: int = _rule(whole(1, 1000), "For so many summaries in a row.", 3)
    goal_tag: str = _rule(name, "The tag of the goal.", REWARD_TAG)
    goal_behavior: str = _rule(name, "The behavior of the goal; any of them when empty.", "")
    plateau_steps: int | None = _rule(whole(1, MANY), "Stop when the tag has not gained for so many steps.")
    plateau_gain: float = _rule(number(0), "What counts as a gain: more than this over the best before.", 0.0)
    plateau_tag: str = _rule(name, "The tag that should gain.", REWARD_TAG)
    plateau_behavior: str = _rule(name, "The behavior that should gain; one of them suffices when empty.", "")
    budget_minutes: float | None = _rule(number(0.01), "Stop after so many minutes of training, all attempts together.")
    budget_until: datetime | None = _rule(moment, "Stop at this moment.")  # noqa: RUF009 - a moment is immutable
    budget_disk_mb: float | None = _rule(number(0.01), "Stop when the results on disk exceed so many megabytes.")
    keep_best: int | None = _rule(
        whole(0, 1000), "The best checkpoints of each behavior to keep; MENTOR_KEEP_BEST says it when this does not."
    )
    keep_tag: str = _rule(name, "The tag by which they are the best, smoothed.", REWARD_TAG)
    keep_mode: str = _rule(choice(*MODES), "Whether the largest or the smallest is the best.", "max")


RULES = {one.name: one for one in fields(Rules)}


def read_rules(given: Mapping[str, Any]) -> Rules:
    """Return the rules of a mapping of numbers or texts; None and empty texts leave a rule at its default.

    Raises InvalidRules with a sentence for each that cannot be used.
    """
    errors: dict[str, list[str]] = {}
    found: dict[str, Any] = {}
    for key, value in given.items():
        value = value.strip() if isinstance(value, str) else value
        if key not in RULES:
            errors[str(key)[:50]] = [f"There is no rule {str(key)[:50]}."]
        elif value is not None and value != "":
            try:
                found[key] = RULES[key].metadata["read"](value)
            except (ValueError, TypeError, AttributeError, OverflowError, OSError):
                errors[key] = [f"{key} must be {RULES[key].metadata['read'].__doc__}."]
    rules = Rules(**found)
    for key, sentence in _incomplete(rules).items():
        errors.setdefault(key, [sentence])
    if errors:
        named = {f"rules.{key}": sentences for key, sentences in errors.items()}
        raise InvalidRules(next(iter(errors.values()))[0], hint="docs/operating.md lists the rules.", errors=named)
    return rules


def _incomplete(rules: Rules) -> dict[str, str]:
    """Rules that would silently do nothing."""
    given = as_json(rules)
    wrong = {}
    for prefix, numbers in NUMBERS.items():
        some = [key for key in given if key.startswith(f"{prefix}_")]
        if some and not any(key in given for key in numbers):
            wrong[numbers[0]] = f"{some[0]} has no effect without {' or '.join(numbers)}."
    restarting = {rules.stall_action, rules.memory_action, rules.health_action} & {"restart", "go_back"}
    if restarting and rules.restart_limit is None:
        wrong["restart_limit"] = "Say in restart_limit how often in a row it may be restarted."
    return wrong


def read_text(text: str) -> dict[str, Any]:
    """Return the rules written `name=value,name=value`, as they are stored; raises ValueError with a sentence."""
    given = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"{part} is not written name=value")
        given[key.strip()] = value.strip()
    try:
        return as_json(read_rules(given))
    except InvalidRules as error:
        raise ValueError(" ".join(one for each in error.errors.values() for one in each).rstrip(".")) from None


def as_json(rules: Rules) -> dict[str, Any]:
    """Return what differs from the defaults, as it is stored and sent."""
    chosen = {key: getattr(rules, key) for key, one in RULES.items() if getattr(rules, key) != one.default}
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in chosen.items()}


def in_words(rules: Rules) -> list[str]:
    """Return a sentence for each rule that is on."""
    told = (
        _restart(rules),
        _stall(rules),
        *_memory(rules),
        _health(rules),
        _goal(rules),
        _plateau(rules),
        *_budgets(rules),
        _keep(rules),
    )
    return [sentence for sentence in told if sentence]


FOLLOWS = {
    "warn": "warns",
    "pause": "pauses",
    "stop": "stops",
    "restart": "restarts",
    "go_back": "goes back to the best checkpoint",
}


def count(amount: float, unit: str) -> str:
    """Return an amount with its unit, such as "1 minute" or "2.5 minutes"."""
    return f"{amount:,.10g} {unit}" + ("" if amount == 1 else "s")


def _restart(rules: Rules) -> str:
    if rules.restart_limit is None:
        return ""
    often = f"at most {count(rules.restart_limit, 'time')} in a row"
    return f"Restarts after a crash, {often}; first after {count(rules.restart_pause_seconds, 'second')}."


def _stall(rules: Rules) -> str:
    if rules.stall_minutes is None:
        return ""
    return (
        f"{FOLLOWS[rules.stall_action].capitalize()} after {count(rules.stall_minutes, 'minute')} without a new step."
    )


def _memory(rules: Rules) -> list[str]:
    follows = FOLLOWS[rules.memory_action].capitalize()
    told = []
    if rules.memory_mb is not None:
        told.append(f"{follows} above {rules.memory_mb:,.10g} MB of memory.")
    if rules.memory_growth_percent is not None:
        window = count(rules.memory_window_minutes, "minute")
        told.append(
            f"{follows} when memory grows by more than {rules.memory_growth_percent:g} % an hour, over {window}."
        )
    return told


def _health(rules: Rules) -> str:
    if rules.health_action == "warn":
        return ""
    return f"{FOLLOWS[rules.health_action].capitalize()} when its curves tell of trouble."


def _goal(rules: Rules) -> str:
    if rules.goal_value is None:
        return ""
    where = f"{rules.goal_tag} of {rules.goal_behavior or 'a behavior'}"
    rows = count(rules.goal_summaries, "summary").replace("summarys", "summaries")
    return f"Stops when {where} is {rules.goal_value:g} or {rules.goal_direction} for {rows} in a row."


def _plateau(rules: Rules) -> str:
    if rules.plateau_steps is None:
        return ""
    who = rules.plateau_behavior or "every behavior"
    gain = f" more than {rules.plateau_gain:g}" if rules.plateau_gain else ""
    return f"Stops when {rules.plateau_tag} of {who} has not gained{gain} for {rules.plateau_steps:,} steps."


def _budgets(rules: Rules) -> list[str]:
    told = []
    if rules.budget_minutes is not None:
        told.append(f"Stops after {count(rules.budget_minutes, 'minute')} of training.")
    if rules.budget_until is not None:
        told.append(f"Stops at {clock(rules.budget_until)}.")
    if rules.budget_disk_mb is not None:
        told.append(f"Stops when its results take more than {rules.budget_disk_mb:,.10g} MB.")
    return told


def _keep(rules: Rules) -> str:
    if rules.keep_best is None:
        return ""
    if not rules.keep_best:
        return "Keeps no checkpoint that the trainer removes."
    many = "checkpoint" if rules.keep_best == 1 else f"{rules.keep_best} checkpoints"
    extreme = "largest" if rules.keep_mode == "max" else "smallest"
    return f"Keeps the {many} of each behavior with the {extreme} {rules.keep_tag}."


def clock(at: datetime) -> str:
    """Return a moment as sentences name it."""
    return f"{at:%d %b %Y, %H:%M %Z}".strip()
