"""manage.py restore"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from mentor_site import keeping, restoring
from sessions.errors import MentorError


class Command(BaseCommand):
    """Put a backup in its place."""

    help = (
        "Put a backup of manage.py backup in the place of what MENTOR_HOME holds. The whole file is checked before "
        "anything is written. A backup brings users, the secret key and the programs that may be started: restore "
        "only what you trust."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="What manage.py backup has written.")
        parser.add_argument(
            "--force", action="store_true", help="Also where there is a history; that is set aside, not deleted."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        home = Path(settings.MENTOR_HOME)
        try:
            with keeping.house_to_ourselves(home):
                if restoring.is_unfinished(home):
                    restoring.finish(home)
                if restoring.holds_data(home) and not options["force"]:
                    raise CommandError(f"{home} holds a history. With --force it is set aside for the backup.")
                connection.close()
                manifest, aside = restoring.restore(options["file"], home, settings.MENTOR_MACHINE)
        except MentorError as error:
            raise CommandError(f"{error.detail} {error.hint}".strip()) from error
        except OSError as error:
            raise CommandError(f"The backup was not restored: {error}.") from error
        self.stdout.write(f"{len(manifest.files)} files of {manifest.made_at} were restored.")
        self.stdout.write(f"What was there is in {aside}.")
        if manifest.database != "sqlite":
            self.stdout.write(f"Restore the rows with the tool of {manifest.database}, such as pg_restore.")
        if not manifest.with_results:
            self.stdout.write("Consoles, results and reports were not in the backup.")
        self.stdout.write("Start MENTOR: manage.py up. What is newer than the backup: manage.py recover")
