"""Event files as ML-Agents writes them, many in little time: one event for each tag at every summary."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sessions.domain.crc32c import masked_crc32c
from sessions.metrics.checksums import checksums, masked

STEPS_BETWEEN = 1_000
BEGUN = 1_700_000_000
TAGS = (
    "Environment/Cumulative Reward",
    "Environment/Episode Length",
    "Losses/Policy Loss",
    "Losses/Value Loss",
    "Policy/Entropy",
    "Policy/Extrinsic Reward",
    "Policy/Extrinsic Value Estimate",
    "Policy/Learning Rate",
    "Policy/Epsilon",
    "Policy/Beta",
    "Policy/Curiosity Reward",
    "Self-play/ELO",
)


def tags(count: int) -> list[str]:
    """Return so many tags, those of ML-Agents first."""
    return [TAGS[number] if number < len(TAGS) else f"Environment/Lesson Number/{number}" for number in range(count)]


def write_runs(folder: Path, *, runs: int, tag_count: int, points: int, seed: int = 1) -> int:
    """Write so many runs of one event file each; return how many bytes they are."""
    maker, size = np.random.default_rng(seed), 0
    for number in range(runs):
        place = folder / f"run-{number:05d}" / "Ball"
        place.mkdir(parents=True)
        data = event_file(tags(tag_count), points, maker)
        (place / f"events.out.tfevents.{BEGUN + number}.machine.1.0").write_bytes(data)
        size += len(data)
    return size


def event_file(names: list[str], points: int, maker: np.random.Generator) -> bytes:
    """Return an event file in which each tag has so many points, with steps from STEPS_BETWEEN on."""
    head = b"\x09" + struct.pack("<d", BEGUN) + b"\x1a\x0dbrain.Event:2"
    length = struct.pack("<Q", len(head))
    first = length + struct.pack("<I", masked_crc32c(length)) + head + struct.pack("<I", masked_crc32c(head))
    return first + b"".join(_rows(names, steps, maker) for steps in _of_equal_length(points))


def _of_equal_length(points: int) -> Iterator[np.ndarray]:
    """The steps, in groups whose varints have the same number of bytes."""
    steps = np.arange(1, points + 1) * STEPS_BETWEEN
    sizes = np.array([(int(step).bit_length() + 6) // 7 for step in steps])
    for size in sorted(set(sizes.tolist())):
        yield steps[sizes == size]


def _rows(names: list[str], steps: np.ndarray, maker: np.random.Generator) -> bytes:
    """All summaries of some steps: a matrix with a summary in each row."""
    width = (int(steps[0]).bit_length() + 6) // 7
    records = []
    for number, name in enumerate(names):
        wall_times = BEGUN + steps / STEPS_BETWEEN + number * 1e-4 + maker.random(len(steps)) * 1e-5
        records.append(_record(name, steps, width, wall_times, maker.standard_normal(len(steps))))
    return np.concatenate(records, axis=1).tobytes()


def _record(name: str, steps: np.ndarray, width: int, wall_times: np.ndarray, values: np.ndarray) -> np.ndarray:
    tag = name.encode()
    value = b"\x0a" + bytes([len(tag)]) + tag + b"\x15"
    middle = b"\x2a" + bytes([len(value) + 6, 0x0A, len(value) + 4]) + value
    shifts = 7 * np.arange(width)
    varint = (steps[:, None] >> shifts & 0x7F | 0x80 * (np.arange(width) < width - 1)).astype(np.uint8)
    columns = (
        np.full((len(steps), 1), 0x09, np.uint8),
        wall_times.astype("<f8")[:, None].view(np.uint8),
        np.full((len(steps), 1), 0x10, np.uint8),
        varint,
        np.tile(np.frombuffer(middle, np.uint8), (len(steps), 1)),
        values.astype("<f4")[:, None].view(np.uint8),
    )
    payload = np.concatenate(columns, axis=1)
    length = struct.pack("<Q", payload.shape[1])
    header = np.frombuffer(length + struct.pack("<I", masked_crc32c(length)), np.uint8)
    starts = np.arange(len(steps)) * payload.shape[1]
    sums = masked(checksums(payload.tobytes(), starts, np.full(len(steps), payload.shape[1])))
    return np.concatenate((np.tile(header, (len(steps), 1)), payload, sums[:, None].view(np.uint8)), axis=1)
