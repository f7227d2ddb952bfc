"""manage.py backup"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from mentor_site.backing_up import make_backup
from sessions.selectors.database import database_trouble


class Command(BaseCommand):
    """Write a backup."""

    help = (
        "Write a backup to a zip file, also while MENTOR runs: the database as it is at one moment, the secret key, "
        "and the small files of every run. The secret key signs sign-ins: keep the file where nobody else can read "
        "it. manage.py restore puts it back."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="The file to write; its name ends in .zip.")
        parser.add_argument("--with-results", action="store_true", help="Consoles, results and reports, too.")
        parser.add_argument("--force", action="store_true", help="Write over a file that is there.")

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path = options["file"].expanduser().absolute()
        if target.suffix.lower() != ".zip":
            raise CommandError("A backup's name ends in .zip.")
        if target.exists() and not options["force"]:
            raise CommandError(f"{target} is there already. Choose another name, or add --force.")
        if (trouble := database_trouble()) is not None:
            raise CommandError(f"No backup was made. {trouble.detail} {trouble.hint}")
        try:
            made = make_backup(target, with_results=options["with_results"])
        except OSError as error:
            raise CommandError(f"No backup was made: {error}.") from error
        for name in made.left_out:
            self.stderr.write(f"Left out, for it could not be read: {name}")
        self.stdout.write(f"{target}: {made.files} files, {made.size / 1e6:.1f} MB")
        self._say_what_is_not_in_it(with_results=options["with_results"])

    def _say_what_is_not_in_it(self, *, with_results: bool) -> None:
        if connection.vendor != "sqlite":
            name = connection.settings_dict["NAME"]
            self.stdout.write(
                "The rows are in PostgreSQL and not in this file. Copy them with its own tool:\n"
                f"  pg_dump --format=custom --file={name}.dump {name}"
            )
        if with_results and (own := settings.MENTOR["MENTOR_RESULTS_DIR"]):
            self.stdout.write(f"Results in {own} are not in this file; copy that folder yourself.")
