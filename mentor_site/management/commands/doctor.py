"""manage.py doctor"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.core.management.base import BaseCommand, CommandError

from mentor_site.preparation import prepare
from sessions.selectors.machine import environment_shapes, system_shape, trainer_shapes
from sessions.services import trainers

LOW_DISK_BYTES = 5 * 1024**3

Finding = tuple[str, str, str]


class Command(BaseCommand):
    """Say what is wrong with this machine or set-up."""

    help = "Say what is wrong with this machine or set-up, each finding with its fix. Exit code 1 when something is."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        findings = list(_settings())
        if not any(kind == "error" for kind, _, _ in findings):
            prepare()
            trainers.discover()
            findings += [*_trainers(), *_environments(), *_machine()]
        for kind, what, fix in findings:
            self.stdout.write(f"{kind}: {what}\n  {fix}" if fix else f"{kind}: {what}")
        if any(kind == "error" for kind, _, _ in findings):
            raise CommandError("Something needs mending; see above.")
        self.stdout.write("Nothing is in the way of a training.")


def _settings() -> Iterator[Finding]:
    for message in run_checks():
        yield ("error" if message.level >= ERROR else "warning"), str(message.msg), str(message.hint or "")


def _trainers() -> Iterator[Finding]:
    shapes = trainer_shapes()
    for trainer in shapes:
        if trainer.problem:
            yield "error", f"{trainer.name}: {trainer.problem}", "Set MENTOR_MLAGENTS_LEARN, or register the right one."
    if not any(trainer.kind == "mlagents" and trainer.ok for trainer in shapes):
        fix = "Put mlagents-learn on PATH, set MENTOR_MLAGENTS_LEARN, or register its Python on the trainers page."
        yield "warning", "ML-Agents was not found; only the practice trainer can train.", fix


def _environments() -> Iterator[Finding]:
    for environment in environment_shapes():
        if not environment.ok:
            yield "warning", f"{environment.name}: {environment.problem}", f"Build it again at {environment.path}."


def _machine() -> Iterator[Finding]:
    free = shutil.disk_usage(settings.MENTOR_HOME).free
    if free < LOW_DISK_BYTES:
        yield "warning", f"Only {free / 1024**3:.1f} GB are free for {settings.MENTOR_HOME}.", "Make room or move it."
    if not system_shape().supervisor_online:
        yield "warning", "MENTOR does not run.", "Start it: manage.py up"
