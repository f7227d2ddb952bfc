"""manage.py supervise"""

from __future__ import annotations

import logging
import signal
import threading
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from mentor_site.processes import END_WITH_STDIN, when_stdin_ends
from sessions.models import Machine
from sessions.runtime.locks import FileLock
from sessions.supervisor.loop import Supervisor

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0


class Command(BaseCommand):
    """Follow this machine's trainings."""

    help = "Grant slots, follow trainings and store what they write. One per machine; started by manage.py up."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(END_WITH_STDIN, action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        if options["end_with_stdin"]:
            when_stdin_ends(ended.set)
        lock = FileLock(Path(settings.MENTOR_HOME) / "supervisor.lock")
        while not lock.acquire():
            if ended.wait(RETRY_SECONDS):
                return
        try:
            supervise(ended)
        finally:
            lock.release()


def supervise(ended: threading.Event) -> None:
    """Tick until told to end. A database that is locked or gone costs nothing but delay."""
    supervisor: Supervisor | None = None
    while not ended.is_set():
        try:
            if supervisor is None:
                machine, _ = Machine.objects.get_or_create(name=settings.MENTOR_MACHINE)
                supervisor = Supervisor(machine, time.monotonic)
            pause = supervisor.tick()
        except DatabaseError as error:
            logger.warning("The database does not answer (%s); trainings go on, the next look is in a second.", error)
            connection.close()
            supervisor = None
            pause = RETRY_SECONDS
        ended.wait(pause)
