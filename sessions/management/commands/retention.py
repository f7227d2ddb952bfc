"""manage.py retention"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sessions.errors import MentorError
from sessions.services import accounts, retention
from sessions.services.retention import RetentionPlan


class Command(BaseCommand):
    """Keep the history within the rules of retention."""

    help = (
        "Archive, trash and delete what the rules of retention ask for (they are set on the page Retention, and off "
        "until then). With --dry-run nothing is changed, and the rules need not be on."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, and change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["dry_run"]:
                asked = retention.plan(retention.policy(), measure_seconds=float("inf"))
            else:
                asked = retention.run_now(by=accounts.administrator(), seconds=float("inf"))
        except MentorError as error:
            raise CommandError(f"{error.detail} {error.hint}".strip()) from error
        self._say(asked, "would be " if options["dry_run"] else "")

    def _say(self, asked: RetentionPlan, would: str) -> None:
        for one in asked.actions:
            self.stdout.write(f"{one.action:8}{one.frees:>16,} bytes  {one.run_id}: {one.why}")
        for why, count in sorted(asked.kept.items()):
            self.stdout.write(f"kept    {count:>16,} sessions  {why}")
        self.stdout.write(
            f"{asked.frees_now:,} bytes {would}freed now, {asked.frees_later:,} when the trash is emptied; "
            f"{asked.after:,} of {asked.total:,} stay outside the trash."
        )
        if asked.over:
            self.stdout.write(f"That is still {asked.over:,} bytes more than the limit: the rest may not be touched.")
