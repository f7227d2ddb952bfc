"""manage.py diagnose"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sessions.domain.diagnosis.explain import Diagnosis, diagnose
from sessions.domain.diagnosis.players import with_players_words
from sessions.domain.diagnosis.reading import BehaviorReading, Reading, read_console
from sessions.selectors.diagnosis import read_file


class Command(BaseCommand):
    """Explain a console."""

    help = (
        "Explain consoles of mlagents-learn, also ones that MENTOR did not start: which version, how it stands or "
        "ended, and when it failed, why and what helps. Give standard output and standard error in one file."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("consoles", nargs="+", metavar="CONSOLE", help="A text file.")
        parser.add_argument(
            "--exit-code", type=int, metavar="CODE", help="What the trainer of all these consoles ended with, if known."
        )
        parser.add_argument("--json", action="store_true", help="Print a list with one object per console.")

    def handle(self, *args: Any, **options: Any) -> None:
        answers = [_explained(name, options["exit_code"]) for name in options["consoles"]]
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(*answer) for answer in answers], indent=2, ensure_ascii=False))
            return
        for name, reading, diagnosis in answers:
            self.stdout.write("\n".join(_as_text(name, reading, diagnosis)))


def _explained(name: str, code: int | None) -> tuple[str, Reading, Diagnosis | None]:
    reading = read_console(_text(name), code=code)
    source = Path(name).name
    found = diagnose(reading, source=source, ended=bool(code), code=code)
    if found is not None:
        found = with_players_words(found, reading.lines, source=source, first_line=reading.first_line)
    return name, reading, found


def _text(name: str) -> str:
    try:
        return read_file(Path(name))
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror or error}.") from error


def _as_json(name: str, reading: Reading, diagnosis: Diagnosis | None) -> dict[str, Any]:
    return {
        "file": name,
        "version": reading.version,
        "state": reading.state.value,
        "behaviors": [_behavior(one) for one in reading.behaviors],
        "failure": reading.failure,
        "diagnosis": asdict(diagnosis) if diagnosis else None,
    }


def _behavior(one: BehaviorReading) -> dict[str, Any]:
    return {
        "name": one.name,
        "step": one.saved_step if one.step is None else one.step,
        "mean_reward": one.mean_reward,
        "saved_step": one.saved_step,
    }


def _as_text(name: str, reading: Reading, diagnosis: Diagnosis | None) -> list[str]:
    version = f", ML-Agents {reading.version}" if reading.version else ""
    lines = [f"{name}: {reading.state.value.replace('_', ' ')}{version}"]
    for one in map(_behavior, reading.behaviors):
        reward = "" if one["mean_reward"] is None else f", mean reward {one['mean_reward']:g}"
        lines.append(
            f"  {one['name']}: step {one['step']:,}{reward}" if one["step"] is not None else f"  {one['name']}"
        )
    if diagnosis is None:
        return lines
    lines += ["", f"  {diagnosis.title}", f"    Why   {diagnosis.cause}", f"    Do    {diagnosis.fix}"]
    lines += [f"    {one.source}:{one.line}  {one.text}" for one in diagnosis.evidence]
    return [*lines, *(f"    Also  {title}" for title in diagnosis.further), ""]
