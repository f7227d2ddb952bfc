"""mlagents-learn 1.1.0's command line, and the practice trainer's own switches behind `--env-args`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sessions.trainers.practice.console import Console

DEFAULT_PACE = 1400.0  # steps per second: 40,000 steps in half a minute

CRASHES = ("exception", "environment", "exit", "signal")

# Option, its section of the configuration, its name there, its type. A flag has no type.
OPTIONS: tuple[tuple[str, str, str, type | None], ...] = (
    ("--env", "env_settings", "env_path", str),
    ("--load", "checkpoint_settings", "load_model", None),
    ("--resume", "checkpoint_settings", "resume", None),
    ("--deterministic", "", "deterministic", None),
    ("--force", "checkpoint_settings", "force", None),
    ("--run-id", "checkpoint_settings", "run_id", str),
    ("--initialize-from", "checkpoint_settings", "initialize_from", str),
    ("--seed", "env_settings", "seed", int),
    ("--train", "checkpoint_settings", "train_model", None),
    ("--inference", "checkpoint_settings", "inference", None),
    ("--base-port", "env_settings", "base_port", int),
    ("--num-envs", "env_settings", "num_envs", int),
    ("--num-areas", "env_settings", "num_areas", int),
    ("--debug", "", "debug", None),
    ("--max-lifetime-restarts", "env_settings", "max_lifetime_restarts", int),
    ("--restarts-rate-limit-n", "env_settings", "restarts_rate_limit_n", int),
    ("--restarts-rate-limit-period-s", "env_settings", "restarts_rate_limit_period_s", int),
    ("--results-dir", "checkpoint_settings", "results_dir", str),
    ("--timeout-wait", "env_settings", "timeout_wait", int),
    ("--width", "engine_settings", "width", int),
    ("--height", "engine_settings", "height", int),
    ("--quality-level", "engine_settings", "quality_level", int),
    ("--time-scale", "engine_settings", "time_scale", float),
    ("--target-frame-rate", "engine_settings", "target_frame_rate", int),
    ("--capture-frame-rate", "engine_settings", "capture_frame_rate", int),
    ("--no-graphics", "engine_settings", "no_graphics", None),
    ("--no-graphics-monitor", "engine_settings", "no_graphics_monitor", None),
    ("--torch-device", "torch_settings", "device", str),
)


class Removed(argparse.Action):
    """An option that mlagents-learn still takes and no longer obeys."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        Console().say(f"The command line argument {option_string} was removed.", level="WARNING")


@dataclass(frozen=True)
class CommandLine:
    """What was asked for: the configuration's path, and the options given, by section and name."""

    config_path: str | None
    given: dict[str, dict[str, Any]]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mlagents-learn", description="The practice trainer, with mlagents-learn's options."
    )
    parser.add_argument("trainer_config_path", nargs="?", default=None)
    for option, _section, name, kind in OPTIONS:
        if kind is None:
            parser.add_argument(option, dest=name, action="store_true", default=argparse.SUPPRESS)
        else:
            parser.add_argument(option, dest=name, type=kind, default=argparse.SUPPRESS)
    for option in ("--torch", "--tensorflow"):
        parser.add_argument(option, action=Removed, nargs=0, default=argparse.SUPPRESS)
    parser.add_argument("--env-args", nargs=argparse.REMAINDER, default=argparse.SUPPRESS)
    return parser


def parse(arguments: Sequence[str]) -> CommandLine:
    """Return what `arguments` ask for; a wrong option ends the process with exit code 2, as argparse does."""
    found = vars(_parser().parse_args(arguments))
    given: dict[str, dict[str, Any]] = {}
    for _option, section, name, _kind in OPTIONS:
        if name in found:
            given.setdefault(section, {})[name] = found[name]
    if "env_args" in found:
        given.setdefault("env_settings", {})["env_args"] = found["env_args"]
    return CommandLine(found["trainer_config_path"], given)


@dataclass(frozen=True)
class Switches:
    """What the practice trainer does beside training. Steps are those of the behavior that is furthest."""

    steps_per_second: float = DEFAULT_PACE
    agents: int = 12
    episode_length: int = 100
    crash_at: int | None = None
    crash_how: str = "exception"
    crash_code: int = 3
    hang_at: int | None = None
    exit_at: int | None = None
    flood: float = 0.0
    wait: float | None = None
    ignore_interrupt: bool = False
    once: bool = False


def parse_switches(arguments: Sequence[str]) -> Switches:
    """Return the switches among `arguments`; others are meant for a Unity build, and ignored as it does."""
    parser = argparse.ArgumentParser(prog="--env-args", allow_abbrev=False, argument_default=argparse.SUPPRESS)
    add = parser.add_argument
    add("--steps-per-second", type=float, help=f"pace of each behavior, 0 for full speed (default: {DEFAULT_PACE})")
    add("--agents", type=int, help="agents of each behavior (default: 12)")
    add("--episode-length", type=int, help="steps of the longest episode (default: 100)")
    add("--crash-at", type=int, metavar="STEP")
    add("--crash-how", choices=CRASHES, help="a Python error, Unity's end, or the process' end by code or signal")
    add("--crash-code", type=int, help="exit code or signal number of those last two (default: 3)")
    add("--hang-at", type=int, metavar="STEP", help="do nothing any more")
    add("--exit-at", type=int, metavar="STEP", help="save and exit with 0, as when the Editor stops")
    add("--flood", type=float, metavar="N", help="print N numbered lines per second")
    add("--wait", type=float, metavar="SECONDS", help="wait so long for Play, when there is no --env")
    add("--ignore-interrupt", action="store_true")
    add("--once", action="store_true", help="crash, hang or exit only in a training that does not resume")
    known, _others = parser.parse_known_args(arguments)
    return Switches(**vars(known))
