"""manage.py recover"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from mentor_site import keeping, preparation, restoring
from sessions.domain.trouble import AHEAD, BEHIND, DAMAGED, FOREIGN, GONE
from sessions.errors import MentorError
from sessions.models import Machine
from sessions.selectors.database import database_trouble, file_of_database
from sessions.supervisor.recovering import Rebuilt, known_attempts, recover, unknown_runs


class Command(BaseCommand):
    """Rebuild the history from the run directories."""

    help = (
        "Rebuild the history from the run directories when the database is gone, damaged or older than they are. "
        "A damaged database is set aside, not deleted. What the database knows is left alone, so it may be run "
        "again. Trainings that run are found again and go on. Users come back without password and permissions."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say what would be rebuilt, and change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        home = Path(settings.MENTOR_HOME)
        try:
            with keeping.house_to_ourselves(home):
                if restoring.is_unfinished(home):
                    restoring.finish(home)
                (self._say if options["dry_run"] else self._recover)(home)
        except MentorError as error:
            raise CommandError(f"{error.detail} {error.hint}".strip()) from error

    def _say(self, home: Path) -> None:
        trouble = database_trouble()
        if trouble is not None:
            self.stdout.write(f"{trouble.detail} {'' if trouble is BEHIND else 'A new one would be made.'}".strip())
        found = list(unknown_runs(home, known=known_attempts if trouble is None else lambda _: {}))
        for run, unknown in found:
            numbers = ", ".join(str(one.number) for one in unknown)
            self.stdout.write(f"{run.run_id}: would rebuild attempt {numbers}")
        self.stdout.write(f"{len(found)} sessions would be rebuilt; nothing was changed.")

    def _recover(self, home: Path) -> None:
        self._make_database_usable(home)
        preparation.prepare()
        preparation.discover_trainers()
        machine, _ = Machine.objects.get_or_create(name=settings.MENTOR_MACHINE)
        rebuilt = [self._told(one) for one in recover(home, machine)]
        self.stdout.write(f"{len(rebuilt)} sessions were rebuilt. Start MENTOR: manage.py up")

    def _make_database_usable(self, home: Path) -> None:
        trouble = database_trouble()
        path = file_of_database()
        if trouble is None or trouble is BEHIND:
            return
        if path is None or trouble is AHEAD or trouble not in (DAMAGED, FOREIGN, GONE):
            raise CommandError(f"{trouble.detail} {trouble.hint}")
        connection.close()
        folder = keeping.new_folder_aside(home, "recover")
        keeping.move_database_aside(path, folder)
        call_command("migrate", verbosity=0, interactive=False)
        self.stdout.write(f"{trouble.detail} What was there is now in {folder}.")

    def _told(self, one: Rebuilt) -> Rebuilt:
        attempts = f"attempt {', '.join(map(str, one.attempts))}, " if one.attempts else ""
        self.stdout.write(f"{one.run_id}: {attempts}{one.state or 'not rebuilt'}. {one.note}".strip())
        return one
