"""What it costs the supervisor to look at what trainings take: CPU of one pass, for 1 and for 50 attempts.

    python -m tests.benchmarks.resources [--attempts 1 50] [--passes 40]

Each attempt has a tree of real processes that rest (a shim, a trainer, two workers, one environment), and the samples
are stored in a SQLite database of their own. No part of MENTOR runs beside it, so a pass is the supervisor's work
alone: reading the process table, storing the points, and the look at the disks.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.stage import folder
from tests.benchmarks.tables import percentile, say, say_table, say_where, verdict

if TYPE_CHECKING:
    from sessions.models import Attempt

# Of one core, for 50 attempts looked at every five seconds.
MOST_PERCENT = 5.0
TREE = """
import subprocess, sys, time
depth = int(sys.argv[1])
children = [subprocess.Popen([sys.executable, "-S", __file__, str(depth - 1)])] if depth else []
if depth == 2:
    children.append(subprocess.Popen([sys.executable, "-S", __file__, "0"]))
print(depth, flush=True)
time.sleep(3600)
"""


@contextlib.contextmanager
def processes(place: Path, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Trees of five processes each, ended with everything below them."""
    import psutil

    script = place / "tree.py"
    script.write_text(TREE, encoding="utf-8")
    roots: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(count):
            root = subprocess.Popen([sys.executable, "-S", str(script), "3"], stdout=subprocess.PIPE)
            assert root.stdout is not None
            for _ in range(5):
                root.stdout.readline()
            roots.append(root)
        yield roots
    finally:
        for root in roots:
            for process in psutil.Process(root.pid).children(recursive=True):
                process.kill()
            root.kill()
            root.communicate()


def make_attempt(number: int, shim: int) -> Attempt:
    """A running session whose shim is this process."""
    from django.contrib.auth.models import User

    from sessions.domain.states import State
    from sessions.models import Attempt
    from sessions.runtime.identity import identity_of
    from sessions.runtime.records import ShimRecord
    from sessions.runtime.rundir import create_once
    from sessions.services.launching import directory_of
    from tests.factories import make_session

    ada, _ = User.objects.get_or_create(username="ada", is_superuser=True)
    session = make_session(owner=ada, state=State.RUNNING, run_id=f"s{number}")
    attempt = Attempt.objects.select_related("session").get(session=session)
    directory = directory_of(attempt)
    directory.path.mkdir(parents=True)
    identity = identity_of(shim)
    assert identity is not None
    create_once(directory.shim_json, asdict(ShimRecord(shim, identity.boot_id, identity.started, shim, 0)))
    return attempt


def measure(attempts: list[Attempt], passes: int) -> tuple[list[float], list[float]]:
    """Return the CPU seconds of each pass over the resources, and of each look at the disks."""
    from sessions.supervisor.reserve import DiskWatch
    from sessions.supervisor.resources import ResourceWatch
    from tests.factories import make_machine

    watch, disks = ResourceWatch(), DiskWatch(make_machine())
    watch.gpus.find()
    looks: list[float] = []
    rounds: list[float] = []
    for number in range(passes):
        for spent, tick in ((looks, watch.tick), (rounds, disks.tick)):
            begin = time.process_time()
            tick(number * 5.0, attempts)
            spent.append(time.process_time() - begin)
    return looks[1:], rounds[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--attempts", type=int, nargs="+", default=[1, 50])
    parser.add_argument("--passes", type=int, default=40)
    options = parser.parse_args()
    with folder() as place:
        os.environ["MENTOR_HOME"] = str(place / "var")
        os.environ["DJANGO_SETTINGS_MODULE"] = "mentor_site.settings"
        (place / "var").mkdir()
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        say_where()
        rows: list[list[object]] = []
        with processes(place, max(options.attempts)) as roots:
            everyone = [make_attempt(number, root.pid) for number, root in enumerate(roots)]
            for count in options.attempts:
                looks, disks = measure(everyone[:count], options.passes)
                mean = sum(looks) / len(looks)
                share = 100 * mean / 5 + 100 * sum(disks) / len(disks) / 2
                slow = percentile(looks, 0.95)
                rows.append([count, 1000 * mean, 1000 * slow, share, verdict(met=share < MOST_PERCENT)])
        say_table(["attempts", "ms a pass", "95th percentile", "% of one core", ""], rows)
        say(f"target: under {MOST_PERCENT:.0f} % of one core for 50 attempts, the look at the disks included")


if __name__ == "__main__":
    main()
