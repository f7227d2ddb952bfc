"""Ways to make the real mlagents-learn fail, and what each of them ought to be called."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.end_to_end.forking import Forks

CONFIG = """\
behaviors:
  Ball:
    trainer_type: ppo
    hyperparameters: {batch_size: 32, buffer_size: 128}
    network_settings: {hidden_units: 8, num_layers: 1}
    summary_freq: 100
    max_steps: 400
"""
LONG = CONFIG.replace("max_steps: 400", "max_steps: 100000")
LEARN = Path(sys.executable).with_name("mlagents-learn")
SECONDS = 180
# A failing environment is not started a second time.
AT_ONCE = "--restarts-rate-limit-n=0"
GIGABYTE = 2**30


@dataclass(frozen=True)
class Provocation:
    """One start that fails.

    `cause` is the id of its diagnosis. `shadow` are modules that hide those of the trainer's Python, by their paths;
    `prior` first trains what is then resumed; `before` prepares the folder, in which `results` will be; `limits` are
    limits of the system, `stop` ends a trainer that hangs once its console says so; one that is `alone` is no fork.
    """

    cause: str
    config: str | bytes = CONFIG
    args: Sequence[str] = ()
    wrong: str = ""
    env_args: Sequence[str] = ()
    shadow: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    prior: bool = False
    before: Callable[[Path], object] = lambda folder: None
    limits: Mapping[int, int] = field(default_factory=dict)
    env: str | None = ""
    port_taken: bool = False
    stop: str = ""
    alone: bool = False
    code: int = 1


def changed(old: str, new: str) -> str:
    assert old in CONFIG
    return CONFIG.replace(old, new)


def imported(module: str, code: str) -> dict[str, str]:
    """A module `sitecustomize` that runs code when the trainer imports `module`."""
    lines = "\n".join(f"            {line}" for line in code.splitlines())
    finder = f"""
import sys
class Finder:
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
{lines}
sys.meta_path.insert(0, Finder())
"""
    return {"sitecustomize.py": finder}


def at_export(code: str) -> dict[str, str]:
    """A PyTorch that does this when a model is exported."""
    body = f"import torch\ndef export(*args, **options):\n    {code}\ntorch.onnx.export = export"
    return imported("mlagents.trainers.torch_entities.model_serialization", body)


def missing(module: str, name: str) -> dict[str, str]:
    return {module: f"raise ModuleNotFoundError(\"No module named '{name}'\")"}


# How Windows reads a file without being told its encoding.
AS_WINDOWS = """\
import builtins, io
original = builtins.open
def opened(file, mode="r", buffering=-1, encoding=None, *rest, **more):
    if "b" not in mode and encoding is None and str(file).endswith("c.yaml"):
        encoding = "cp1252"
    return original(file, mode, buffering, encoding, *rest, **more)
builtins.open = io.open = opened
"""
# As with packages from which ML-Agents' own were lost.
NO_TORCH = """\
import pkg_resources
def absent(name):
    raise pkg_resources.DistributionNotFound()
pkg_resources.get_distribution = absent
"""
OLD_METADATA = """\
import importlib.metadata
def absent(*args, **options):
    raise AttributeError("'str' object has no attribute '_key'")
importlib.metadata.entry_points = absent
"""
NO_THREADS = """\
import threading
def start(self):
    raise RuntimeError("can't start new thread")
threading.Thread.start = start
"""
# The process beside Unity goes away when the trainer first asks it for something.
WORKER_LEAVES = """\
import multiprocessing.connection, os
def recv(self):
    if multiprocessing.parent_process():
        os._exit(1)
    return original(self)
original = multiprocessing.connection.Connection.recv
multiprocessing.connection.Connection.recv = recv
"""
REGISTER = "import functools, typing\nfunctools.singledispatch(len).register(typing.Dict[int, int], len)\n"


def checkpoint(folder: Path) -> Path:
    return folder / "results/r/Ball/checkpoint.pt"


def write_status(folder: Path, text: str) -> None:
    path = folder / "results/r/run_logs/training_status.json"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")


def cut(folder: Path) -> None:
    data = checkpoint(folder).read_bytes()
    checkpoint(folder).write_bytes(data[: len(data) // 2])


def damage_replay_buffer(folder: Path) -> None:
    """What SAC experienced before, half of it, for a resume that wants it."""
    config = CONFIG.replace("ppo", "sac").replace("buffer_size: 128", "buffer_size: 128, save_replay_buffer: true")
    (folder / "c.yaml").write_text(config, encoding="utf-8")
    checkpoint(folder).with_name("last_replay_buffer.hdf5").write_bytes(b"half")


def build_of_windows(folder: Path) -> None:
    (folder / "No.x86_64").write_bytes(b"MZ\0\0")
    (folder / "No.x86_64").chmod(0o755)


def build_without_rights(folder: Path) -> None:
    (folder / "No.x86_64").write_text("#!/bin/sh\n", encoding="ascii")
    (folder / "No.x86_64").chmod(0o644)


def write_demonstration(path: Path) -> None:
    """A demonstration of an agent that observes five numbers, written by ML-Agents' own protocol."""
    from google.protobuf.internal.encoder import _EncodeVarint  # type: ignore[import-untyped]
    from mlagents_envs.communicator_objects.agent_info_action_pair_pb2 import AgentInfoActionPairProto
    from mlagents_envs.communicator_objects.brain_parameters_pb2 import BrainParametersProto
    from mlagents_envs.communicator_objects.demonstration_meta_pb2 import DemonstrationMetaProto

    about = DemonstrationMetaProto(api_version=1, demonstration_name="it", number_steps=9, number_episodes=1)
    brain = BrainParametersProto(brain_name="Ball?team=0", is_training=True)
    brain.action_spec.num_continuous_actions = 2
    with path.open("wb") as file:
        for number, message in enumerate([about, brain, *[AgentInfoActionPairProto() for _ in range(9)]]):
            if number > 1:
                message.agent_info.observations.add(shape=[5]).float_data.data.extend([0.0] * 5)
                message.agent_info.done = number == 10
                message.action_info.continuous_actions.extend([0.0, 0.0])
            _EncodeVarint(file.write, message.ByteSize(), True)
            file.write(message.SerializeToString())
            if number == 0:
                file.seek(33)  # where ML-Agents expects what follows the description


def run(case: Provocation, folder: Path, *, build: str, port: int, forks: Forks) -> tuple[int, str]:
    """Start mlagents-learn so that it fails; returns its exit code and its console."""
    folder.mkdir(parents=True)
    config = case.config if isinstance(case.config, bytes) else case.config.encode()
    (folder / "c.yaml").write_bytes(config)
    if case.prior:
        code, console = _started(Provocation("", config=CONFIG), folder, build=build, port=port, forks=forks)
        assert code == 0, console
    case.before(folder)
    for name, text in case.shadow.items():
        (folder / "shadow" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "shadow" / name).write_text(text, encoding="utf-8")
    with socket.socket() as other:
        if case.port_taken:
            other.bind(("127.0.0.1", port))
            other.listen()
        return _started(case, folder, build=build, port=port, forks=forks)


def _started(case: Provocation, folder: Path, *, build: str, port: int, forks: Forks) -> tuple[int, str]:
    path = folder / "console.txt"
    argv = _command(case, folder, build=build, port=port)
    if not (case.alone or case.shadow or case.variables or case.limits or case.stop):
        code = forks.run(argv, folder=folder, console=path)
        return code, path.read_text(encoding="utf-8", errors="replace")
    variables = {**os.environ, "PYTHONUTF8": "1", **case.variables}
    if case.shadow:
        variables["PYTHONPATH"] = str(folder / "shadow")

    def limit() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for what, most in case.limits.items():
            resource.setrlimit(what, (most, most))

    with path.open("wb") as out:
        process = subprocess.Popen(
            argv, cwd=folder, env=variables, stdout=out, stderr=out, start_new_session=True, preexec_fn=limit
        )
        try:
            code = _end(process, path, case.stop)
        finally:
            # Also when it died: its workers and Unity outlive it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return code, path.read_text(encoding="utf-8", errors="replace")


def _command(case: Provocation, folder: Path, *, build: str, port: int) -> list[str]:
    argv = [str(LEARN), str(folder / "c.yaml"), "--run-id=r", f"--results-dir={folder / 'results'}"]
    argv += [f"--base-port={port}", "--seed=1", "--no-graphics", *case.args]
    argv += [] if case.env is None else [f"--env={case.env or build}"]
    asked = [*case.env_args, *([f"--misbehave={case.wrong}"] if case.wrong else [])]
    return [*argv, "--env-args", *asked] if asked else argv


def _end(process: subprocess.Popen[bytes], console: Path, stop: str) -> int:
    if not stop:
        return process.wait(SECONDS)
    from tests.running import eventually

    eventually(lambda: re.search(stop, console.read_text(errors="replace")), seconds=SECONDS, what=stop)
    os.killpg(process.pid, signal.SIGKILL)
    return process.wait()
