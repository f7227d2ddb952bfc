"""A stand-in for a Unity build: balls on tilting platforms, over ML-Agents' own protocol.

Run by the trainer's own Python, from 3.7 on, which has `mlagents_envs` and `grpc`; needs no file of MENTOR but its
neighbour `mischief`. The trainer is the gRPC server, this program the client that calls `Exchange` on
`--mlagents-port`: once to introduce itself, then once per step, until the answer says that the training is over.
Unity's own arguments are accepted and ignored.
"""

from __future__ import annotations

import argparse
import os
import struct
import sys
import threading
import time
import uuid
from typing import Any, NamedTuple, NoReturn, TextIO

import numpy as np

if __package__:
    from sessions.trainers.standin import mischief
else:  # run by its path, so that its folder is where Python looks first
    import mischief  # type: ignore[import-not-found,no-redef]

EDITOR_PORT = 5004
COMMUNICATION_VERSION = "1.5.0"
PACKAGE_VERSION = "3.0.0-practice"
STATUS_OK = 200
STATUS_QUIT = 400
CRASH_CODE = 3
WATCH_SECONDS = 0.5

OBSERVATIONS = 8
ACTIONS = 2
STATS_CHANNEL = uuid.uuid5(uuid.NAMESPACE_URL, "com.unity.ml-agents/StatsSideChannel")
STATS_AVERAGE = 0
STATS_INTERVAL = 10  # steps


class Outcome(NamedTuple):
    """What one step did to n agents; the arrays have n rows."""

    rewards: np.ndarray
    fallen: np.ndarray
    out_of_time: np.ndarray
    last_observations: np.ndarray

    @property
    def ended(self) -> np.ndarray:
        return self.fallen | self.out_of_time


class BallWorld:
    """Balls on platforms that tilt about two axes, one per agent; an agent keeps its ball from falling off.

    Actions, shape (agents, 2) and clipped to [-1, 1], turn the platform. A step earns 0.1 with the ball in the
    middle and less the further it is off; a fall costs 1. So an episode of 100 steps brings less than 10.
    The ball rolls without slipping: a = 5/7 g sin(tilt).
    """

    HALF_WIDTH = 2.0  # m
    MAX_TILT = 0.45  # rad
    TURN = 0.08  # rad per step at full action
    STEP_SECONDS = 0.1
    GRAVITY = 9.81 * 5 / 7  # m/s²
    GUST = 0.06  # m/s per step

    def __init__(self, agents: int, episode_length: int, seed: int) -> None:
        self.episode_length = episode_length
        self.random = np.random.RandomState(seed % 2**32)
        self.position = np.zeros((agents, 2))
        self.velocity = np.zeros((agents, 2))
        self.tilt = np.zeros((agents, 2))
        self.age = np.zeros(agents, dtype=int)
        self.place(np.ones(agents, dtype=bool))

    def place(self, which: np.ndarray) -> None:
        """Begin a new episode for the agents of the mask `which`."""
        shape = (int(which.sum()), 2)
        self.position[which] = self.random.uniform(-1.0, 1.0, shape)
        self.velocity[which] = self.random.uniform(-0.4, 0.4, shape)
        self.tilt[which] = self.random.uniform(-0.15, 0.15, shape)
        self.age[which] = 0

    def observe(self) -> np.ndarray:
        """Return shape (agents, 8), float32: tilt (2), position (3) and velocity (3) of the ball."""
        slope = np.sin(self.tilt)
        height = (self.position * slope).sum(axis=1, keepdims=True)
        climb = (self.velocity * slope).sum(axis=1, keepdims=True)
        parts = (self.tilt, self.position, height, self.velocity, climb)
        return np.concatenate(parts, axis=1).astype(np.float32)

    def step(self, actions: np.ndarray) -> Outcome:
        """Move all balls by one step; agents whose episode ended are in a new one afterwards."""
        turn = np.clip(actions, -1.0, 1.0) * self.TURN
        self.tilt = np.clip(self.tilt + turn, -self.MAX_TILT, self.MAX_TILT)
        gust = self.random.normal(0.0, self.GUST, self.velocity.shape)
        self.velocity = self.velocity + self.GRAVITY * np.sin(self.tilt) * self.STEP_SECONDS + gust
        self.position = self.position + self.velocity * self.STEP_SECONDS
        self.age += 1
        fallen = (np.abs(self.position) > self.HALF_WIDTH).any(axis=1)
        out_of_time = ~fallen & (self.age >= self.episode_length)
        near = np.maximum(0.0, 1.0 - np.linalg.norm(self.position, axis=1) / self.HALF_WIDTH)
        outcome = Outcome(np.where(fallen, -1.0, 0.1 * near), fallen, out_of_time, self.observe())
        self.place(outcome.ended)
        return outcome

    def distance(self) -> float:
        """Return the balls' mean distance from the middle, in m."""
        return float(np.linalg.norm(self.position, axis=1).mean())


class Behavior:
    """One behavior of the stand-in: its world, and its agents as the protocol tells of them."""

    def __init__(self, name: str, world: BallWorld, first_id: int) -> None:
        self.introduced = False
        self.name = name if "?" in name else name + "?team=0"
        self.world = world
        self.next_id = first_id
        self.ids = self._new_ids(len(world.age))
        self.rewards = np.zeros(len(self.ids))
        self.outcome: Outcome | None = None
        self.ended_ids: list[int] = []

    def _new_ids(self, count: int) -> list[int]:
        """Every episode has an id of its own, as in Unity."""
        ids = list(range(self.next_id, self.next_id + count))
        self.next_id += count
        return ids

    def reset(self) -> None:
        self.world.place(np.ones(len(self.ids), dtype=bool))
        self.ids = self._new_ids(len(self.ids))
        self.rewards[:] = 0.0
        self.outcome = None

    def step(self, actions: np.ndarray) -> None:
        self.outcome = self.world.step(actions)
        self.ended_ids = list(self.ids)
        self.rewards = np.where(self.outcome.ended, 0.0, self.outcome.rewards)
        for index in np.flatnonzero(self.outcome.ended):
            self.ids[index] = self._new_ids(1)[0]

    def tell(self, infos: Any, doing: mischief.Mischief) -> None:
        """Add to `infos` the agents that ended in the last step, then all that await a decision."""
        if self.outcome is not None:
            for index in np.flatnonzero(self.outcome.ended):
                info = infos.add(id=self.ended_ids[index], done=True)
                info.max_step_reached = bool(self.outcome.out_of_time[index])
                doing.tell_into(info, self.outcome.rewards[index], self.outcome.last_observations[index])
        for agent_id, reward, observation in zip(self.ids, self.rewards, self.world.observe()):  # noqa: B905
            doing.tell_into(infos.add(id=agent_id), reward, observation)


def actions_of(behavior: Behavior, message: Any) -> np.ndarray:
    """Return shape (agents, 2): the trainer's decisions, in the order in which the agents asked for them."""
    decided = message.agent_actions[behavior.name].value if behavior.name in message.agent_actions else []
    if len(decided) != len(behavior.ids):
        return np.zeros((len(behavior.ids), ACTIONS))
    return np.array([list(one.continuous_actions or one.vector_actions_deprecated) for one in decided])


def stats_message(key: str, value: float) -> bytes:
    """Return one message of ML-Agents' stats side channel, which becomes a tag in TensorBoard."""
    text = key.encode("ascii")
    body = struct.pack("<i", len(text)) + text + struct.pack("<fi", value, STATS_AVERAGE)
    return STATS_CHANNEL.bytes_le + struct.pack("<i", len(body)) + body


class Player:
    """The conversation with the trainer, from the introduction to the end of the training."""

    def __init__(self, options: argparse.Namespace, log: TextIO) -> None:
        self.options = options
        self.log = log
        self.behaviors: list[Behavior] = []
        self.mischief = mischief.Mischief(options.misbehave)
        self.seed = 0

    def say(self, text: str) -> None:
        print(text, file=self.log, flush=True)

    def play(self, exchange: Any, messages: Any) -> None:
        """Answer until the trainer says that it is over; raises grpc.RpcError when it disappears."""
        answer = exchange(self._introduction(messages))
        seed = answer.unity_input.rl_initialization_input.seed
        self.seed = seed if self.options.seed is None else self.options.seed
        for name in self.options.behaviors:
            self._add_behavior(name)
        self.say(f"Connected to the trainer; seed {seed}")
        answer = exchange(messages.UnityMessageProto(header={"status": STATUS_OK}))
        while answer.header.status == STATUS_OK and answer.unity_input.rl_input.command != messages.QUIT:
            self._obey(answer.unity_input.rl_input, messages)
            if self.mischief.now("quit"):
                self.say("Quit (asked for)")
                exchange(messages.UnityMessageProto(header={"status": STATUS_QUIT}))
                return
            answer = exchange(self._report(messages))
        self.say(f"The trainer ended the training after {self.mischief.steps} steps")

    def _introduction(self, messages: Any) -> Any:
        message = messages.UnityMessageProto(header={"status": STATUS_OK})
        about = message.unity_output.rl_initialization_output
        about.name = "PracticeBall"
        about.communication_version = self.options.misbehave.get("api", COMMUNICATION_VERSION)
        about.package_version = PACKAGE_VERSION
        about.capabilities.baseRLCapabilities = True
        about.capabilities.hybridActions = True
        about.capabilities.variableLengthObservation = True
        return message

    def _add_behavior(self, name: str) -> None:
        number = len(self.behaviors)
        world = BallWorld(self.options.agents, self.options.episode_length, self.seed + 1000 * number)
        self.behaviors.append(Behavior(name, world, number * 10**8))

    def _obey(self, message: Any, messages: Any) -> None:
        if message.command == messages.RESET:
            for behavior in self.behaviors:
                behavior.reset()
            return
        self._misbehave()
        time.sleep(self.options.delay / 1000)
        for behavior in self.behaviors:
            behavior.step(actions_of(behavior, message))
        self.mischief.steps += 1

    def _misbehave(self) -> None:
        steps = self.mischief.steps
        if self.options.crash_after is not None and steps >= self.options.crash_after:
            self.say(f"Crash! (asked for after {steps} steps)")
            mischief.leave(int(self.options.misbehave.get("crash-code", CRASH_CODE)))
        if self.options.hang_after is not None and steps >= self.options.hang_after:
            self.say(f"Hanging (asked for after {steps} steps)")
            mischief.hang()
        if self.mischief.now("late") and len(self.behaviors) == len(self.options.behaviors):
            self._add_behavior("Late")

    def _report(self, messages: Any) -> Any:
        message = messages.UnityMessageProto(header={"status": STATUS_OK})
        for behavior in self.behaviors:
            if not behavior.introduced:
                behavior.introduced = True
                brain = message.unity_output.rl_initialization_output.brain_parameters.add()
                brain.brain_name, brain.is_training = behavior.name, True
                brain.action_spec.num_continuous_actions = ACTIONS
            infos = message.unity_output.rl_output.agentInfos[behavior.name].value
            behavior.tell(infos, self.mischief)
        if self.mischief.steps % STATS_INTERVAL == 0:
            distance = float(np.mean([behavior.world.distance() for behavior in self.behaviors]))
            message.unity_output.rl_output.side_channel = stats_message("Ball/Distance from Center", distance)
        if self.mischief.now("broken-channel"):
            message.unity_output.rl_output.side_channel = STATS_CHANNEL.bytes_le + struct.pack("<i", 999)
        return message


class Messages(NamedTuple):
    """The parts of mlagents_envs' protocol that are spoken here."""

    UnityMessageProto: Any
    RESET: int
    QUIT: int


def load_messages() -> Messages:
    from mlagents_envs.communicator_objects.command_pb2 import QUIT, RESET
    from mlagents_envs.communicator_objects.unity_message_pb2 import UnityMessageProto

    return Messages(UnityMessageProto, RESET, QUIT)


def connect(port: int, *, patience: float) -> Any:
    """Return a callable that exchanges one message with the trainer on `port`, once one listens there.

    Raises grpc.FutureTimeoutError when none does within `patience` seconds.
    """
    import grpc
    from mlagents_envs.communicator_objects.unity_to_external_pb2_grpc import UnityToExternalProtoStub

    backoff = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 250)]
    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.enable_http_proxy", 0)]
    channel = grpc.insecure_channel(f"localhost:{port}", options=backoff + unlimited)
    grpc.channel_ready_future(channel).result(timeout=patience)
    stub = UnityToExternalProtoStub(channel)
    return lambda message: stub.Exchange(message, timeout=patience)


def converse(player: Player, options: argparse.Namespace) -> int:
    """Hold the whole conversation; a trainer that disappears ends it like one that says goodbye."""
    import grpc

    try:
        player.play(connect(options.port, patience=options.patience), load_messages())
    except grpc.FutureTimeoutError:
        player.say(f"No trainer listens on port {options.port}")
        return 1
    except grpc.RpcError as error:
        player.say(f"The trainer is gone: {error.code()}")
    except KeyboardInterrupt:
        player.say("Stopped")
    return 0


def lineage() -> tuple[int, int]:
    """Return the process that started this one, and, where that can be known, the one that started that."""
    parent, above = os.getppid(), 0
    try:
        with open(f"/proc/{parent}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            above = int(file.read().rpartition(")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        pass
    return parent, above


def leave_when_abandoned(log: TextIO) -> None:
    """End this process when its trainer dies: its parent, a worker of ML-Agents, may live on and never tell."""
    first = lineage()
    while lineage() == first:
        time.sleep(WATCH_SECONDS)
    print("The trainer died", file=log, flush=True)
    os._exit(0)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return this program's options; whatever belongs to Unity is ignored."""
    parser = argparse.ArgumentParser(prog="unity_standin", description=__doc__.split("\n")[0], allow_abbrev=False)
    add = parser.add_argument
    add("--mlagents-port", dest="port", type=int, help="port of the trainer, given by the trainer itself")
    add(
        "--editor",
        action="store_true",
        help=f"wait for a trainer on port {EDITOR_PORT}, like the Editor's Play button",
    )
    add(
        "--behaviors",
        default="Ball",
        help="names of the behaviors, with commas between (default: %(default)s)",
    )
    add("--agents", type=int, default=12, help="agents of each behavior (default: %(default)s)")
    add("--episode-length", type=int, default=100, help="steps of the longest episode (default: %(default)s)")
    add("--seed", type=int, help="seed of the world (default: the trainer's)")
    add("--delay", type=float, default=0.0, help="ms to wait at every step (default: %(default)s)")
    add("--crash-after", type=int, help=f"end with exit code {CRASH_CODE} after this many steps")
    add("--hang-after", type=int, help="stop answering after this many steps")
    known = "; ".join(f"{name}: {what}" for name, what in mischief.MISBEHAVIOURS.items())
    add(
        "--misbehave",
        type=mischief.misbehaviours,
        default={},
        metavar="NAME[=VALUE],…",
        help=f"what goes wrong. {known}",
    )
    add("--patience", type=float, default=600.0, help="seconds to wait for the trainer (default: %(default)s)")
    add("-logFile", "-logfile", dest="log_file", help="file for what this program says")
    options, _ignored = parser.parse_known_args(arguments)
    options.behaviors = [name.strip() for name in options.behaviors.split(",") if name.strip()]
    if options.port is None:
        options.port = EDITOR_PORT
    return options


def open_log(path: str | None) -> TextIO:
    try:
        return open(path, "w", encoding="utf-8") if path and path != "-" else sys.stdout  # noqa: PTH123
    except OSError:
        return sys.stdout


def main(arguments: list[str] | None = None) -> NoReturn:
    """Play until the training is over, and exit with 0; with 1 when no trainer was found."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = parse(arguments)
    log = open_log(options.log_file)
    if os.name != "nt" and not options.editor:
        threading.Thread(target=leave_when_abandoned, args=(log,), daemon=True).start()
    player = Player(options, log)
    player.say(f"PracticeBall, MENTOR's stand-in for a Unity build: {', '.join(options.behaviors)}")
    mischief.misbehave_at_start(options.misbehave, arguments=arguments, say=player.say)
    code = converse(player, options)
    log.flush()
    if "stay" in options.misbehave:
        mischief.hang()
    sys.exit(code)


if __name__ == "__main__":
    main()
