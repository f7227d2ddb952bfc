"""manage.py token"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mentor_site.preparation import prepare
from sessions.errors import MentorError
from sessions.services import accounts


class Command(BaseCommand):
    """Print a new API token."""

    help = "Print a new API token and nothing else. It is sent as `Authorization: Token …` and shown only this once."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", help="Whose token; the first administrator's unless named.")

    def handle(self, *args: Any, **options: Any) -> None:
        prepare()
        try:
            user = accounts.user_named(options["user"])
        except MentorError as error:
            raise CommandError(f"{error.detail} {error.hint}") from error
        self.stdout.write(accounts.new_api_token(user))
