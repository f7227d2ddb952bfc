"""What MENTOR needs while nothing happens: CPU as a share of one core, and memory, of all its processes.

    python -m tests.benchmarks.rest [--seconds 60] [--settle 10]

A training and its report have gone before, so that everything MENTOR loads is loaded. The browser is not counted.
RSS counts what processes share once for each of them, PSS once in all; PSS is there on Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import time

import psutil

from tests.benchmarks.stage import make_build, open_page, staged, train
from tests.benchmarks.tables import say, say_table, say_where, verdict
from tests.running import RunningMentor, eventually

CPU_PERCENT, MEMORY_MB = 2.0, 400.0
MB = 1e6


def family(mentor: RunningMentor) -> list[psutil.Process]:
    """`up` and everything below it."""
    up = mentor.parts()["up"]
    return [up, *up.children(recursive=True)]


def cpu_seconds(processes: list[psutil.Process]) -> float:
    """Return the time spent so far, that of children which have ended included."""
    return float(sum(sum(process.cpu_times()[:4]) for process in processes))


def memory(processes: list[psutil.Process]) -> tuple[float, float | None]:
    """Return the sums of RSS and PSS in MB; None where the system knows no PSS."""
    rss = sum(process.memory_info().rss for process in processes) / MB
    shares = [getattr(process.memory_full_info(), "pss", None) for process in processes]
    known = [share for share in shares if share is not None]
    return rss, sum(known) / MB if len(known) == len(shares) else None


def rest(mentor: RunningMentor, *, seconds: float) -> tuple[float, float, float | None]:
    """Watch for a while; return the percentage of one core, and RSS and PSS in MB."""
    before, start = cpu_seconds(family(mentor)), time.monotonic()
    time.sleep(seconds)
    processes = family(mentor)
    share = 100 * (cpu_seconds(processes) - before) / (time.monotonic() - start)
    return (share, *memory(processes))


def train_once(mentor: RunningMentor) -> None:
    train(mentor, "before", make_build(mentor.home.parent), max_steps=2000)
    mentor.wait_for("before", "completed", seconds=120)
    eventually(lambda: len(mentor.ask("GET", "reports/")["results"]) > 0, what="the report")


def say_processes(mentor: RunningMentor) -> None:
    """Print what each process takes, to see where the sums come from."""
    names = {process.pid: name for name, process in mentor.parts().items()}
    rows = [
        [names.get(process.pid, f"below {names.get(process.ppid(), '')}"), *memory([process])]
        for process in family(mentor)
    ]
    say_table(["process", "RSS MB", "PSS MB"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long is watched each time")
    parser.add_argument("--settle", type=float, default=10.0, help="how long nothing happens before that")
    options = parser.parse_args()
    say_where()
    rows: list[list[object]] = []
    with staged() as mentor:
        train_once(mentor)
        for name, path in (("none", None), ("the dashboard", "/"), ("an ended session", "/sessions/before/")):
            with open_page(mentor, path) if path else contextlib.nullcontext():
                time.sleep(options.settle)
                cpu, rss, pss = rest(mentor, seconds=options.seconds)
            small = (rss if pss is None else pss) < MEMORY_MB
            rows.append([name, cpu, rss, "" if pss is None else pss, verdict(met=cpu < CPU_PERCENT and small)])
        say_processes(mentor)
    say_table(["open page", "CPU, % of one core", "RSS MB", "PSS MB", ""], rows)
    say(f"targets: under {CPU_PERCENT:.0f} % and under {MEMORY_MB:.0f} MB (PSS where it is known, else RSS)")


if __name__ == "__main__":
    main()
