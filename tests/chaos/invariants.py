"""What must hold of every attempt at the end (I2, I4, I5, I6, I8)."""

from __future__ import annotations

import math
import struct
import zlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto import event_pb2

from sessions.domain.states import ENDED, values
from sessions.metrics.codec import unpack
from sessions.models import Attempt, EventFile, PortLease, SeriesChunk, SessionEvent
from sessions.services.launching import directory_of
from tests.chaos.watching import name, unregistered
from tests.running import RunningMentor

Points = dict[tuple[str, str], list[tuple[int, float, float]]]
# The first line of a trainer, which it prints once.
GREETINGS = {"practice": "MENTOR practice trainer:", "mlagents": "Version information:"}


def violations_of(mentor: RunningMentor) -> Iterator[str]:
    """Yield a sentence for everything that does not hold."""
    for attempt in Attempt.objects.select_related("session__trainer", "session__environment").order_by("pk"):
        for sentence in (*_ending(attempt), *_console(mentor, attempt), *_series(attempt), *_model(attempt)):
            yield f"{sentence} ({name(attempt)}, {attempt.state})"
        if wrong := unregistered(attempt):
            yield f"I8 {', '.join(wrong)} was started and is not registered ({name(attempt)})"
    for number in PortLease.objects.values_list("port", flat=True):
        yield f"port {number} was never given back"


def _ending(attempt: Attempt) -> Iterator[str]:
    ends = SessionEvent.objects.filter(attempt=attempt, to_state__in=values(ENDED)).values_list("to_state", flat=True)
    if list(ends) != [attempt.state]:
        yield f"I2 its endings are {list(ends)}"
    directory = directory_of(attempt)
    claim = directory.read_claim()
    if claim is not None and claim.void and directory.console.exists():
        yield "I2 it was void and started"
    if attempt.alarm:
        yield f"an alarm that nothing explains: {attempt.alarm}"


def _console(mentor: RunningMentor, attempt: Attempt) -> Iterator[str]:
    directory = directory_of(attempt)
    if not directory.console.exists():
        return
    printed = directory.console.read_bytes()
    record = directory.read_exit()
    if record is None:
        yield "I4 there is a console and no exit.json"
        return
    here = (len(printed), zlib.crc32(printed))
    stored = (attempt.console_size, attempt.console_crc32)
    if (record.log_size, record.log_crc32) != here or stored != here:
        yield f"I4 the console is {here}, exit.json says {record.log_size, record.log_crc32}, stored is {stored}"
    if attempt.console_offset != len(printed):
        yield f"I4 {attempt.console_offset} of {len(printed)} bytes were understood"
    if through_the_api(mentor, attempt) != printed.decode("utf-8", "replace"):
        yield "I4 the API's parts are not the console"
    greetings = printed.decode("utf-8", "replace").count(GREETINGS[attempt.session.trainer.kind])
    if greetings > 1:
        yield f"I1 its trainer began {greetings} times"


def through_the_api(mentor: RunningMentor, attempt: Attempt) -> str:
    """Return an attempt's console, put together from the parts of the API."""
    text, after = "", 0
    while True:
        path = f"sessions/{attempt.session.run_id}/log/?after={after}&limit=65536&attempt={attempt.number}"
        part = mentor.ask("GET", path)
        text += str(part["text"])
        if part["ended"] or part["next_offset"] == after:
            return text
        after = part["next_offset"]


def results_of(attempt: Attempt) -> Path:
    """Return the results as this attempt left them: a later one that began anew has set them aside."""
    results = attempt.results
    moved = {
        int(path.name.rpartition("-")[2]): path for path in results.parent.glob(f"{results.name}.before-attempt-*")
    }
    return next((moved[number] for number in sorted(moved) if number > attempt.number), results)


def _series(attempt: Attempt) -> Iterator[str]:
    results = results_of(attempt)
    parsed: Points = defaultdict(list)
    for file in EventFile.objects.filter(attempt=attempt).order_by("path"):
        for key, point in points_in(results / file.path, file.behavior):
            parsed[key].append(point)
    for key in set(parsed) | set(stored := stored_points(attempt)):
        if not same(parsed.get(key, []), stored.get(key, [])):
            yield f"I5 {key} has {len(stored.get(key, []))} points, its files have {len(parsed.get(key, []))}"
    known = set(EventFile.objects.filter(attempt__session=attempt.session).values_list("path", flat=True))
    for path in results.glob("*/events.out.tfevents.*"):
        if path.relative_to(results).as_posix() not in known:
            yield f"I5 {path.name} was never read"


def points_in(path: Path, behavior: str) -> Iterator[tuple[tuple[str, str], tuple[int, float, float]]]:
    """Yield the scalars of an event file as TensorBoard's own reader finds them."""
    if not path.stat().st_size:
        return
    for record in RawEventFileLoader(str(path)).Load():
        event = event_pb2.Event.FromString(record)
        for value in event.summary.value:
            if value.HasField("simple_value"):
                yield (behavior, value.tag), (event.step, event.wall_time, value.simple_value)


def stored_points(attempt: Attempt) -> Points:
    """Return the points of the database, but for what MENTOR measured itself, which belongs to no behavior."""
    found: Points = defaultdict(list)
    chunks = SeriesChunk.objects.filter(series__attempt=attempt).exclude(series__behavior="")
    chunks = chunks.select_related("series").order_by("first")
    for chunk in chunks:
        columns = unpack(bytes(chunk.data))
        rows = zip(columns.steps, columns.wall_times, columns.values, strict=True)
        found[chunk.series.behavior, chunk.series.tag] += [(int(s), float(t), float(v)) for s, t, v in rows]
    return found


def same(theirs: list[tuple[int, float, float]], ours: list[tuple[int, float, float]]) -> bool:
    """Compare points bit for bit; a value that is no number equals itself."""
    return [struct.pack("<qdf", *_plain(one)) for one in theirs] == [struct.pack("<qdf", *_plain(one)) for one in ours]


def _plain(point: tuple[int, float, float]) -> tuple[int, float, float]:
    return (*point[:2], math.nan) if math.isnan(point[2]) else point


def _model(attempt: Attempt) -> Iterator[str]:
    if attempt.state != "completed":
        return
    for behavior in attempt.session.behaviors.filter(seen=True):
        if behavior.max_steps and behavior.step < behavior.max_steps:
            yield f"I6 {behavior.name} is at {behavior.step} of {behavior.max_steps}"
        path = results_of(attempt) / f"{behavior.name}.onnx"
        if problem := problem_of_model(path):
            yield f"I6 {path.name}: {problem}"


def problem_of_model(path: Path) -> str:
    """Return why a model cannot be loaded; empty when it can."""
    import onnx

    try:
        onnx.checker.check_model(onnx.load(str(path)))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""
