"""What the models of a session say of themselves, as far as a worker has looked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sessions.errors import Missing
from sessions.models import Artifact, ModelInspection, TrainingSession

WAITS = "waits"
READY = "ready"
FAILED = "failed"


@dataclass(frozen=True)
class ModelShape:
    """A model; everything from `size` on is told by the file itself, once `state` is "ready"."""

    id: int
    name: str
    behavior: str
    step: int | None
    state: str = field(metadata={"help": "waits, ready or failed."})
    problem: str = field(default="", metadata={"help": "Why the file says nothing of itself."})
    size: int | None = None
    producer: str = ""
    opset: int | None = field(default=None, metadata={"help": "Of ONNX's own operators."})
    inputs: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    constants: dict[str, list[float]] = field(
        default_factory=dict, metadata={"help": "Outputs that never change, by which ML-Agents describes its models."}
    )
    parameters: int | None = None
    nodes: int | None = None
    metadata: dict[str, str] = field(default_factory=dict)


def models_of(session: TrainingSession) -> list[ModelShape]:
    """Return one model of each behavior, the final or else the newest: those before it have the same form."""
    chosen: dict[str, Artifact] = {}
    for artifact in models_there(session).order_by("behavior", "-final", "-step"):
        chosen.setdefault(artifact.behavior, artifact)
    return _shapes(list(chosen.values()))


def model_of(session: TrainingSession, key: int) -> ModelShape:
    """Return one model by the id of its file; raises Missing."""
    artifact = Artifact.objects.filter(session=session, pk=key, kind="onnx").first()
    if artifact is None:
        raise Missing("There is no such model.")
    return _shapes([artifact])[0]


def models_there(session: TrainingSession) -> Any:
    """Return the rows of the models whose files are there."""
    return Artifact.objects.filter(session=session, kind="onnx", present=True)


def _shapes(artifacts: list[Artifact]) -> list[ModelShape]:
    digests = [one.sha256 for one in artifacts if one.sha256]
    known = {one.sha256: one for one in ModelInspection.objects.filter(sha256__in=digests)}
    return [_shape(one, known.get(one.sha256)) for one in artifacts]


def _shape(artifact: Artifact, seen: ModelInspection | None) -> ModelShape:
    about: dict[str, Any] = {
        "id": artifact.pk,
        "name": artifact.path,
        "behavior": artifact.behavior,
        "step": artifact.step,
    }
    if seen is None or seen.inspected_at is None:
        return ModelShape(**about, state=WAITS)
    if seen.problem:
        return ModelShape(**about, state=FAILED, problem=seen.problem)
    facts = seen.facts
    return ModelShape(
        **about,
        state=READY,
        size=facts["size"],
        producer=f"{facts['producer']} {facts['producer_version']}".strip(),
        opset=facts["opsets"].get("ai.onnx"),
        **{name: facts[name] for name in ("inputs", "outputs", "constants", "parameters", "nodes", "metadata")},
    )
