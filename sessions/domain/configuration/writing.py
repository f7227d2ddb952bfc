"""One setting of a configuration written into its text, which else stays as it is: comments, order and blanks."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sessions.domain.configuration.table import SECTIONS
from sessions.domain.yaml_tree import ConfigError, Document, TreePath, parse

USUAL_INDENT = 2
_ORDER = {key.name: number for section in SECTIONS.values() for number, key in enumerate(section.keys)}


def with_setting(text: str, path: TreePath, value: str) -> str:
    """Return the text with one setting changed or added; sections that it needs are added with it.

    `value` is a single word or number as YAML. Raises ConfigError where the text cannot be read, where something on
    the way is no section, and where the setting cannot be written without touching others.
    """
    document = _parsed(text)
    scalar = _scalar(value)
    written = _Text(text.removeprefix("\ufeff"), document).with_setting(path, value.strip())
    try:
        after = _parsed(written).tree
    except ConfigError:
        after = None
    if after != _changed(document.tree, path, scalar):
        raise ConfigError(
            f"{path[-1]} cannot be written here without touching the rest.", hint="Change it in the text."
        )
    return f"\ufeff{written}" if document.has_mark else written


def _parsed(text: str) -> Document:
    # Halves of characters are no UTF-8 and found as such.
    return parse(text.encode("utf-8", "surrogatepass"))


def _scalar(value: str) -> Any:
    """What YAML reads in a value; it must be one word or number, without a comment."""
    tree = _parsed(f"value: {value.strip()}\n").tree
    scalar = tree.get("value") if isinstance(tree, dict) and len(tree) == 1 else None
    if scalar is None or isinstance(scalar, dict | list) or "\n" in value.strip() or " #" in value:
        raise ConfigError("Write one word or one number.")
    return scalar


def _changed(tree: Any, path: TreePath, scalar: Any) -> Any:
    changed = copy.deepcopy(tree) if isinstance(tree, dict) else {}
    at = changed
    for name in path[:-1]:
        inner = at.get(name)
        at[name] = at = inner if isinstance(inner, dict) else {}
    at[path[-1]] = scalar
    return changed


@dataclass
class _Text:
    text: str
    document: Document

    def with_setting(self, path: TreePath, value: str) -> str:
        spans = self.document.spans
        if path in spans:
            if any(len(other) > len(path) and other[: len(path)] == path for other in spans) or spans[path].block:
                raise ConfigError(f"{path[-1]} is a section here.", hint="Change it in the text.")
            return self._instead(path, value)
        parent = next(path[:length] for length in range(len(path) - 1, -1, -1) if path[:length] in spans or not length)
        return self._added(parent, path[len(parent) :], value)

    def _instead(self, path: TreePath, value: str) -> str:
        start, end, _ = self.document.spans[path]
        blank = " " if self.text[max(start - 1, 0) : start] == ":" else ""
        return f"{self.text[:start]}{blank}{value}{self.text[end:]}"

    def _added(self, parent: TreePath, names: TreePath, value: str) -> str:
        section = self._at(parent)
        if section is None:
            return self._into_nothing(parent, names, value)
        if not isinstance(section, dict):
            raise ConfigError(
                f"{parent[-1] if parent else 'The text'} is no section here.", hint="Change it in the text."
            )
        if not self.document.spans[parent].block:
            return self._into_braces(parent, names, value)
        first = next(iter(section))
        indent = self.document.places[(*parent, str(first))].column - 1
        before = self._before(section, names[0])
        if before is None:
            line = self.text.rfind("\n", 0, self.document.spans[parent].start) + 1
            return self._with_lines(line, indent, names, value)
        return self._after((*parent, before), indent, names, value)

    def _at(self, path: TreePath) -> Any:
        tree = self.document.tree
        for name in path:
            tree = next(value for key, value in tree.items() if str(key) == name)
        return tree

    def _before(self, section: dict[Any, Any], name: str) -> str | None:
        """The neighbour above a new key: the last of those that the table names before it; None for the top."""
        names = [str(key) for key in section]
        if name not in _ORDER:
            return names[-1]
        return next((one for one in reversed(names) if _ORDER.get(one, -1) < _ORDER[name]), None)

    def _after(self, path: TreePath, indent: int, names: TreePath, value: str) -> str:
        spans = self.document.spans
        last = max(span.end for other, span in spans.items() if other[: len(path)] == path and not span.block)
        return self._with_lines(self._next_line(len(self.text[:last].rstrip())), indent, names, value)

    def _next_line(self, position: int) -> int:
        found = self.text.find("\n", position)
        return len(self.text) if found < 0 else found + 1

    def _into_nothing(self, parent: TreePath, names: TreePath, value: str) -> str:
        """Lines below a key without a value, or with `null`, which goes."""
        if not parent:
            return self._with_lines(len(self.text), 0, names, value)
        start, end, _ = self.document.spans[parent]
        head = self.text[:start].rstrip(" ")
        indent = self.document.places[parent].column - 1 + self._step()
        cleared = _Text(head + self.text[end:] if end > start else self.text, self.document)
        return cleared._with_lines(cleared._next_line(len(head)), indent, names, value)

    def _into_braces(self, parent: TreePath, names: TreePath, value: str) -> str:
        start = self.document.spans[parent].start
        inner = f"{': {'.join(names)}: {value}{'}' * (len(names) - 1)}"
        ends = [span.end for path, span in self.document.spans.items() if path[:-1] == parent and path != parent]
        at, comma = (max(ends), ", ") if ends else (start + 1, "")
        return f"{self.text[:at]}{comma}{inner}{self.text[at:]}"

    def _with_lines(self, position: int, indent: int, names: Sequence[str], value: str) -> str:
        step = self._step()
        ending = "\r\n" if "\r\n" in self.text else "\n"
        heads = [f"{' ' * (indent + step * depth)}{name}:" for depth, name in enumerate(names)]
        lines = ending.join(heads) + f" {value}"
        before, after = self.text[:position], self.text[position:]
        gap = ending if before and not before.endswith("\n") else ""
        return f"{before}{gap}{lines}{ending}{after}"

    def _step(self) -> int:
        """How far this text goes in for each level."""
        places = self.document.places
        steps = (
            place.column - places[path[:-1]].column
            for path, place in places.items()
            if path[:-1] in places and place.line > places[path[:-1]].line
        )
        return next((step for step in steps if step > 0), USUAL_INDENT)
