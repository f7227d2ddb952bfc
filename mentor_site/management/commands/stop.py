"""manage.py stop"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mentor_site.ending import stop_trainings
from sessions.domain.states import ENDED, State
from sessions.errors import MentorError
from sessions.models import TrainingSession
from sessions.selectors.machine import system_shape
from sessions.selectors.sessions import session_named
from sessions.services import accounts, stopping

LOOK_SECONDS = 0.25


class Command(BaseCommand):
    """Stop a session."""

    help = "Ask a session to save its model and end, wait for it, and say what was saved."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run_id", nargs="?")
        parser.add_argument("--all", action="store_true", help="Every session that has not ended.")
        parser.add_argument("--kill", action="store_true", help="End it at once, without saving.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["all"] == bool(options["run_id"]):
            raise CommandError("Name a session, or say --all.")
        if options["all"]:
            stop_trainings(None, say=self.stdout.write)
            return
        user = accounts.administrator()
        try:
            session = session_named(options["run_id"], user)
            ask = stopping.request_kill if options["kill"] else stopping.request_stop
            ask(session, by="terminal")
        except MentorError as error:
            raise CommandError(error.detail) from error
        if not system_shape().supervisor_online:
            self.stdout.write("Asked; MENTOR does not run, so it is carried out when it starts again.")
            return
        while State(session.state) not in ENDED:
            time.sleep(LOOK_SECONDS)
            session = TrainingSession.objects.get(pk=session.pk)
        self.stdout.write(f"{session.run_id}: {session.state}. {session.explanation}")
