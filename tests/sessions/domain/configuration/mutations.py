"""Mistakes that people make, put into a text one at a time, with the line where each was made."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

_KEY = re.compile(r"(?P<indent> *(?:- )?)(?P<key>[A-Za-z_]\w*):(?P<space> ?)(?P<value>[^#]*?)(?P<rest>\s*(?:#.*)?)$")
KINDS = ("typo", "type", "range", "tab", "colon", "blank", "quote", "bracket", "empty")
# Names that are the user's own: no other name is wrong.
FREE = re.compile(r"[A-Z]|(?:gravity|wall_height|mass|scale|friction)$")
BEYOND = {
    "gamma": "1.7", "lambd": "-0.4", "epsilon": "-0.2", "beta": "-3", "tau": "4", "strength": "-1",
    "play_against_latest_model_ratio": "7", "num_layers": "-2", "quality_level": "-9", "st_dev": "-1",
    "time_scale": "5000", "base_port": "99999", "seed": "-77", "learning_rate": "-0.1", "initial_elo": ".inf",
    "team_change": "0", "swap_steps": "-5", "save_steps": "-5", "steps": "-5", "min_lesson_length": "-5",
    "samples_per_update": "-8", "timeout_wait": "-3",
}  # fmt: skip
# Any number will do.
_NO_RANGE = ("value", "min_value", "max_value", "mean", "threshold", "gravity")


@dataclass(frozen=True)
class Mutant:
    """A text with one mistake in a line; lines count from 1."""

    kind: str
    line: int
    text: str
    was: str
    now: str


def mutants(text: str, *, seed: int) -> Iterator[Mutant]:
    """Yield one mistake of each kind for each line that can have it, in an order and form that the seed chooses."""
    chance = random.Random(seed)
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        found = _KEY.fullmatch(line)
        if found is None:
            continue
        for kind in KINDS:
            now = _MISTAKES[kind](found, chance, lines, number)
            if now is not None and now != line:
                changed = [*lines[: number - 1], now, *lines[number:]]
                yield Mutant(kind, number, "\n".join(changed) + "\n", line, now)


def _typo(found: re.Match[str], chance: random.Random, lines: list[str], number: int) -> str | None:
    key = found["key"]
    if FREE.match(key):
        return None
    place = chance.randrange(len(key))
    changed = chance.choice(
        (key[:place] + key[place + 1 :], key[:place] + key[place] + key[place:], key[:place] + "q" + key[place + 1 :],
         key[: place - 1] + key[place] + key[place - 1] + key[place + 1 :] if place else f"{key}s")
    )  # fmt: skip
    return _line(found, key=changed) if changed and changed != key else None


def _type(found: re.Match[str], chance: random.Random, lines: list[str], number: int) -> str | None:
    value = found["value"].strip()
    if not value:  # a section; what stood in it stays where it is
        return _line(found, value=chance.choice(("5", "many", "true")))
    if re.fullmatch(r"[-\d.e+]+", value):
        return _line(found, value=chance.choice(("many", "[1, 2]", "{a: 1}", "null", "1.5x")))
    if value in ("true", "false"):
        return _line(found, value=chance.choice(("maybe", "'false'", "5", "[1]")))
    if found["key"] in ("device", "run_id", "results_dir", "init_path", "name", "behavior", "demo_path"):
        return _line(found, value="[1, 2]") if found["key"] in ("name", "demo_path") else None
    return _line(found, value=chance.choice(("5", "[a]", "nothing", "null")))


def _range(found: re.Match[str], chance: random.Random, lines: list[str], number: int) -> str | None:
    value, key = found["value"].strip(), found["key"]
    if not re.fullmatch(r"[\d.e+-]+", value) or key in _NO_RANGE:
        return None
    return _line(found, value=BEYOND.get(key) or chance.choice(("-1", "-1000")))


def _tab(found: re.Match[str], chance: random.Random, lines: list[str], number: int) -> str | None:
    if not found["indent"].startswith(" "):
        return None
    return chance.choice(("\t", found["indent"][:-2] + "\t")) + found.string.lstrip(" ")


def _colon(found: re.Match[str], chance: random.Random, lines: list[str], number: int) -> str | None:
    return f"{found['indent']}{found['key']}{found['space'] or ''}{found['value']}{found['rest']}".rstrip()


def _blank(found: re.Match[str], chance: random.Random, lines: list[str], number: int) -> str | None:
    return f"{found['indent']}{found['key']}:{found['value']}{found['rest']}" if found["value"] else None


def _quote(found: re.Match[str], chance: random.Random, lines: list[str], number: int) -> str | None:
    quote = chance.choice("'\"")
    return _line(found, value=f"{quote}{found['value']}") if found["value"] and quote not in found["rest"] else None


def _bracket(found: re.Match[str], chance: random.Random, lines: list[str], number: int) -> str | None:
    bracket = chance.choice("[{")
    return _line(found, value=f"{bracket}{found['value']}") if found["value"] else None


def _empty(found: re.Match[str], chance: random.Random, lines: list[str], number: int) -> str | None:
    return None if found["value"] else _line(found, value=chance.choice(("[]", "{}", "null", "''")))


def _line(found: re.Match[str], *, key: str | None = None, value: str | None = None) -> str:
    value = found["value"] if value is None else value
    return f"{found['indent']}{key or found['key']}:{' ' if value else ''}{value}{found['rest']}"


_MISTAKES = {
    "typo": _typo, "type": _type, "range": _range, "tab": _tab, "colon": _colon, "blank": _blank, "quote": _quote,
    "bracket": _bracket, "empty": _empty,
}  # fmt: skip
