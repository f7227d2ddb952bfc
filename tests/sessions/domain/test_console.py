"""What the consoles of all versions of ML-Agents say.

Each transcript under tests/golden/console stands beside the events it must yield. After a wanted change,
MENTOR_REWRITE_GOLDEN=1 in the environment writes the events anew; read the difference before it is kept.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sessions.domain.console import (
    Connected,
    ConsoleEvent,
    Copied,
    EditorWait,
    Exported,
    Failure,
    Interrupted,
    Lesson,
    NewBehavior,
    Restarting,
    Resumed,
    Summary,
    last_failure,
    parse_line,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "console"
PREFIXES = ("", "[INFO] ", "2021-01-05 10:00:30 INFO [stats.py:139] ", "INFO:mlagents.trainers: ")


def as_json(event: ConsoleEvent) -> dict[str, Any]:
    """Numbers that JSON has no word for become text."""
    values = asdict(event).items()
    plain = {
        key: str(value) if isinstance(value, float) and not math.isfinite(value) else value for key, value in values
    }
    return {"event": type(event).__name__, **plain}


@pytest.mark.parametrize("transcript", sorted(GOLDEN.glob("*.log")), ids=lambda path: path.stem)
def test_a_transcript_says_what_we_think_it_says(transcript: Path) -> None:
    lines = transcript.read_text(encoding="utf-8").splitlines()
    said = {
        "events": [as_json(event) for line in lines if (event := parse_line(line)) is not None],
        "failure": last_failure(lines),
    }
    expected = transcript.with_suffix(".json")
    if os.environ.get("MENTOR_REWRITE_GOLDEN"):
        expected.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert said == json.loads(expected.read_text(encoding="utf-8"))


def test_there_are_transcripts() -> None:
    assert len(list(GOLDEN.glob("*.log"))) >= 9


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (
            "[INFO] Ball. Step: 500. Time Elapsed: 6.229 s. Mean Reward: 2.462. Std of Reward: 0.170. Training.",
            Summary("Ball", 500, 6.229, 2.462, 0.17, None, None, True),
        ),
        (
            "[INFO] Ball. Step: 500. Time Elapsed: 6.229 s. No episode was completed since last summary. Not Training.",
            Summary("Ball", 500, 6.229, None, None, None, None, False),
        ),
        (
            "[INFO] A. Step: 5. B. Step: 10. Time Elapsed: 1.000 s. Mean Reward: 0.00. Std of Reward: 0.00. Training.",
            Summary("A. Step: 5. B", 10, 1.0, 0.0, 0.0, None, None, True),
        ),
        ("[INFO] Listening on port 5004. Start training by pressing the Play button.", EditorWait(5004)),
        (
            "[INFO] Connected to Unity environment with package version 2.3.0-exp.3 and communication version 1.5.0",
            Connected("2.3.0-exp.3", "1.5.0"),
        ),
        ("[INFO] Connected new brain: a?team=1?team=2", NewBehavior("a?team=1", 2)),
        ("[INFO] Connected new brain: Ball", NewBehavior("Ball", None)),
        ("[INFO] Exported results/r/B-1/B-1-20.onnx", Exported("B-1", 20, "results/r/B-1/B-1-20.onnx")),
        ("[INFO] Exported results/r/Ball.onnx", Exported("Ball", None, "results/r/Ball.onnx")),
        ("[INFO] Copied a to b/B-7.onnx to a to b/B.onnx.", Copied("B", 7, "a to b/B.onnx")),
        ("[INFO] Copied ... to r/B.onnx.", Copied("B", None, "r/B.onnx")),
        ("[INFO] Ball. Step: 5. Time Elapsed: 1.5 s. Training.", Summary("Ball", 5, 1.5, None, None, None, None, True)),
        ("[INFO] Learning was interrupted. Please wait while the graph is generated.\r", Interrupted()),
        ("[WARNING] Restarting worker[3] after 'Communicator has exited.'", Restarting(3, "Communicator has exited.")),
        ("[WARNING] Restarting worker[0] after 'It took long. See :", Restarting(0, "It took long. See :")),
        ("[INFO] Resuming training from step 3120.", Resumed(3120)),
        (
            "[INFO] Parameter 'p' is in lesson 'L' and has value 'Float: value=4.0'.",
            Lesson("p", "L", "Float: value=4.0"),
        ),
        ("ValueError: invalid literal", Failure("ValueError: invalid literal")),
        ("KeyboardInterrupt", Failure("KeyboardInterrupt")),
        (
            "torch.cuda.OutOfMemoryError: CUDA out of memory.",
            Failure("torch.cuda.OutOfMemoryError: CUDA out of memory."),
        ),
        ("learn.py: error: bad option", Failure("learn.py: error: bad option")),
    ],
)
def test_a_line_says(line: str, event: ConsoleEvent) -> None:
    assert parse_line(line) == event


@pytest.mark.parametrize(
    "line",
    [
        "",
        "   ",
        "[INFO] ",
        "  ml-agents: 1.1.0,",
        "	summary_freq:	500",
        "[INFO] Resuming from results/a/Ball.",
        "[INFO] Hyperparameters for behavior name Ball: ",
        "2026-01-05 10:25:10.303589: I tensorflow/core/util/port.cc:153] oneDNN is on.",
        "Message: 'Ball. Step: 200. Time Elapsed: 1.720 s. Mean Reward: 2.323. Std of Reward: 0.131. Training.'",
        '    logger.info(f"Exported {path}")',
        "The Error: is quoted here",
        "networks.py:91: UserWarning: this is deprecated",
        "[INFO] Resuming training from step ²³.",
        "[INFO] Listening on port 99999999999999999999. Start",
        "INFO: Step: 500. Time Elapsed: 1.0 s Mean Reward: 1.0. Std of Reward: 0.0. Training.",
        "Ball. Step: 99999999999999999999999. Time Elapsed: 1.0 s. Mean Reward: 1.0. Std of Reward: 0.0. Training.",
    ],
)
def test_other_lines_say_nothing(line: str) -> None:
    assert parse_line(line) is None


def test_nan_and_infinity_are_numbers_here() -> None:
    summary = parse_line("[INFO] B. Step: 1. Time Elapsed: 1.0 s. Mean Reward: nan. Std of Reward: -inf. Training.")
    assert isinstance(summary, Summary)
    assert summary.mean_reward is not None
    assert math.isnan(summary.mean_reward)
    assert summary.std_reward == -math.inf


NAMES = st.text(min_size=1, max_size=40).filter(
    lambda name: name == name.strip() and name.isprintable() and " Step: " not in name and "?team=" not in name
)
REWARDS = st.floats(-1e6, 1e6, allow_nan=False)


@given(
    behavior=NAMES,
    step=st.integers(0, 10**12),
    elapsed=st.floats(0, 1e7),
    mean=REWARDS,
    spread=REWARDS,
    group=st.booleans(),
    elo=st.none() | st.floats(0, 3000),
    training=st.booleans(),
)
def test_every_summary_of_today_is_read_back(
    behavior: str, step: int, elapsed: float, mean: float, spread: float, group: bool, elo: float | None, training: bool
) -> None:
    parts = [behavior, f"Step: {step}", f"Time Elapsed: {elapsed:0.3f} s", f"Mean Reward: {mean:0.3f}"]
    parts.append(f"Mean Group Reward: {spread:0.3f}" if group else f"Std of Reward: {spread:0.3f}")
    parts.append("Training" if training else "Not Training")
    parts += [f"ELO: {elo:0.3f}"] if elo is not None else []
    rounded = float(f"{spread:0.3f}")
    assert parse_line("[INFO] " + ". ".join(parts) + ".") == Summary(
        behavior=behavior,
        step=step,
        elapsed_seconds=float(f"{elapsed:0.3f}"),
        mean_reward=float(f"{mean:0.3f}"),
        std_reward=None if group else rounded,
        group_reward=rounded if group else None,
        elo=None if elo is None else float(f"{elo:0.3f}"),
        training=training,
    )


@pytest.mark.parametrize("prefix", PREFIXES)
@given(tail=st.text(max_size=60))
def test_no_text_is_too_odd(prefix: str, tail: str) -> None:
    event = parse_line(prefix + tail)
    assert event is None or isinstance(event, get_args(ConsoleEvent))


HOSTILE = {
    "one letter": "a" * 1_000_000,
    "dotted name": "a." * 500_000,
    "blanks": " " * 1_000_000,
    "steps": " Step: 1. " * 100_000,
    "digits": "B. Step: 1. Time Elapsed: 1.0 s. Mean Reward: " + "1" * 1_000_000,
    "exported": "[INFO] Exported " + "a-" * 500_000 + ".onnx",
    "copied": "[INFO] Copied " + ".onnx to " * 100_000,
    "teams": "?team=1" * 150_000,
    "quotes": "Parameter '" * 90_000,
    "prefix": "INFO:" + "a" * 1_000_000,
    "logger": "INFO:a.b:" * 100_000,
    "time": "2021-01-05 10:00:30 INFO [" + "a" * 1_000_000,
}


@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_megabyte_in_one_line_says_nothing(line: str) -> None:
    assert not isinstance(parse_line(line), Summary)
    assert len(last_failure([line] * 3) or "") < 1000


def traceback(*last: str) -> list[str]:
    return ["Traceback (most recent call last):", '  File "learn.py", line 270, in main', "    run()", *last]


def test_no_traceback_no_failure() -> None:
    assert last_failure(["[INFO] Exported results/a/B-1.onnx", "ValueError: not in a traceback"]) is None
    assert last_failure([]) is None


def test_a_traceback_without_its_end_is_no_failure_yet() -> None:
    assert last_failure(traceback()) is None


def test_any_exception_counts_inside_a_traceback() -> None:
    assert last_failure(traceback("subprocess.TimeoutExpired: it took 5 s")) == "TimeoutExpired: it took 5 s"


def test_a_message_ends_where_the_next_record_begins() -> None:
    lines = traceback("a.B: first", "second", "[INFO] Exported results/a/B-1.onnx")
    assert last_failure(lines) == "B: first second"


def test_the_last_of_a_chain_counts() -> None:
    chain = [
        *traceback("OSError: first"),
        "",
        "During handling of the above exception, another exception occurred:",
        "",
    ]
    assert last_failure(chain + traceback("RuntimeError: second")) == "RuntimeError: second"


def test_a_worker_speaks_only_when_the_main_process_does_not() -> None:
    worker = [
        "[ERROR] UnityEnvironment worker 0: environment raised an unexpected exception.",
        *traceback("OSError: worker"),
    ]
    assert last_failure(worker) == "OSError: worker"
    assert last_failure([*traceback("ValueError: main"), *worker]) == "ValueError: main"


PIECES = [*traceback("x.Y: z"), "", "Process Process-1:", "a: error: b", "\tmore"]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=20)))
@settings(max_examples=200)
@example(["Traceback (most recent call last):"])
def test_a_failure_is_one_short_line(lines: list[str]) -> None:
    failure = last_failure(lines)
    assert failure is None or (failure and len(failure.splitlines()) == 1 and len(failure) <= 300)
