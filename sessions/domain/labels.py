"""Names that people give to sessions: tags and projects."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST_TAG = 50
MOST_TAGS = 50
LONGEST_PROJECT = 100


def read_tags(text: str) -> list[str]:
    """Read tags separated by commas."""
    return clean_tags(text.split(","))


def clean_tags(tags: Iterable[str]) -> list[str]:
    """Return tags without blanks and doubles, in the order in which they were given, as many as a session may have."""
    cleaned = (_one_line(tag)[:LONGEST_TAG] for tag in tags)
    return list(dict.fromkeys(tag for tag in cleaned if tag))[:MOST_TAGS]


def clean_project(name: str) -> str:
    """Return a project's name in one line; an empty one is no project."""
    return _one_line(name)[:LONGEST_PROJECT]


def _one_line(text: str) -> str:
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
