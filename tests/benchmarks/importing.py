"""How long many runs take to be imported, and to be looked at again.

    python -m tests.benchmarks.importing [--runs 300] [--points 1000]

300 runs of 12 tags of 1,000 points: 3.6 million scalars.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

from mentor_site.options import BASE_DIR
from tests.benchmarks.stage import folder
from tests.benchmarks.tables import say, say_where
from tests.eventfiles import BEGAN, head, record, scalar

TAGS = (
    "Environment/Cumulative Reward", "Environment/Episode Length", "Policy/Entropy", "Policy/Extrinsic Reward",
    "Policy/Learning Rate", "Policy/Epsilon", "Policy/Beta", "Policy/Extrinsic Value Estimate", "Losses/Policy Loss",
    "Losses/Value Loss", "Is Training", "Environment/Lesson Number/height",
)  # fmt: skip


def event_file(points: int, *, began: int = BEGAN) -> bytes:
    """An event file of `points` points of each tag."""
    rows = (scalar(began + n, n * 1000, tag, n / points) for n in range(1, points + 1) for tag in TAGS)
    return head(began) + b"".join(map(record, rows))


def make_runs(place: Path, runs: int, points: int) -> int:
    """Write results folders as ML-Agents leaves them and return how many bytes of events they hold."""
    content = event_file(points)
    start = len(head(BEGAN))
    for number in range(runs):
        # Each has a first record of its own, as files have that were written at different times.
        own = head(BEGAN + number)
        behavior = place / "results" / f"run{number:04}" / "Ball"
        behavior.mkdir(parents=True)
        (behavior / f"events.out.tfevents.{BEGAN + number}.host.{1000 + number}.0").write_bytes(own + content[start:])
    return runs * len(content)


def measured(home: Path, place: Path) -> str:
    """Import a folder in a process of its own; return what that took, and its last line."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "manage.py", "import_results", str(place)],
        cwd=BASE_DIR,
        env={**os.environ, "MENTOR_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        seen: list[tuple[int, float]] = [(0, 0.0)]
        watch = threading.Thread(target=_watch, args=(process.pid, seen))
        watch.start()
        said, _ = process.communicate()
        seconds = time.perf_counter() - began
        watch.join()
    peak, spent = (max(column) for column in zip(*seen, strict=True))
    last = said.strip().splitlines()[-1]
    return f"{seconds:.2f} s, {spent:.2f} s of a core, {peak / 1e6:.0f} MB RSS at most. {last}"


def _watch(pid: int, seen: list[tuple[int, float]]) -> None:
    process = psutil.Process(pid)
    while process.is_running():
        try:
            times = process.cpu_times()
            seen.append((process.memory_info().rss, times.user + times.system))
        except psutil.Error:
            return
        time.sleep(0.02)


def main() -> None:
    """Print how long a cold import and a second look take, with the start of the command, which is told too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--points", type=int, default=1000)
    asked = parser.parse_args()
    say_where()
    with folder() as place:
        nothing = place / "nothing"
        nothing.mkdir()
        measured(place / "var", nothing)  # the first makes the database
        say(f"the command itself: {measured(place / 'var', nothing)}")
        size = make_runs(place, asked.runs, asked.points)
        count = asked.runs * asked.points * len(TAGS)
        say(f"{asked.runs} runs, {count:,} scalars, {size / 1e6:.0f} MB of events")
        for what in ("first import", "second import"):
            say(f"{what}: {measured(place / 'var', place / 'results')}")


if __name__ == "__main__":
    main()
