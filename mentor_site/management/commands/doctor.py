"""manage.py doctor"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.checks import ERROR as CHECK_ERROR
from django.core.checks import run_checks
from django.core.management.base import BaseCommand, CommandError

from mentor_site import facts, findings
from mentor_site.findings import ERROR, WARNING, Finding
from mentor_site.preparation import prepare
from sessions.selectors.machine import environment_shapes, system_shape, trainer_shapes
from sessions.services import trainers


class Command(BaseCommand):
    """Say what is wrong with this machine or set-up."""

    help = (
        "Say what is wrong with this machine or set-up, and where a restart would end trainings; each finding with "
        "why it matters and its fix. Exit code 1 when something is wrong."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        database = list(findings.of_database(facts.trouble_with_database()))
        found = [*_settings(), *database]
        if not database and not any(one.kind == ERROR for one in found):
            found += _prepared()
        for one in found:
            self.stdout.write("\n  ".join(line for line in (f"{one.kind}: {one.what}", one.why, one.fix) if line))
        if any(one.kind == ERROR for one in found):
            raise CommandError("Something needs mending; see above.")
        self.stdout.write("Nothing is in the way of a training.")


def _settings() -> Iterator[Finding]:
    for message in run_checks():
        if message.id != "mentor.E006":  # the database has its own finding
            kind = ERROR if message.level >= CHECK_ERROR else WARNING
            yield Finding(kind, str(message.msg), fix=str(message.hint or ""))


def _prepared() -> Iterator[Finding]:
    if not facts.house_is_up():
        prepare()
    trainers.discover()
    yield from _trainers()
    yield from _environments()
    yield from findings.of_unit(facts.unit())
    yield from findings.of_container(facts.in_container(), facts.first_process())
    yield from findings.of_jobs(facts.attempts_in_jobs())
    yield from findings.of_home(facts.home())
    yield from findings.of_clock(facts.seconds_in_the_future())
    yield from findings.of_ports(facts.ports(), mentor_runs=facts.house_is_up())
    online = system_shape().supervisor_online
    yield from findings.of_parts(facts.running_parts(), online, facts.longest_wait_for_a_launch())


def _trainers() -> Iterator[Finding]:
    shapes = trainer_shapes()
    for trainer in shapes:
        if trainer.problem:
            fix = "Set MENTOR_MLAGENTS_LEARN, or register the right one."
            yield Finding(ERROR, f"{trainer.name}: {trainer.problem}", fix=fix)
    if not any(trainer.kind == "mlagents" and trainer.ok for trainer in shapes):
        fix = "Put mlagents-learn on PATH, set MENTOR_MLAGENTS_LEARN, or register its Python on the trainers page."
        yield Finding(WARNING, "ML-Agents was not found; only the practice trainer can train.", fix=fix)


def _environments() -> Iterator[Finding]:
    for environment in environment_shapes():
        if not environment.ok:
            fix = f"Build it again at {environment.path}."
            yield Finding(WARNING, f"{environment.name}: {environment.problem}", fix=fix)
