"""What must be mended before a training can be resumed: a pure function of the files that are there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

WHOLE, BLANK, BROKEN, MISSING = "whole", "blank", "broken", "missing"


@dataclass(frozen=True)
class Shelf:
    """The checkpoint files of one behavior, named within its folder.

    `current` is the one file a resume reads; `others` may take its place, the best first. `distrusted` says why
    `current` is not to be used although it may be whole.
    """

    behavior: str
    others: Sequence[str] = ()
    current: str = "checkpoint.pt"
    distrusted: str = ""


@dataclass(frozen=True)
class Mend:
    """Put `source` in the place of a behavior's checkpoint; None is a blank one, with which it begins at step 0."""

    behavior: str
    source: str | None
    why: str


@dataclass(frozen=True)
class Plan:
    """Either `fresh`, why the whole training begins anew, or what is to be mended before it is resumed."""

    fresh: str = ""
    mends: list[Mend] = field(default_factory=list)


def plan(shelves: Iterable[Shelf], condition: Callable[[str, str], str]) -> Plan:
    """Return what to do before a resume; `condition(behavior, file)` says how a file is.

    It is asked of no more files than needed, as answering reads them whole.
    """
    mends: list[Mend] = []
    broken: list[str] = []
    usable = False
    for shelf in shelves:
        now = condition(shelf.behavior, shelf.current)
        if now == WHOLE and not shelf.distrusted:
            usable = True
            continue
        source = next((name for name in shelf.others if condition(shelf.behavior, name) == WHOLE), None)
        usable = usable or now == WHOLE or source is not None
        broken += [shelf.behavior] if now == BROKEN else []
        mends += [mend] if (mend := _mend(shelf, now, source)) else []
    if usable:
        return Plan(mends=mends)
    return Plan(fresh=f"No checkpoint of {' and '.join(broken)} can be read." if broken else "Nothing was saved.")


def _mend(shelf: Shelf, now: str, source: str | None) -> Mend | None:
    if now == WHOLE:
        return Mend(shelf.behavior, source, shelf.distrusted) if source else None
    if source:
        return Mend(shelf.behavior, source, f"{shelf.current} was {now}")
    if now == BROKEN:
        return Mend(shelf.behavior, None, f"{shelf.current} was broken, and there is no other")
    return Mend(shelf.behavior, None, "it has saved nothing so far") if now == MISSING else None


def is_sound(status: Any) -> bool:
    """Tell whether ML-Agents can go on from the content of a training_status.json, or would end with an error."""
    if not isinstance(status, dict) or not isinstance(status.get("metadata"), dict):
        return False
    return all(isinstance(entry, dict) and _sound(entry) for entry in status.values())


def _sound(entry: dict[str, Any]) -> bool:
    listed = entry.get("checkpoints") or []
    numbers = (entry.get("lesson_num", 0), entry.get("elo", 0.0))
    return (
        isinstance(listed, list)
        and all(isinstance(one, dict) and _names_files(one) for one in listed)
        and all(isinstance(number, (int, float)) for number in numbers)
    )


def _names_files(checkpoint: dict[str, Any]) -> bool:
    further = checkpoint.get("auxillary_file_paths", [])  # ML-Agents' own spelling
    return isinstance(further, list) and all(isinstance(path, str) for path in (checkpoint.get("file_path"), *further))
