"""The table of settings for people: as Markdown, which docs/configuration.md holds, and as JSON for the editor."""

from __future__ import annotations

from typing import Any

from sessions.domain.configuration.schema import Key, Kind, Section
from sessions.domain.configuration.table import HYPERPARAMETERS, SAMPLERS, SECTIONS, SIGNALS, VERSION


def as_markdown() -> str:
    """Return the tables of all sections."""
    return "\n".join(_section(section) for section in SECTIONS.values())


def as_json() -> dict[str, Any]:
    """Return all sections with their keys, and which section the name of a trainer, signal or sampler stands for."""
    return {
        "version": VERSION,
        "sections": [
            {"name": section.name, "title": section.title, "keys": [key_as_json(key) for key in section.keys]}
            for section in SECTIONS.values()
        ],
        "hyperparameters": {name: section.name for name, section in HYPERPARAMETERS.items()},
        "signals": list(SIGNALS),
        "samplers": list(SAMPLERS),
    }


def key_as_json(key: Key) -> dict[str, Any]:
    """Return what there is to know of a key, in words; `kind` is the name of its Kind in small letters."""
    return {
        "name": key.name,
        "kind": key.kind.name.lower(),
        "value": _value(key),
        "default": _default(key),
        "needed": key.required,
        "choices": list(key.choices) or (["true", "false"] if key.kind is Kind.TRUTH else []),
        "section": key.section,
        "outdated": bool(key.until),
        "help": key.help,
    }


def _section(section: Section) -> str:
    strict = "" if section.strict else "\nML-Agents passes over unknown keys here without a word; MENTOR warns.\n"
    head = f"### {section.title}\n{strict}\n| key | value | default | since | |\n|---|---|---|---|---|\n"
    return head + "".join(f"{_row(key)}\n" for key in section.keys)


def _row(key: Key) -> str:
    until = f" to {key.until}" if key.until else ""
    return f"| `{key.name}` | {_value(key)} | {_default(key)} | {key.since}{until} | {key.help} |"


def _value(key: Key) -> str:
    if key.choices:
        return ", ".join(key.choices)
    limits = key.limits or key.sound
    shown = [key.kind.value, str(limits) if limits is not None and key.kind is not Kind.SECTION else ""]
    shown.append(f"usual {key.usual}" if key.usual is not None else "")
    return "; ".join(part for part in shown if part)


def _default(key: Key) -> str:
    if key.required:
        return "must be given"
    if isinstance(key.default, bool):
        return "true" if key.default else "false"
    if key.default is None:
        return "null" if key.may_be_null else ""
    return f"{key.default:g}" if isinstance(key.default, float) else str(key.default).strip("[]")
