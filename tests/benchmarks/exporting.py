"""What an export of many points takes: seconds, and the memory of the process that writes it.

    python -m tests.benchmarks.exporting [--sessions 334] [--points 1000]

A history of its own is made: sessions of 30 tags. Then `manage.py export` writes all of it, once for each format.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from array import array
from pathlib import Path

import psutil

from mentor_site.options import BASE_DIR
from tests.benchmarks.stage import folder
from tests.benchmarks.tables import say, say_table, say_where, verdict

TAGS = 30
MEMORY_MB = 300.0
MB = 1e6
LOOK_SECONDS = 0.05


def make_history(home: Path, *, sessions: int, points: int) -> None:
    """Fill a new database; in a process of its own, as its settings hold for one home."""
    command = [sys.executable, "-m", "tests.benchmarks.exporting", "--make", f"--sessions={sessions}"]
    subprocess.run([*command, f"--points={points}"], env=environ(home), cwd=BASE_DIR, check=True)


def environ(home: Path) -> dict[str, str]:
    return {**os.environ, "MENTOR_HOME": str(home), "DJANGO_SETTINGS_MODULE": "mentor_site.settings"}


def fill(*, sessions: int, points: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import transaction

    from sessions.domain.states import State
    from sessions.metrics.codec import Points
    from sessions.models import Attempt, TrainingSession
    from sessions.services.points import append_columns
    from tests.factories import make_practice_trainer

    call_command("migrate", verbosity=0)
    trainer = make_practice_trainer()
    common = {"trainer": trainer, "config_given": b"", "config_used": b"", "state": State.COMPLETED.value}
    steps = array("q", range(0, 1000 * points, 1000))
    for number in range(sessions):
        wall_times = array("d", (1.7e9 + 60 * number + one for one in range(points)))
        values = array("d", ((one * 7919 % 10_007) / 10_007 for one in range(points)))
        with transaction.atomic():
            session = TrainingSession.objects.create(run_id=f"run-{number}", **common)
            attempt = Attempt.objects.create(session=session, number=1, cookie=f"{number}", state=State.COMPLETED.value)
            column = Points(steps, wall_times, values)
            append_columns({(attempt.pk, "Ball", f"Category/Tag {tag}"): column for tag in range(TAGS)})


def export(home: Path, what: str) -> tuple[float, float, float]:
    """Return seconds, the peak of RSS in MB, and the size of the file in MB."""
    path = home / f"all.{what}"
    command = [sys.executable, "manage.py", "export", "--query", "", "--format", what, "-o", str(path)]
    start, peak = time.monotonic(), 0.0
    with subprocess.Popen(command, env=environ(home), cwd=BASE_DIR) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                peak = max(peak, watched.memory_info().rss / MB)
            except psutil.Error:
                break
            time.sleep(LOOK_SECONDS)
    seconds = time.monotonic() - start
    if process.returncode:
        raise SystemExit(f"The export ended with {process.returncode}.")
    size = path.stat().st_size / MB
    path.unlink()
    return seconds, peak, size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=334, help="each with 30 tags (default: %(default)s)")
    parser.add_argument("--points", type=int, default=1000, help="of each tag (default: %(default)s)")
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        fill(sessions=options.sessions, points=options.points)
        return
    say_where()
    with folder() as home:
        make_history(home, sessions=options.sessions, points=options.points)
        say(f"{options.sessions * TAGS * options.points:,} points in {options.sessions:,} sessions\n")
        rows = [(what, *export(home, what)) for what in ("csv", "json", "parquet")]
    say_table(("format", "seconds", "peak RSS MB", "file MB"), rows)
    most = max(row[2] for row in rows)
    say(f"under {MEMORY_MB:.0f} MB: {verdict(met=most < MEMORY_MB)}")


if __name__ == "__main__":
    main()
