"""manage.py link"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mentor_site.preparation import prepare, sign_in_link
from sessions.errors import MentorError


class Command(BaseCommand):
    """Print a new sign-in link."""

    help = "Print a new one-time sign-in link; earlier unused ones of the same user end."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", help="Whose link; the first administrator's unless named.")
        parser.add_argument("--host", default=settings.MENTOR["MENTOR_HOST"], help="Where MENTOR listens.")
        parser.add_argument("--port", type=int, default=settings.MENTOR["MENTOR_PORT"])

    def handle(self, *args: Any, **options: Any) -> None:
        prepare()
        try:
            self.stdout.write(sign_in_link(options["host"], options["port"], user=options["user"]))
        except MentorError as error:
            raise CommandError(f"{error.detail} {error.hint}") from error
