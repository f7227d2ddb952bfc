"""How long a stop takes: from the request to the state stopped, with a model that loads.

    python -m tests.benchmarks.stopping [--stops 5]

The real mlagents-learn is stopped at different moments of its learning, once with MENTOR started as
usual and once with SIGINT ignored, as a shell starts programs in its background.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import onnx

from tests.benchmarks.stage import ENDLESS, make_build, staged, train
from tests.benchmarks.tables import say_table, say_where, verdict
from tests.running import RunningMentor, eventually

STOP_SECONDS = 15.0
STEP_SECONDS = 1.3  # no multiple of what recurs in a training: summaries, updates, checkpoints


def loads(model: Path) -> bool:
    """Tell whether this is a model that a runtime would take."""
    if not model.is_file():
        return False
    onnx.checker.check_model(onnx.load(str(model)))
    return True


def stop(mentor: RunningMentor, run_id: str, *, after: float) -> tuple[float, str, bool]:
    """Stop a training some seconds after its first summary; return the seconds, its state, whether its model loads."""
    train(mentor, run_id, make_build(mentor.home.parent), max_steps=ENDLESS, checkpoint_interval=2000, summary_freq=200)
    until_it_learns(mentor, run_id)
    time.sleep(after)
    start = time.monotonic()
    mentor.ask("POST", f"sessions/{run_id}/stop/")
    state = mentor.wait_for(run_id, "stopped", "completed", "failed", "lost", seconds=200)["state"]
    return time.monotonic() - start, state, loads(mentor.home / "runs" / run_id / "results" / run_id / "Ball.onnx")


def until_it_learns(mentor: RunningMentor, run_id: str) -> None:
    try:
        eventually(lambda: mentor.session(run_id)["step"] > 0, seconds=90, what="the first summary")
    except AssertionError as error:
        explanation = mentor.session(run_id)["explanation"]
        raise SystemExit(f"{error}: {explanation}\n{mentor.console(run_id)[-3000:]}") from None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stops", type=int, default=5, help="of each kind")
    stops = parser.parse_args().stops
    say_where()
    rows: list[list[object]] = []
    for kind, ignore_sigint in (("as usual", False), ("SIGINT ignored", True)):
        with staged(ignore_sigint=ignore_sigint) as mentor:
            for number in range(stops):
                after = number * STEP_SECONDS
                seconds, state, model = stop(mentor, f"stop-{number}", after=after)
                met = state == "stopped" and model and seconds < STOP_SECONDS
                rows.append([kind, after, f"{seconds:.2f}", state, "loads" if model else "none", verdict(met=met)])
    say_table(["MENTOR was started", "after its first summary, s", "stopped in, s", "state", "model", ""], rows)


if __name__ == "__main__":
    main()
