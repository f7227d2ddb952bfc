"""manage.py doctor"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mentor_site.doctor import bundle
from mentor_site.doctor.examination import Examination, examine
from mentor_site.doctor.facts.storage import there_is_a_database
from mentor_site.doctor.findings import ERROR, Placed
from sessions.models import TrainingSession


class Command(BaseCommand):
    """Say what is wrong with this machine or set-up."""

    help = (
        "Say what is wrong with this machine or set-up, and where a restart would end trainings; each finding with "
        "why it matters and its fix, and what was looked at and is right. Changes nothing. Exit code 1 when something "
        "is wrong. With --bundle also writes a zip for a bug report, without secrets."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one object with all findings instead.")
        parser.add_argument("--bundle", type=Path, metavar="FILE", help="Write a zip for a bug report to this file.")
        parser.add_argument("--session", metavar="RUN_ID", help="Put this session into the bundle.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["session"] and options["bundle"] is None:
            raise CommandError("--session says what goes into a bundle: give --bundle FILE as well.")
        found = examine()
        self.stdout.write(json.dumps(found.as_json(), indent=2) if options["json"] else "\n".join(_lines(found)))
        if options["bundle"] is not None:
            self._write_bundle(options["bundle"], found, options["session"])
        if found.level == ERROR:
            raise CommandError("Something needs mending; see above.")
        if not options["json"]:
            self.stdout.write("Nothing is in the way of a training.")

    def _write_bundle(self, path: Path, found: Examination, run_id: str | None) -> None:
        session = TrainingSession.objects.filter(run_id=run_id).first() if run_id and there_is_a_database() else None
        if run_id and session is None:
            raise CommandError(f"There is no session {run_id}.")
        try:
            path.expanduser().write_bytes(bundle.build(found, session))
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror or error}.") from error
        self.stderr.write(f"The bundle is in {path}. Look through it before you send it.")


def _lines(found: Examination) -> Iterator[str]:
    subject = ""
    for one in found.findings:
        if one.subject != subject:
            subject = one.subject
            yield f"{subject}"
        yield "\n  ".join(_of(one))


def _of(one: Placed) -> list[str]:
    told = one.what if one.level != "ok" else f"{one.title}: {one.what}"
    return [line for line in (f"{one.level}: {told}", one.why, one.fix) if line]
