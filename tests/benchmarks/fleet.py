"""What many sessions cost: 10,000 that ended, and 50 that train while a page follows one of them.

    python -m tests.benchmarks.fleet [--seconds 60] [--ended 10000] [--running 50]

The trainers are the practice trainer, at a pace that leaves the machine room. CPU is that of MENTOR's own processes;
shims, trainers and the browser are not counted. A line's delay is from its bytes in console.log, looked at every 2 ms,
to its text in the document.
"""

from __future__ import annotations

import argparse
import sqlite3
import threading
import time
from pathlib import Path

from tests.benchmarks.rest import cpu_seconds
from tests.benchmarks.stage import open_page, staged
from tests.benchmarks.tables import percentile, say, say_table, say_where, verdict
from tests.running import RunningMentor, eventually

IDLE_PERCENT, BUSY_PERCENT, LINE_MS = 1.0, 50.0, 250.0
LOOK_SECONDS = 0.002
LAST_MS = 2_000.0
CONFIG = "behaviors:\n  Ball:\n    trainer_type: ppo\n    max_steps: 100000000\n    summary_freq: 100\n"
WATCH = """() => {
    const seen = window.seen = { since: Date.now(), lines: {} };
    const read = (node) => {
        const now = Date.now();
        for (const [, step] of node.textContent.matchAll(/Step: (\\d+)\\./g)) seen.lines[step] ??= now;
    };
    new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach(read)))
        .observe(document.querySelector("[data-console-screen]"), { childList: true, subtree: true });
}"""


def fill_history(home: Path, count: int) -> None:
    """Copy the one ended session that is there until there are `count`."""
    database = sqlite3.connect(home / "mentor.sqlite3", timeout=60)
    with database:
        for table, own, key in (
            ("training_trainingsession", "id", "run_id"),
            ("training_attempt", "session_id", "cookie"),
        ):
            columns = [
                row[1] for row in database.execute(f"PRAGMA table_info({table})") if row[1] not in ("id", key, own)
            ]
            rest = ", ".join(f'"{name}"' for name in columns)
            identity = f'"id", "{key}"' if own == "id" else f'"{own}", "{key}"'
            for number in range(2, count + 2):
                database.execute(
                    f"INSERT INTO {table} ({identity}, {rest}) SELECT ?, ?, {rest} FROM {table} WHERE id = 1",
                    (100_000 + number, f"old-{number}"),
                )
    database.close()


def share(mentor: RunningMentor, names: tuple[str, ...], seconds: float) -> dict[str, float]:
    """Watch for a while; return each part's percentage of one core."""
    parts = {name: [process, *process.children(recursive=True)] for name, process in mentor.parts().items()}
    before = {name: cpu_seconds(parts[name]) for name in names}
    start = time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - start
    return {name: 100 * (cpu_seconds(parts[name]) - before[name]) / passed for name in names}


class Writings(threading.Thread):
    """When each summary line of a console appeared in its file, in ms since the epoch."""

    def __init__(self, console: Path) -> None:
        super().__init__(daemon=True)
        self.console = console
        self.at: dict[str, float] = {}
        self.ended = threading.Event()

    def run(self) -> None:
        rest = ""
        with self.console.open("rb") as file:
            file.seek(0, 2)
            while not self.ended.wait(LOOK_SECONDS):
                *lines, rest = (rest + file.read().decode()).split("\n")
                now = time.time() * 1000
                for line in lines:
                    if "Step: " in line:
                        self.at.setdefault(line.split("Step: ")[1].split(".")[0], now)


def lines_late(mentor: RunningMentor, run_id: str, seconds: float) -> tuple[list[float], int]:
    """Follow a session's page; return how late its lines were, in ms, and how many never came."""
    writings = Writings(mentor.home / "runs" / run_id / "attempts" / "1" / "console.log")
    with open_page(mentor, f"/sessions/{run_id}/") as page:
        page.wait_for_timeout(10_000)  # the page has drawn what it came with
        page.evaluate(WATCH)
        writings.start()
        page.wait_for_timeout(seconds * 1000)
        seen = page.evaluate("() => ({ ...window.seen, until: Date.now() })")
        writings.ended.set()
    due = {step: at for step, at in writings.at.items() if seen["since"] + 500 < at < seen["until"] - LAST_MS}
    late = [seen["lines"][step] - at for step, at in due.items() if step in seen["lines"]]
    return late, len(due) - len(late)


def start(mentor: RunningMentor, run_id: str, *, pace: float, max_steps: int) -> None:
    body = {
        "run_id": run_id,
        "config": CONFIG.replace("100000000", str(max_steps)),
        "trainer": "practice",
        "env_args": ["--steps-per-second", str(pace)],
    }
    answer = mentor.ask("POST", "sessions/", body)
    assert answer.get("state") == "queued", answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--ended", type=int, default=10_000)
    parser.add_argument("--running", type=int, default=50)
    parser.add_argument("--pace", type=float, default=150.0, help="steps per second of each training")
    options = parser.parse_args()
    say_where()
    rows: list[list[object]] = []
    with staged(variables={"MENTOR_MAX_PARALLEL": str(options.running)}) as mentor:
        start(mentor, "first", pace=0, max_steps=1000)
        mentor.wait_for("first", "completed")
        fill_history(mentor.home, options.ended)
        time.sleep(15)
        idle = share(mentor, ("supervise",), options.seconds)["supervise"]
        rows.append([f"supervisor, {options.ended} ended", idle, verdict(met=idle < IDLE_PERCENT)])
        names = [f"ball-{number}" for number in range(options.running)]
        for run_id in names:
            start(mentor, run_id, pace=options.pace, max_steps=100_000_000)
        eventually(
            lambda: mentor.ask("GET", "sessions/?state=running&page_size=1")["count"] == options.running,
            seconds=300,
            what="all running",
        )
        time.sleep(10)
        alone = share(mentor, ("web", "worker", "supervise"), options.seconds)
        rows += [[f"{name}, {options.running} running", cpu, ""] for name, cpu in alone.items()]
        rows.append(["together", sum(alone.values()), verdict(met=sum(alone.values()) < BUSY_PERCENT)])
        late, missing = lines_late(mentor, names[0], options.seconds)
        for run_id in names:
            mentor.ask("POST", f"sessions/{run_id}/kill/")
    say_table(["what", "CPU, % of one core", ""], rows)
    high = percentile(late, 0.95)
    figures = [len(late), percentile(late, 0.5), high, max(late), verdict(met=high < LINE_MS)]
    say_table(["lines", "p50 ms", "p95 ms", "max ms", ""], [figures])
    say(f"never shown: {missing}")


if __name__ == "__main__":
    main()
