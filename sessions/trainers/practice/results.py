"""The results tree: checkpoints while training; configuration, status and timers at the very end, as in mlagents."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from sessions.trainers.practice import console, model
from sessions.trainers.practice.console import Console
from sessions.trainers.practice.errors import TrainerError, UnityTrainerException
from sessions.trainers.practice.learner import Learner
from sessions.trainers.practice.policy import Array

CHECKPOINT = "checkpoint.pt"
STATUS_FORMAT = "0.3.0"
TIMER_FORMAT = "0.1.0"


def replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.new")
    draft.write_bytes(content)
    draft.replace(path)


def encode_state(state: dict[str, Array]) -> bytes:
    """Return arrays as .npz: unlike torch's files it carries no code."""
    stream = io.BytesIO()
    np.savez(stream, **state)
    return stream.getvalue()


def read_state(path: str) -> dict[str, Array]:
    """Return what `encode_state` wrote, or nothing of an archive without arrays.

    Raises FileNotFoundError, or ValueError when it is something else.
    """
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    return {name: array for name, array in arrays.items() if isinstance(array, np.ndarray)}


class Results:
    """The folder of one run id. Paths are put together as mlagents does: relative ones stay relative."""

    def __init__(self, settings: dict[str, Any]) -> None:
        chosen = settings["checkpoint_settings"]
        self.settings = settings
        self.root = os.path.join(chosen["results_dir"], chosen["run_id"])  # noqa: PTH118  (shown as it was given)
        self.status: dict[str, Any] = {}
        self.gauges: dict[str, dict[str, float]] = {}
        self.started = time.time()

    def path(self, *parts: str) -> str:
        return os.path.join(self.root, *parts)  # noqa: PTH118

    def check(self) -> None:
        """Create the folder; raises UnityTrainerException when it is there or missing against the options."""
        chosen = self.settings["checkpoint_settings"]
        resume = chosen["resume"] or chosen["load_model"]
        there = Path(self.root).is_dir()
        if there and not resume and not chosen["force"]:
            raise UnityTrainerException(
                "Previous data from this run ID was found. Either specify a new run ID, use --resume to "
                "resume this run, or use the --force parameter to overwrite existing data."
            )
        if resume and not there:
            raise UnityTrainerException(
                "Previous data from this run ID was not found. Train a new run by removing the --resume flag."
            )
        source = self.source
        if source and not Path(source).is_dir():
            raise UnityTrainerException(
                f"Could not initialize from {source}. Make sure models have already been saved with that run ID."
            )
        Path(self.root, "run_logs").mkdir(parents=True, exist_ok=True)
        if resume:
            self._load_status()

    @property
    def source(self) -> str | None:
        """The run whose models this one begins with, unless it is resumed."""
        chosen = self.settings["checkpoint_settings"]
        if not chosen["initialize_from"] or chosen["resume"]:
            return None
        return os.path.join(chosen["results_dir"], chosen["initialize_from"])  # noqa: PTH118

    def _load_status(self) -> None:
        try:
            text = Path(self.root, "run_logs", "training_status.json").read_text(encoding="utf-8")
        except FileNotFoundError:
            sentence = "Training status file not found. Not all functions will resume properly."
            Console().say(sentence, level="WARNING")
            return
        self.status = json.loads(text)
        if "metadata" not in self.status:
            raise TrainerError("Metadata not found, resuming from an incompatible version of ML-Agents.")

    def checkpoint(self, behavior: str, learner: Learner, reward: float | None, *, keep: int) -> dict[str, Any]:
        """Save weights and model under the current step, and forget those beyond `keep` (0 keeps all)."""
        folder = Path(self.root, behavior)
        folder.mkdir(parents=True, exist_ok=True)
        stem = self.path(behavior, f"{behavior}-{learner.step}")
        state = encode_state(learner.state())
        replace(Path(f"{stem}.pt"), state)
        replace(folder / CHECKPOINT, state)
        replace(Path(f"{stem}.onnx"), model.encode(learner.policy))
        Console().say(f"Exported {stem}.onnx")
        saved = {
            "steps": learner.step,
            "file_path": f"{stem}.onnx",
            "reward": reward,
            "creation_time": time.time(),
            "auxillary_file_paths": [f"{stem}.pt"],
        }
        kept = self.status.setdefault(behavior, {}).setdefault("checkpoints", [])
        kept.append(saved)
        while 0 < keep < len(kept):
            _remove(kept.pop(0), spare=kept)
        return saved

    def finish(self, behavior: str, learner: Learner, reward: float | None, *, keep: int) -> None:
        """Save a last checkpoint, and its model as the behavior's own."""
        saved = self.checkpoint(behavior, learner, reward, keep=keep)
        target = self.path(f"{behavior}.onnx")
        shutil.copyfile(saved["file_path"], target)
        Console().say(f"Copied {saved['file_path']} to {target}.")
        self.status[behavior]["final_checkpoint"] = {**saved, "file_path": target}

    def gauge(self, behavior: str, tag: str, value: float) -> None:
        """Remember a summary's value for timers.json."""
        name = f"{behavior}.{tag}.mean".replace("/", ".").replace(" ", "")
        known = self.gauges.setdefault(name, {"value": value, "min": value, "max": value, "count": 0})
        known.update(value=value, min=min(known["min"], value), max=max(known["max"], value))
        known["count"] += 1

    def close(self) -> None:
        """Write what mlagents writes at the very end."""
        text = yaml.safe_dump(self.settings, sort_keys=False, allow_unicode=True)
        replace(Path(self.root, "configuration.yaml"), text.encode())
        self.status["metadata"] = {
            "stats_format_version": STATUS_FORMAT,
            "mlagents_version": console.VERSION,
            "torch_version": console.TORCH_VERSION,
        }
        for name, content in (("timers", self._timers()), ("training_status", self.status)):
            replace(Path(self.root, "run_logs", f"{name}.json"), json.dumps(content, indent=4).encode())

    def _timers(self) -> dict[str, Any]:
        total = time.time() - self.started
        about = {
            "timer_format_version": TIMER_FORMAT,
            "start_time_seconds": str(int(self.started)),
            "python_version": sys.version.replace("\n", ""),
            "command_line_arguments": " ".join(sys.argv),
            "mlagents_version": console.VERSION,
            "mlagents_envs_version": console.ENVS_VERSION,
            "communication_protocol_version": console.API_VERSION,
            "pytorch_version": console.TORCH_VERSION,
            "numpy_version": np.__version__,
            "end_time_seconds": str(int(time.time())),
        }
        node = {"total": total, "count": 1, "self": total}
        children = {"TrainerController.start_learning": node}
        root = {"total": total, "count": 1, "self": 0.0, "children": children}
        return {"name": "root", "gauges": self.gauges, "metadata": about, **root}


def _remove(old: dict[str, Any], *, spare: list[dict[str, Any]]) -> None:
    """Delete a checkpoint's files, unless a later entry of the same step shares them."""
    shared = {path for one in spare for path in (one["file_path"], *one["auxillary_file_paths"])}
    for path in (old["file_path"], *old["auxillary_file_paths"]):
        if path not in shared:
            Path(path).unlink(missing_ok=True)
