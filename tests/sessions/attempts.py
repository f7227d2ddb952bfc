"""An attempt on disk as a trainer leaves it: a console and event files that grow, without any process."""

from __future__ import annotations

import io
from pathlib import Path

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

from sessions.models import Attempt, TrainingSession
from sessions.services.ingest import Ingester
from sessions.services.launching import directory_of

LISTENING = "[INFO] Listening on port 5004. Start training by pressing the Play button in the Unity Editor."
CONNECTED = "[INFO] Connected to Unity environment with package version 3.0.0 and communication version 1.5.0"
NEW_BRAIN = "[INFO] Connected new brain: Ball?team=0"
INTERRUPTED = "[INFO] Learning was interrupted. Please wait while the graph is generated."


def summary(step: int, *, seconds: float = 1.0, reward: str = "1.500", behavior: str = "Ball") -> str:
    """The line of a trainer with this step; `reward` as it is printed, such as nan."""
    head = f"[INFO] {behavior}. Step: {step}. Time Elapsed: {seconds:.3f} s. "
    return f"{head}Mean Reward: {reward}. Std of Reward: 0.250. Training."


def record_of(tag: str, step: int, value: float) -> bytes:
    """One scalar as TensorBoard itself writes it, with its length and both checksums."""
    content = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, simple_value=value)])
    return framed(event_pb2.Event(wall_time=1.7e9 + step, step=step, summary=content).SerializeToString())


def framed(payload: bytes) -> bytes:
    """A payload in TensorBoard's framing."""
    buffer = io.BytesIO()
    RecordWriter(buffer).write(payload)
    return buffer.getvalue()


class OnDisk:
    """The latest attempt of a session and what its trainer writes."""

    def __init__(self, session: TrainingSession) -> None:
        self.session = session
        self.pk = session.attempts.order_by("-number").values_list("pk", flat=True)[0]
        self.directory = directory_of(self.attempt)
        self.directory.path.mkdir(parents=True, exist_ok=True)
        self.results = self.attempt.results

    @property
    def attempt(self) -> Attempt:
        """The attempt as it is stored now."""
        return Attempt.objects.select_related("session__trainer", "session__environment").get(pk=self.pk)

    def ingester(self) -> Ingester:
        """A reader that begins at the stored positions."""
        return Ingester(self.attempt, self.directory)

    def say(self, *lines: str) -> None:
        """Append whole lines to the console."""
        self.write("".join(f"{line}\n" for line in lines).encode())

    def write(self, data: bytes) -> None:
        """Append bytes to the console."""
        with self.directory.console.open("ab") as file:
            file.write(data)

    def append_events(self, data: bytes, *, behavior: str = "Ball", begun: int = 1700000000) -> Path:
        """Append bytes to the event file that was begun at this second, and return it."""
        path = self.results / behavior / f"events.out.tfevents.{begun}.host.1.0"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(data)
        return path

    def save(self, name: str, content: bytes = b"model") -> Path:
        """Write a file below the results folder."""
        path = self.results / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path
