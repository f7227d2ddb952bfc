"""A short connection to a Unity build that reads its behaviors, by the trainer's Python; nothing is trained."""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from sessions.domain.failures import shorten
from sessions.runtime.tails import tail

# A worker's task may take about half a minute.
CONNECTION_SECONDS = 30.0
UNITY_SECONDS = 22
ANSWER_BYTES = 256 * 1024
MOST_BEHAVIORS = 200
# The build runs in a session of its own; it ends with whoever waits for the answer, also when that is killed.
PROGRAM = """
import json, os, sys, threading, traceback
file, port, arguments, folder, seconds = sys.argv[1:]
players = []
# Who ends the players waits for the one that is just being started.
starting = threading.Lock()
def end():
    for player in players:
        if player.poll() is None:
            player.kill()
            player.wait()
def watch():
    sys.stdin.buffer.read()
    with starting:
        end()
        os._exit(1)
threading.Thread(target=watch, daemon=True).start()
answer = {}
try:
    from mlagents_envs import env_utils
    from mlagents_envs.environment import UnityEnvironment
    launch = env_utils.launch_executable
    def launched(*given, **named):
        with starting:
            players.append(launch(*given, **named))
        return players[-1]
    env_utils.launch_executable = launched
    env = UnityEnvironment(
        file_name=file,
        base_port=int(port),
        no_graphics=True,
        timeout_wait=int(seconds),
        additional_args=json.loads(arguments),
        log_folder=folder,
    )
    env.reset()
    for step in range(100):
        if len(env.behavior_specs):
            break
        env.step()
    answer["behaviors"] = [
        {
            "name": name.partition("?")[0],
            "observations": [list(one.shape) for one in spec.observation_specs],
            "continuous": spec.action_spec.continuous_size,
            "discrete": list(spec.action_spec.discrete_branches),
        }
        for name, spec in env.behavior_specs.items()
    ]
    env.close()
except BaseException:
    traceback.print_exc()
finally:
    with starting:
        end()
sys.stdout.write("\\n" + json.dumps(answer) + "\\n")
sys.stdout.flush()
sys.stderr.flush()
os._exit(0)
"""
TOO_LONG = f"The environment did not answer within {CONNECTION_SECONDS:.0f} seconds."


@dataclass(frozen=True)
class Connected:
    """What an environment answered: its behaviors, or one sentence about why there are none.

    A behavior is {"name", "observations": shapes, "continuous": number of actions, "discrete": sizes of branches};
    teams are one behavior. None when there was no answer.
    """

    behaviors: list[dict[str, Any]] | None = None
    sentence: str = ""
    fix: str = ""
    seen: list[str] = field(default_factory=list)


def connect(
    interpreter: str,
    environment: str,
    *,
    arguments: Sequence[str] = (),
    variables: Mapping[str, str],
    seconds: float = CONNECTION_SECONDS,
) -> Connected:
    """Start a build without graphics, read its behaviors and end it, whatever happens; never raises.

    `arguments` are the build's own, `variables` the whole environment of the process. It speaks over a port that the
    system chooses, far from those of trainings.
    """
    with tempfile.TemporaryDirectory(prefix="mentor-connection-", ignore_cleanup_errors=True) as folder:
        told = [environment, str(_free_port()), json.dumps(list(arguments)), folder, str(UNITY_SECONDS)]
        try:
            process = subprocess.Popen(  # noqa: S603
                [interpreter, "-c", PROGRAM, *told],
                cwd=folder,
                env=dict(variables),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            return Connected(sentence=f"The trainer could not be asked: {error.strerror or error}.")
        return _answer(process, seconds, Path(folder))


def _answer(process: subprocess.Popen[bytes], seconds: float, folder: Path) -> Connected:
    """Standard input stays open as long as somebody waits: its end is what ends the build."""
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    stdin, process.stdin = process.stdin, None
    with stdin, process:
        try:
            output, complaint = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _end_all(process)
            return Connected(sentence=TOO_LONG, fix="It may take longer than this to begin; a training waits longer.")
        return _understood(
            output[-ANSWER_BYTES:], complaint[-ANSWER_BYTES:], tail(folder / "Player-0.log", ANSWER_BYTES)
        )


def _end_all(process: subprocess.Popen[bytes]) -> None:
    with suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.Error):
                child.kill()
    process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _understood(output: bytes, complaint: bytes, player: str) -> Connected:
    try:
        behaviors = json.loads(output.decode("utf-8", "replace").strip().splitlines()[-1])["behaviors"]
        return Connected([_behavior(one) for one in behaviors[:MOST_BEHAVIORS]])
    except (ValueError, IndexError, KeyError, TypeError):
        return _failed(f"{output.decode('utf-8', 'replace')}\n{complaint.decode('utf-8', 'replace')}", player)


def _behavior(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": str(told["name"])[:255],
        "observations": [[int(size) for size in shape] for shape in told["observations"]],
        "continuous": int(told["continuous"]),
        "discrete": [int(size) for size in told["discrete"]],
    }


def _failed(text: str, player: str) -> Connected:
    from sessions.domain.diagnosis.explain import diagnose  # which a supervisor would load, and never need
    from sessions.domain.diagnosis.players import read_player_log, with_players
    from sessions.domain.diagnosis.reading import read_console

    log = read_player_log(player, source="Player-0.log")
    found = diagnose(read_console(text), ended=True)
    found = with_players(found, [log]) if found else None
    said = found.title if found else shorten(text.strip().rpartition("\n")[2].strip()) or "It ended without an answer"
    seen = [one.text for one in log.evidence]
    return Connected(
        sentence=f"It could not be connected: {said.rstrip('.')}.", fix=found.fix if found else "", seen=seen
    )
