"""How long a folder of many runs takes to be imported, and to be looked at again: `python -m tests.benchmarks.importing`.

300 runs of 12 tags of 1,000 points: 3.6 million scalars.
"""

from __future__ import annotations

import argparse
import os
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

from mentor_site.options import BASE_DIR
from sessions.domain.crc32c import masked_crc32c
from tests.benchmarks.stage import folder

TAGS = (
    "Environment/Cumulative Reward", "Environment/Episode Length", "Policy/Entropy", "Policy/Extrinsic Reward",
    "Policy/Learning Rate", "Policy/Epsilon", "Policy/Beta", "Policy/Extrinsic Value Estimate", "Losses/Policy Loss",
    "Losses/Value Loss", "Is Training", "Environment/Lesson Number/height",
)  # fmt: skip
BEGAN = 1_700_000_000


def record(payload: bytes) -> bytes:
    """An event as the file holds it."""
    length = struct.pack("<Q", len(payload))
    return b"".join(
        (length, struct.pack("<I", masked_crc32c(length)), payload, struct.pack("<I", masked_crc32c(payload)))
    )


def varint(number: int) -> bytes:
    """A number as protobuf writes it."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def scalar(at: float, step: int, tag: str, value: float) -> bytes:
    """A scalar event, in the words torch's SummaryWriter uses."""
    name = tag.encode()
    told = b"\x0a" + varint(len(name)) + name + b"\x15" + struct.pack("<f", value)
    summary = b"\x0a" + varint(len(told)) + told
    return b"\x09" + struct.pack("<d", at) + b"\x10" + varint(step) + b"\x2a" + varint(len(summary)) + summary


def event_file(points: int, *, began: int = BEGAN) -> bytes:
    """An event file of `points` points of each tag."""
    head = record(b"\x09" + struct.pack("<d", began) + b"\x1a\x0dbrain.Event:2")
    rows = (scalar(began + n, n * 1000, tag, n / points) for n in range(1, points + 1) for tag in TAGS)
    return head + b"".join(map(record, rows))


def make_runs(place: Path, runs: int, points: int) -> int:
    """Write results folders as ML-Agents leaves them and return how many bytes of events they hold."""
    content = event_file(points)
    start = len(record(b"\x09" + struct.pack("<d", 0.0) + b"\x1a\x0dbrain.Event:2"))
    for number in range(runs):
        # Each has a first record of its own, as files have that were written at different times.
        own = record(b"\x09" + struct.pack("<d", BEGAN + number) + b"\x1a\x0dbrain.Event:2")
        behavior = place / "results" / f"run{number:04}" / "Ball"
        behavior.mkdir(parents=True)
        (behavior / f"events.out.tfevents.{BEGAN + number}.host.{1000 + number}.0").write_bytes(own + content[start:])
    return runs * len(content)


def measured(home: Path, place: Path) -> tuple[float, float, str]:
    """Import a folder in a process of its own; seconds, its peak of RSS in MB, and its last line."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "manage.py", "import_results", str(place)],
        cwd=BASE_DIR,
        env={**os.environ, "MENTOR_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        peaks: list[int] = [0]
        watch = threading.Thread(target=_watch, args=(process.pid, peaks))
        watch.start()
        said, _ = process.communicate()
        seconds = time.perf_counter() - began
        watch.join()
    return seconds, max(peaks) / 1e6, said.strip().splitlines()[-1]


def _watch(pid: int, peaks: list[int]) -> None:
    process = psutil.Process(pid)
    while process.is_running():
        try:
            peaks.append(process.memory_info().rss)
        except psutil.Error:
            return
        time.sleep(0.02)


def main() -> None:
    """Print how long a cold import and a second look take, with the start of the command, which is told too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--points", type=int, default=1000)
    asked = parser.parse_args()
    with folder() as place:
        nothing = place / "nothing"
        nothing.mkdir()
        seconds, _, _ = measured(place / "var", nothing)
        print(f"the command itself, with the first migration: {seconds:.2f} s")
        seconds, _, _ = measured(place / "var", nothing)
        print(f"the command itself, nothing to import: {seconds:.2f} s")
        size = make_runs(place, asked.runs, asked.points)
        count = asked.runs * asked.points * len(TAGS)
        print(f"{asked.runs} runs, {count:,} scalars, {size / 1e6:.0f} MB of events")
        for what in ("first import", "second import"):
            seconds, peak, said = measured(place / "var", place / "results")
            print(f"{what}: {seconds:.2f} s, {peak:.0f} MB RSS at most. {said}")


if __name__ == "__main__":
    main()
