"""Lessons without `name`, as ML-Agents' own converter wrote them: `- Lesson0: {…}`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sessions.domain.configuration.formats import nameless
from sessions.domain.yaml_tree import Document, TreePath
from sessions.domain.yaml_trouble import Place

SECTION = "environment_parameters"
# The path of a lesson: the section, its parameter, `curriculum` and a number.
_DEPTH = 4


def with_names(document: Document) -> Document:
    """Return a document whose lessons have names; what was in them is known to stand where it stands."""
    renamed = dict(_nameless_lessons(document.tree))
    if not renamed:
        return document
    parameters = {name: _named(settings) for name, settings in document.tree[SECTION].items()}
    tree = {**document.tree, SECTION: parameters}
    moved = (_moved(document.places, renamed), _moved(document.values, renamed))
    return replace(document, tree=tree, places=moved[0], values=moved[1])


def _nameless_lessons(tree: Any) -> Iterator[tuple[TreePath, str]]:
    parameters = tree.get(SECTION) if isinstance(tree, Mapping) else None
    for parameter, settings in parameters.items() if isinstance(parameters, Mapping) else ():
        lessons = settings.get("curriculum") if isinstance(settings, Mapping) else None
        for number, lesson in enumerate(lessons if isinstance(lessons, list) else ()):
            if nameless(lesson):
                yield (SECTION, str(parameter), "curriculum", str(number)), str(next(iter(lesson)))


def _named(settings: Any) -> Any:
    lessons = settings.get("curriculum") if isinstance(settings, Mapping) else None
    if not isinstance(lessons, list):
        return settings
    return {**settings, "curriculum": [_lesson(one) if nameless(one) else one for one in lessons]}


def _lesson(given: Mapping[Any, Any]) -> dict[str, Any]:
    ((name, inner),) = given.items()
    return {"name": str(name), **inner}


def _moved(places: Mapping[TreePath, Place], renamed: Mapping[TreePath, str]) -> dict[TreePath, Place]:
    moved = {}
    for path, place in places.items():
        lesson = path[:_DEPTH]
        is_inside = lesson in renamed and path[_DEPTH : _DEPTH + 1] == (renamed[lesson],)
        moved[lesson + path[_DEPTH + 1 :] if is_inside else path] = place
    return moved
