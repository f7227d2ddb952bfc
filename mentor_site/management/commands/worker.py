"""manage.py worker"""

from __future__ import annotations

import os
import threading
import time
import uuid
from argparse import ArgumentParser
from multiprocessing import Event
from multiprocessing.synchronize import Event as EventOfProcesses
from typing import Any

from django.core.management.base import BaseCommand

from mentor_site.processes import END_WITH_STDIN, when_stdin_ends

PARENT_SECONDS = 1.0
# Less than `up` waits before it kills.
END_SECONDS = 15.0


class Command(BaseCommand):
    """Run short tasks: launches, reports."""

    help = "Run short tasks: launches, reports. Started by manage.py up."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(END_WITH_STDIN, action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        from django_q.brokers import get_broker
        from django_q.conf import Conf

        from mentor_site.cluster import Cluster

        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=end_with_parent)
        ended = Event()
        if options["end_with_stdin"]:
            when_stdin_ends(lambda: end(ended))
        # django-q2's own command keeps a further process that only waits for this one.
        Cluster(ended, Event(), uuid.uuid4(), get_broker(), Conf.TIMEOUT)


def end(ended: EventOfProcesses) -> None:
    """Let the cluster end, and end it if it does not: it would wait for ever for a part that was killed."""
    ended.set()
    time.sleep(END_SECONDS)
    os._exit(1)


def end_with_parent() -> None:
    """End this process when its parent does: django-q2's parts would otherwise go on as orphans.

    A guard, its workers, its pusher and its monitor each look after the process that made them.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_SECONDS)
        os._exit(0)

    threading.Thread(target=watch, name="parent", daemon=True).start()
