"""Which name was meant, when one is unknown."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from sessions.domain.configuration.schema import Section
from sessions.domain.configuration.table import ALL_HYPERPARAMETERS, BEHAVIOR, SECTIONS

_ARTICLES = {"behavior": "a behavior", "lesson": "a lesson", "sampler": "a sampler", "curriculum": "a curriculum"}
_MOST_LISTED = 15
# Longer than any key with any mistake in it.
_LONGEST = 60


def spoken(section: Section) -> str:
    """Return what a section is called in a sentence."""
    return _ARTICLES.get(section.name, section.name)


def meant(word: str, section: Section) -> str | None:
    """Return the key of a section that was surely meant by a word, or None."""
    if len(word) > _LONGEST:
        return None
    for key in section.keys:
        if word in key.also_called:
            return key.name
    close = difflib.get_close_matches(word.lower(), section.current, n=1, cutoff=0.6)
    return close[0] if close else None


def suggestion(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return `Did you mean …?` for a slip of the finger, else the words there are."""
    choices = list(known)
    close = difflib.get_close_matches(word[:_LONGEST].lower(), choices, n=1, cutoff=cutoff)
    return f"Did you mean {close[0]}?" if close else f"There are {', '.join(choices[:_MOST_LISTED])}."


def key_hint(word: str, section: Section) -> str:
    """Return what to do about a key that a section does not know."""
    elsewhere = _home(word, section)
    if elsewhere and word not in section.names:
        return f"{word} belongs under {elsewhere}."
    close = meant(word, section)
    return f"Did you mean {close}?" if close else suggestion(word, section.current)


def misspelt(name: str, given: Iterable[Any], section: Section) -> Any | None:
    """Return the unknown key that was meant to be `name`, or None."""
    return next((key for key in given if key not in section.names and meant(str(key), section) == name), None)


def _home(word: str, section: Section) -> str | None:
    if word in ALL_HYPERPARAMETERS:
        return None if section.name.startswith("hyperparameters") else "hyperparameters"
    homes = [one for one in SECTIONS.values() if word in one.current and one is not section]
    if len(homes) != 1:
        return None
    return "the behavior" if homes[0] is BEHAVIOR else homes[0].name
