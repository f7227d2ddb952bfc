"""Looking into files of others, each in a process of its own: bounded in time, memory and in what it may answer."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sessions.runtime.launch import PROJECT, shim_environment

INSPECTION_SECONDS = 30.0
ANSWER_BYTES = 256 * 1024
NOT_UNDERSTOOD = "The file cannot be understood."
TOO_LONG = "The file takes too long to be understood."


@dataclass(frozen=True)
class Inspection:
    """What a file says of itself, or one sentence about why it says nothing; `sha256` is empty if it was not read."""

    facts: dict[str, Any]
    problem: str = ""
    sha256: str = ""


def inspect_model(path: Path, *, seconds: float = INSPECTION_SECONDS) -> Inspection:
    """Return what an ONNX model says of itself, as `onnx_facts.read_facts` tells it.

    Raises OSError when no process can be started.
    """
    argv = [sys.executable, "-E", "-s", "-m", "sessions.runtime.onnx_facts", str(path.resolve())]
    with subprocess.Popen(  # noqa: S603
        argv,
        cwd=PROJECT,
        env=shim_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            # Its own output cannot exceed what it keeps of a file, a few hundred kilobytes.
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return Inspection({}, TOO_LONG)
    return _understood(output)


def _understood(output: bytes) -> Inspection:
    try:
        answer = json.loads(output) if len(output) <= ANSWER_BYTES else {}
    except ValueError:
        answer = {}
    facts, problem = answer.get("facts"), answer.get("problem")
    if isinstance(facts, dict):
        return Inspection(facts, "", answer["sha256"])
    return Inspection({}, problem if isinstance(problem, str) and problem else NOT_UNDERSTOOD, answer.get("sha256", ""))
