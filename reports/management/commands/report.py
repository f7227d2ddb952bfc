"""manage.py report"""

from __future__ import annotations

import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reports import services
from sessions.models import TrainingSession


class Command(BaseCommand):
    """Build reports."""

    help = "Build the report of each session named and print where it is. Needs no server."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("sessions", nargs="+", metavar="SESSION", help="A run id.")
        parser.add_argument("--format", choices=("html",), default="html")
        parser.add_argument("--output", type=Path, help="A folder to put copies in.")

    def handle(self, *args: Any, **options: Any) -> None:
        for run_id in options["sessions"]:
            session = TrainingSession.objects.filter(run_id=run_id).first()
            if session is None:
                raise CommandError(f"There is no session {run_id}.")
            path = services.build(session).path
            if options["output"]:
                options["output"].mkdir(parents=True, exist_ok=True)
                path = Path(shutil.copy(path, options["output"]))
            self.stdout.write(str(path))
