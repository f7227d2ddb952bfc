"""What a person is told of a start that is planned, beside what would refuse it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sessions.domain.config import Config, unknown_to
from sessions.domain.configuration.findings import Finding
from sessions.domain.configuration.table import RUN_SECTIONS, SECTIONS
from sessions.models import Trainer

# Of a configuration with more findings, the first are told.
MOST_SENTENCES = 20


def notices(config: Config, trainer: Trainer, *, asked: Mapping[str, Any], in_editor: bool) -> list[str]:
    """Return sentences about a configuration and its trainer; `asked` as `told` takes it."""
    sentences = told(config, asked=asked)
    if config.used != config.given:
        sentences.append("The trainer gets your configuration with the overrides applied; both are kept.")
    unknown = unknown_to(config, trainer.version) if trainer.kind == "mlagents" else []
    others = [one for one in config.warnings if not _is_of_the_session(config, one)]
    sentences += [_with_hint(finding) for finding in [*unknown, *others][:MOST_SENTENCES]]
    if trainer.kind == "mlagents" and in_editor:
        sentences.append("Editor mode: press Play in Unity when MENTOR asks for it.")
    return sentences


def told(config: Config, *, asked: Mapping[str, Any]) -> list[str]:
    """Return sentences about all settings of a configuration that the session decides or takes over; none is left out.

    `asked` has what the start itself says of an option; None or () when it leaves it open.
    """
    sentences = [_with_hint(one) for one in config.warnings if _is_of_the_session(config, one)]
    usual = {key.name: key.default for name in RUN_SECTIONS for key in SECTIONS[name].keys}
    taken, others = [], []
    for name, value in config.defaults.items():
        own = asked.get(name)
        if own in (None, ()) and value != usual[name]:
            taken.append(f"{name} {_word(value)}")
        elif own not in (None, (), value):
            others.append(f"{name} {_word(own)}, not {_word(value)}")
    if taken:
        sentences.append(f"Taken over from the configuration into the session: {', '.join(taken)}.")
    if others:
        sentences.append(f"What was asked for counts, not the configuration: {'; '.join(others)}.")
    return sentences


def _is_of_the_session(config: Config, finding: Finding) -> bool:
    section, _, name = finding.path.partition(".")
    return section in RUN_SECTIONS and name in config.fields


def _with_hint(finding: Finding) -> str:
    return f"{finding.sentence} {finding.hint}".strip()


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
