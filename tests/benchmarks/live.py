"""How late a page is: from a printed line to the DOM, and from a flushed summary to the chart.

    python -m tests.benchmarks.live [--seconds 60]

The real mlagents-learn trains while Chromium follows the session's page; once with an environment that takes its
time, once at full speed. Both clocks are the machine's: a line carries the time at which it was printed, a summary
the time that TensorBoard stored with it just before flushing.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mentor_site.options import BASE_DIR
from tests.benchmarks.stage import ENDLESS, REWARD, open_page, staged, train
from tests.benchmarks.tables import percentile, say, say_table, say_where, verdict
from tests.running import RunningMentor, eventually

if TYPE_CHECKING:
    from playwright.sync_api import Page

LINE_MS, POINT_MS = 150, 500
STAMP = re.compile(r"^stamp (\d+) ([\d.]+)$", re.MULTILINE)
LAST_MS = 3_000.0  # what is younger than this at the end may still be on its way
# A line counts once its text is in the document; a point once Plotly has drawn it.
WATCH = """() => {
    const first = (seen, key, now) => { seen[key] ??= now; };
    const seen = window.seen = { since: Date.now(), lines: {}, points: {} };
    const read = (node) => {
        const now = Date.now();
        for (const [, number] of node.textContent.matchAll(/stamp (\\d+) [\\d.]+/g)) first(seen.lines, number, now);
    };
    new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach(read)))
        .observe(document.querySelector("[data-console-screen]"), { childList: true, subtree: true });
    const chart = document.querySelector("[data-chart]");
    chart.on("plotly_afterplot", () => {
        const now = Date.now();
        for (const step of chart.data[0].x) first(seen.points, step, now);
    });
    for (const step of chart.data[0].x) first(seen.points, step, 0);
}"""


@dataclass
class Delays:
    """In ms; and what should have come and did not."""

    lines: list[float] = field(default_factory=list)
    points: list[float] = field(default_factory=list)
    missing: int = 0


def make_talkative_build(place: Path) -> Path:
    build = place / "Talkative.x86_64"
    words = ["exec", "env", f"PYTHONPATH={BASE_DIR}", sys.executable, "-m", "tests.benchmarks.talkative_build"]
    build.write_text(f'#!/bin/sh\n{shlex.join(words)} "$@"\n', encoding="utf-8")
    build.chmod(0o755)
    return build


def follow(mentor: RunningMentor, run_id: str, *, delay_ms: int, summary_freq: int, seconds: float) -> Delays:
    """Train for a while with a page open, and return how late everything was."""
    log = mentor.home / "runs" / run_id / "attempts" / "1" / "console.log"
    env_args = (f"--console={log}", f"--delay={delay_ms}")
    train(
        mentor,
        run_id,
        make_talkative_build(mentor.home.parent),
        env_args=env_args,
        summary_freq=summary_freq,
        max_steps=ENDLESS,
    )
    with open_page(mentor, f"/sessions/{run_id}/") as page:
        drawn = "() => document.querySelector('[data-chart]').data?.[0]?.x.length > 2"
        eventually(lambda: page.evaluate(drawn), seconds=90, what="the first points")
        page.evaluate(WATCH)
        page.wait_for_timeout(seconds * 1000)
        delays = read_delays(mentor, run_id, log, page)
    mentor.ask("POST", f"sessions/{run_id}/stop/")
    mentor.wait_for(run_id, "stopped", "failed", "lost")
    return delays


def read_delays(mentor: RunningMentor, run_id: str, log: Path, page: Page) -> Delays:
    seen = page.evaluate("() => ({ ...window.seen, until: Date.now() })")
    stamps = [(number, 1000 * float(at)) for number, at in STAMP.findall(log.read_text(encoding="utf-8"))]
    path = f"sessions/{run_id}/metrics/?tag={REWARD}&behavior=Ball&points=100000"
    series = mentor.ask("GET", path)["series"][0]
    summaries = [(str(step), 1000 * at) for step, at in zip(series["steps"], series["wall_times"], strict=True)]
    delays = Delays()
    for written, shown, kept in ((stamps, seen["lines"], delays.lines), (summaries, seen["points"], delays.points)):
        due = [(key, at) for key, at in written if seen["since"] < at < seen["until"] - LAST_MS]
        kept += [shown[key] - at for key, at in due if key in shown]
        delays.missing += sum(key not in shown for key, _ in due)
    return delays


def rows_of(load: str, delays: Delays) -> list[list[object]]:
    rows: list[list[object]] = []
    for what, values, target in (("line", delays.lines, LINE_MS), ("summary", delays.points, POINT_MS)):
        high = percentile(values, 0.95)
        figures = [percentile(values, 0.5), high, max(values)]
        rows.append([what, load, len(values), *figures, f"< {target}", verdict(met=high < target)])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each load is followed")
    seconds = parser.parse_args().seconds
    say_where()
    rows: list[list[object]] = []
    missing = 0
    loads = {"paced, 20 ms a step": (20, 600), "full speed": (0, 2000)}
    with staged() as mentor:
        for number, (load, (delay_ms, summary_freq)) in enumerate(loads.items()):
            delays = follow(mentor, f"live-{number}", delay_ms=delay_ms, summary_freq=summary_freq, seconds=seconds)
            rows += rows_of(load, delays)
            missing += delays.missing
    say_table(["what", "training", "count", "p50 ms", "p95 ms", "max ms", "p95 target", ""], rows)
    say(f"never shown: {missing}")


if __name__ == "__main__":
    main()
