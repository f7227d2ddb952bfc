"""A behavior's name, corrected in the text of a configuration."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from sessions.domain.yaml_tree import ConfigError, parse

# Less alike than this, it is another behavior rather than a slip of the finger.
ALIKE = 0.6
# Of a name that has another character, nobody knows how YAML reads it without quotes.
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_WORDS_OF_YAML = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}


def renamed(config: bytes, announced: str, *, in_use: Collection[str] = ()) -> bytes | None:
    """Return a configuration in which the behavior that was surely meant has the name that Unity announced.

    That is the only one, or the one whose name is most alike; none that is `in_use`. Everything else stays as it
    stands, comments too. None when there is nothing to rename, or no telling what.
    """
    try:
        document = parse(config)
    except ConfigError:
        return None
    tree = document.tree if isinstance(document.tree, dict) else {}
    behaviors = tree.get("behaviors")
    if not isinstance(behaviors, dict) or announced in behaviors or not announced:
        return None
    free = [str(name) for name in behaviors if str(name) not in in_use]
    old = free[0] if free and len(behaviors) == 1 else _meant(announced, free)
    place = document.places.get(("behaviors", old)) if old else None
    if old is None or place is None:
        return None
    lines = config.decode("utf-8-sig").splitlines(keepends=True)
    line = lines[place.line - 1]
    before, rest = line[: place.column - 1], line[place.column - 1 :]
    written = next((form for form in (old, f'"{old}"', f"'{old}'") if rest.startswith(form)), None)
    if written is None:
        return None
    lines[place.line - 1] = before + _quoted(announced) + rest[len(written) :]
    return "".join(lines).encode()


def _meant(announced: str, names: list[str]) -> str | None:
    by_small = {name.lower(): name for name in reversed(names)}
    close = difflib.get_close_matches(announced.lower(), by_small, n=1, cutoff=ALIKE)
    return by_small[close[0]] if close else None


def _quoted(name: str) -> str:
    if set(name) <= _PLAIN and not name[0].isdigit() and name.lower() not in _WORDS_OF_YAML:
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
