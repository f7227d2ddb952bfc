"""Event files as TensorBoard's own writer makes them, and their points as TensorBoard's own reader finds them."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util import tensor_util

from sessions.metrics.events import Batch, Point

NAME = "events.out.tfevents.1700000000.machine.1.0"
TAGS = ("Environment/Cumulative Reward", "Losses/Value Loss", "ü")
DTYPES = {"float": "float32", "double": "float64"}
FLOAT32 = st.floats(width=32)
STEPS = st.integers(-(2**63), 2**63 - 1)
WALL_TIMES = st.floats(0, 2e9, allow_nan=False)
QUICK = settings(max_examples=60, deadline=None)


@st.composite
def event(draw: st.DrawFn) -> Event:
    """An event as some TensorBoard writer would make it, scalars among other things."""
    made = Event(wall_time=draw(WALL_TIMES), step=draw(STEPS))
    for tag in draw(st.lists(st.sampled_from(TAGS), min_size=1, max_size=3, unique=True)):
        kind = draw(st.sampled_from(["simple", "float", "double", "int64", "int32", "text", "image"]))
        value = made.summary.value.add(tag=f"{tag} {kind}")
        if kind == "simple":
            value.simple_value = draw(FLOAT32)
        elif kind in DTYPES:
            value.tensor.CopyFrom(tensor_util.make_tensor_proto(draw(FLOAT32), dtype=DTYPES[kind]))
        elif kind == "text":
            value.tensor.CopyFrom(tensor_util.make_tensor_proto("hyperparameters"))
        elif kind == "image":
            value.image.encoded_image_string = b"\x89PNG"
        else:
            value.tensor.CopyFrom(tensor_util.make_tensor_proto(draw(st.integers(-(2**31), 2**31 - 1)), dtype=kind))
    return made


def framed(*payloads: bytes) -> bytes:
    """The records TensorBoard's own writer makes of these payloads."""
    out = io.BytesIO()
    writer = RecordWriter(out)
    for payload in payloads:
        writer.write(payload)
    return out.getvalue()


def file_of(*events: Event) -> bytes:
    return framed(*(one.SerializeToString() for one in (Event(file_version="brain.Event:2"), *events)))


def scalar(tag: str = TAGS[0], step: int = 1, value: float = 0.5) -> Event:
    made = Event(wall_time=1e9 + step, step=step)
    made.summary.value.add(tag=tag, simple_value=value)
    return made


def written(data: bytes) -> Iterator[Path]:
    """An event file with these bytes, for one test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / NAME
        path.write_bytes(data)
        yield path


def rows(batch: Batch) -> list[Point]:
    """The points of a batch, tag by tag."""
    return [
        Point(tag, *row)
        for tag, points in batch.points.items()
        for row in zip(points.steps, points.wall_times, points.values, strict=True)
    ]


def plain(points: list[Point]) -> dict[str, list[tuple[int, float, str]]]:
    """Points by tag; values as text, so that NaN equals NaN."""
    by_tag: dict[str, list[tuple[int, float, str]]] = {}
    for point in points:
        by_tag.setdefault(point.tag, []).append((point.step, point.wall_time, repr(point.value)))
    return by_tag


def as_tensorboard_reads(path: Path) -> dict[str, list[tuple[int, float, str]]]:
    """The points of EventAccumulator, which keeps everything with a size guidance of 0."""
    accumulator = EventAccumulator(str(path), size_guidance=dict.fromkeys(("scalars", "tensors"), 0))
    accumulator.Reload()
    found = {
        tag: [(one.step, one.wall_time, repr(float(one.value))) for one in accumulator.Scalars(tag)]
        for tag in accumulator.Tags()["scalars"]
    }
    for tag in accumulator.Tags()["tensors"]:
        if "text" not in tag:
            found[tag] = [
                (one.step, one.wall_time, repr(float(tensor_util.make_ndarray(one.tensor_proto))))
                for one in accumulator.Tensors(tag)
            ]
    return found
