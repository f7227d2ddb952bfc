"""The files of a run together: the points that TensorBoard's EventAccumulator has of the folder."""

from __future__ import annotations

import logging
import math
import random
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard import data_compat
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.util import tensor_util

from sessions.metrics import events as reading
from sessions.metrics.events import event_files
from sessions.metrics.runs import Run, batches, read_run
from tests.sessions.metrics.written import framed, scalar

TAGS = ("a", "b", "Environment/Cumulative Reward")
SEEDS = st.integers(0, 2**32)
QUICK = settings(max_examples=60, deadline=None)
Row = tuple[int, float, bytes]


@pytest.fixture(autouse=True)
def quiet_tensorboard() -> Iterator[None]:
    """It warns of every restart."""
    logger = logging.getLogger("tensorboard")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)


def row(step: int, wall_time: float, value: float) -> Row:
    return int(step), float(wall_time), struct.pack("<d", value)


def as_read(run: Run) -> dict[str, list[Row]]:
    return {tag: list(map(row, points.steps, points.wall_times, points.values)) for tag, points in run.points.items()}


def as_tensorboard_reads(folder: Path) -> dict[str, list[Row]]:
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    found = {
        tag: [row(one.step, one.wall_time, one.value) for one in accumulator.Scalars(tag)]
        for tag in accumulator.Tags()["scalars"]
    }
    return {tag: rows for tag, rows in found.items() if rows}


def run_of(folder: Path, files: list[list[Event]]) -> Path:
    for number, events in enumerate(files):
        data = framed(*(one.SerializeToString() for one in events))
        (folder / f"events.out.tfevents.{1700000000 + number}.machine.1.0").write_bytes(data)
    return folder


def written(maker: random.Random, *, versions: tuple[str, ...]) -> list[list[Event]]:
    """The files of a run that was stopped and went on from an earlier step now and then, with or without saying so."""
    files, step = [], 0
    for _ in range(maker.randrange(1, 4)):
        version = maker.choice(versions)
        events = [Event(wall_time=1e9, step=step, file_version=version)] if version else []
        if maker.random() < 0.5:
            events.append(Event(wall_time=1e9, step=step, session_log=SessionLog(status=SessionLog.START)))
        for _ in range(maker.randrange(30)):
            step += maker.randrange(3)
            made = Event(wall_time=maker.random() * 2e9, step=step)
            for tag in maker.sample(TAGS, maker.randrange(1, 3)):
                made.summary.value.add(tag=tag, simple_value=maker.choice([maker.gauss(0, 1), math.nan]))
            events.append(made)
            if maker.random() < 0.05:
                step = max(0, step - maker.randrange(20))
                status = maker.choice([SessionLog.START, SessionLog.STOP, SessionLog.CHECKPOINT])
                events.append(Event(step=step, session_log=SessionLog(status=status)))
        files.append(events)
        step = max(0, step - maker.randrange(20))
    return files


@pytest.fixture(params=["singly", "at once"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read every file in one of both ways, however small it is."""
    least = 0 if request.param == "at once" else 1 << 40
    monkeypatch.setattr(reading, "NUMPY_BYTES", least)
    monkeypatch.setattr(reading, "IMPORTED_NUMPY_BYTES", least)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    "versions", [("brain.Event:2",), ("brain.Event:1", "", "x"), ("brain.Event:2", "", "brain.Event:1.5")]
)
@QUICK
@given(SEEDS)
def test_the_points_of_a_run_are_those_of_the_event_accumulator(versions: tuple[str, ...], seed: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = run_of(Path(place), written(random.Random(seed), versions=versions))
        assert as_read(read_run(folder)) == as_tensorboard_reads(folder)


@pytest.mark.usefixtures("way")
@QUICK
@given(SEEDS, st.integers(30, 400))
def test_they_are_the_same_when_the_files_are_read_in_small_pieces(seed: int, limit: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = run_of(Path(place), written(random.Random(seed), versions=("brain.Event:2", "", "brain.Event:1")))
        found = Run()
        for _, batch in batches(event_files(folder), limit_bytes=limit):
            found.take(batch)
        assert as_read(found) == as_read(read_run(folder)) == as_tensorboard_reads(folder)


@pytest.mark.usefixtures("way")
@QUICK
@given(SEEDS, st.integers(1, 4))
def test_of_a_damaged_file_tensorboard_reads_the_beginning_and_we_read_the_rest_as_well(seed: int, wounds: int) -> None:
    maker = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        events = [scalar(tag=maker.choice(TAGS), step=step) for step in range(maker.randrange(2, 60))]
        folder = run_of(Path(place), [[Event(file_version="brain.Event:2"), *events]])
        whole = as_read(read_run(folder))
        (path,) = event_files(folder)
        data = bytearray(path.read_bytes())
        for _ in range(wounds):
            data[maker.randrange(len(data))] ^= 1 << maker.randrange(8)
        path.write_bytes(data)
        ours, theirs = read_run(folder), as_tensorboard_reads(folder)
        for tag, rows in theirs.items():
            assert as_read(ours)[tag][: len(rows)] == rows
        for tag, rows in as_read(ours).items():
            assert set(rows) <= set(whole[tag])


def test_scalars_written_as_tensors_restart_as_others_do(tmp_path: Path) -> None:
    events = [Event(file_version="brain.Event:2")]
    for step in (1, 2, 3):
        made = Event(step=step)
        made.summary.value.add(tag="a").tensor.CopyFrom(tensor_util.make_tensor_proto(0.5))
        events.append(made)
    start = Event(step=2, session_log=SessionLog(status=SessionLog.START))
    folder = run_of(tmp_path, [events, [Event(file_version="brain.Event:2"), start, scalar(tag="a", step=2)]])
    assert list(read_run(folder).points["a"].steps) == [1, 2]


@QUICK
@given(SEEDS)
def test_histograms_are_those_that_tensorboard_draws(seed: int) -> None:
    maker = random.Random(seed)
    event = Event(file_version="brain.Event:2"), Event(wall_time=5.0, step=3)
    histo = event[1].summary.value.add(tag="hist").histo
    histo.min, histo.max = -maker.random(), maker.random()
    histo.bucket_limit.extend(sorted(maker.gauss(0, 1) for _ in range(maker.randrange(9))))
    histo.bucket.extend(maker.choice([0, 0, 1, 2.5]) for _ in histo.bucket_limit)
    shown = tensor_util.make_ndarray(data_compat.migrate_value(event[1].summary.value[0]).tensor)
    with tempfile.TemporaryDirectory() as place:
        (found,) = read_run(run_of(Path(place), [list(event)])).histograms
    assert (found.tag, found.step, found.wall_time) == ("hist", 3, 5.0)
    assert np.array_equal(np.array(found.buckets, np.float32).reshape(-1, 3), shown.reshape(-1, 3))


def test_histograms_of_the_newer_kind_and_texts_are_read_too(tmp_path: Path) -> None:
    made = Event(wall_time=5.0, step=3)
    value = made.summary.value.add(tag="hist")
    value.tensor.CopyFrom(tensor_util.make_tensor_proto([[0.0, 1.0, 2.0], [1.0, 2.0, 5.0]], dtype="float64"))
    value.metadata.plugin_data.plugin_name = "histograms"
    value = made.summary.value.add(tag="Hyperparameters/text_summary")
    value.tensor.CopyFrom(tensor_util.make_tensor_proto(["batch_size:\t64", "ü"]))
    value.metadata.plugin_data.plugin_name = "text"
    run = read_run(run_of(tmp_path, [[Event(file_version="brain.Event:2"), made]]))
    assert list(run.histograms[0].buckets) == [0.0, 1.0, 2.0, 1.0, 2.0, 5.0]
    assert (run.texts[0].text, run.texts[0].step) == ("batch_size:\t64\nü", 3)
    assert not run.points


def test_a_folder_that_is_not_there_is_a_run_without_points(tmp_path: Path) -> None:
    assert read_run(tmp_path / "missing") == Run()
