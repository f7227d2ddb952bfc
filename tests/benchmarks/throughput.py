"""What MENTOR costs a training: steps per second of bare mlagents-learn and of the same training under MENTOR.

    python -m tests.benchmarks.throughput [--rounds 5] [--steps 30000] [--watched]

Both kinds take turns in one run, each first in every other round, so that a machine that grows slower or faster
favours neither. The clock is the trainer's own "Time Elapsed", from the first summary after the warm-up to the last:
what happens before and after the training does not count. MENTOR is not running beside the bare one.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
from pathlib import Path
from statistics import median

import psutil

from sessions.domain.console import Summary, parse_line
from tests.benchmarks.stage import CONFIG, folder, make_build, open_page, train
from tests.benchmarks.tables import say, say_table, say_where, verdict
from tests.running import RunningMentor, eventually, free_port, running_mentor

WARM_STEPS = 6_000
LEAST_RATIO = 0.99


def steps_per_second(console: str) -> float:
    """Return the pace between the first summary after the warm-up and the last one."""
    found = [one for line in console.splitlines() if isinstance(one := parse_line(line), Summary)]
    first = next(one for one in found if one.step >= WARM_STEPS)
    assert first.elapsed_seconds is not None
    assert found[-1].elapsed_seconds is not None
    return (found[-1].step - first.step) / (found[-1].elapsed_seconds - first.elapsed_seconds)


def bare(place: Path, name: str, *, steps: int) -> float:
    """Train as a person does in a terminal."""
    config = place / "config.yaml"
    config.write_text(CONFIG.replace("max_steps: 40000", f"max_steps: {steps}"), encoding="utf-8")
    log = place / f"{name}.log"
    learn = [sys.executable, "-m", "mlagents.trainers.learn"]
    options = [f"--run-id={name}", f"--results-dir={place / 'results'}", f"--env={make_build(place)}", "--seed=1"]
    with log.open("wb") as out:
        subprocess.run(
            [*learn, str(config), *options, f"--base-port={free_port()}", "--no-graphics"],
            cwd=place,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            check=True,
        )
    return steps_per_second(log.read_text(encoding="utf-8"))


def under_mentor(place: Path, name: str, *, steps: int, watched: bool) -> float:
    """Train by MENTOR, which is started for it and ended after it."""
    with running_mentor(place / "var") as mentor:
        train(mentor, name, make_build(place), max_steps=steps)
        with open_page(mentor, f"/sessions/{name}/") if watched else contextlib.nullcontext():
            # Asking the API over and over would cost the training more than MENTOR does.
            record = place / "var" / "runs" / name / "attempts" / "1" / "exit.json"
            eventually(record.is_file, seconds=600, what="the end of the training")
            mentor.wait_for(name, "completed", "failed", "lost")
        return finished(mentor, name)


def finished(mentor: RunningMentor, name: str) -> float:
    assert mentor.session(name)["state"] == "completed", mentor.console(name)[-2000:]
    return steps_per_second(mentor.console(name))


def measure(place: Path, *, rounds: int, steps: int, watched: bool) -> list[tuple[float, float]]:
    """Return the pace of the bare training and of MENTOR's, for every round."""
    pairs = []
    for number in range(rounds):
        paces = {}
        for kind in ("bare", "mentor") if number % 2 == 0 else ("mentor", "bare"):
            name = f"{kind}-{number}"
            busy = psutil.getloadavg()[0]
            if kind == "bare":
                paces[kind] = bare(place, name, steps=steps)
            else:
                paces[kind] = under_mentor(place, name, steps=steps, watched=watched)
            say(f"{name}: {paces[kind]:,.0f} steps/s (load before {busy:.1f})")
        pairs.append((paces["bare"], paces["mentor"]))
    return pairs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=30_000, help=f"of each training; {WARM_STEPS} are the warm-up")
    parser.add_argument("--watched", action="store_true", help="with the session's page open in a browser")
    options = parser.parse_args()
    say_where()
    with folder() as place:
        pairs = measure(place, rounds=options.rounds, steps=options.steps, watched=options.watched)
    medians = [median(column) for column in zip(*pairs, strict=True)]
    ratio = medians[1] / medians[0]
    of_pairs = [mentor / alone for alone, mentor in pairs]
    noise = max(alone for alone, _ in pairs) / min(alone for alone, _ in pairs)
    met = min(ratio, median(of_pairs)) >= LEAST_RATIO
    head = ["rounds", "bare, steps/s", "MENTOR, steps/s", "ratio of medians", "median of ratios", "least", "target", ""]
    figures = (f"{value:.3f}" for value in (ratio, median(of_pairs), min(of_pairs)))
    say()
    say_table(head, [[len(pairs), *medians, *figures, f">= {LEAST_RATIO}", verdict(met=met)]])
    if len(pairs) > 1:
        say(f"fastest bare / slowest bare: {noise:.3f}; a ratio cannot be told more exactly than that")


if __name__ == "__main__":
    main()
