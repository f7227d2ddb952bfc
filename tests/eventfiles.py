"""Event files as TensorBoard's writers write them, and folders as trainers leave them."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from sessions.domain.crc32c import masked_crc32c

REWARD = "Environment/Cumulative Reward"
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


def head(at: float) -> bytes:
    """The first record of a file."""
    return record(b"\x09" + struct.pack("<d", at) + b"\x1a\x0dbrain.Event:2")


def points(values: Mapping[str, Sequence[float]], *, began: float = BEGAN, first_step: int = 100) -> bytes:
    """Records of points, one each second and every hundred steps; the first right after `began`."""
    rows = [(number, tag, value) for tag, of in values.items() for number, value in enumerate(of)]
    return b"".join(
        record(scalar(began + number + 1, first_step + 100 * number, tag, value))
        for number, tag, value in sorted(rows, key=lambda row: row[0])
    )


def write_events(
    folder: Path,
    values: Mapping[str, Sequence[float]],
    *,
    began: int = BEGAN,
    writer: str = "host.11",
    number: int = 0,
    first_step: int = 100,
) -> Path:
    """Write an event file into a folder, as old as its last event, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"events.out.tfevents.{began}.{writer}.{number}"
    path.write_bytes(head(began + number / 10) + points(values, began=began, first_step=first_step))
    last = began + max(map(len, values.values()), default=0)
    os.utime(path, (last, last))
    return path


def make_run(
    results: Path,
    run: str,
    behaviors: Sequence[str] = ("Ball",),
    *,
    began: int = BEGAN,
    writer: str = "host.11",
    rewards: Sequence[float] = (0.1, 0.2, 0.3),
    max_steps: int | None = None,
) -> Path:
    """Write a run of ML-Agents 0.24 or later; with `max_steps` also what it writes at its end."""
    place = results / run
    for number, behavior in enumerate(behaviors):
        write_events(place / behavior, {REWARD: rewards}, began=began, writer=writer, number=number)
    if max_steps is not None:
        finish_run(place, behaviors, max_steps, step=100 * len(rewards), at=began + len(rewards))
    return place


def finish_run(place: Path, behaviors: Sequence[str], max_steps: int, *, step: int, at: float) -> None:
    """Write what ML-Agents writes when it ends."""
    goals = "".join(f"  {name}:\n    trainer_type: ppo\n    max_steps: {max_steps}\n" for name in behaviors)
    status = {name: {"final_checkpoint": {"steps": step, "reward": 0.5}} for name in behaviors}
    timers = {
        "name": "root",
        "metadata": {"mlagents_version": "1.1.0", "command_line_arguments": "mlagents-learn a.yaml"},
    }
    (place / "run_logs").mkdir(exist_ok=True)
    for name, text in (
        ("configuration.yaml", f"behaviors:\n{goals}"),
        ("run_logs/training_status.json", json.dumps(status)),
        ("run_logs/timers.json", json.dumps(timers)),
        *((f"{behavior}.onnx", "model") for behavior in behaviors),
        *((f"{behavior}/{behavior}-{step}.onnx", "model") for behavior in behaviors),
    ):
        (place / name).write_text(text, encoding="utf-8")
        os.utime(place / name, (at + 1, at + 1))
