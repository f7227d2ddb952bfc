"""mlagents-learn's command line: what may stand in it, and how it is written."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
RUN_ID_CHARACTERS = 64
RESERVED = re.compile(r"(?:CON|PRN|AUX|NUL|COM\d|LPT\d)(?:\..*)?", re.IGNORECASE)
DEVICE = re.compile(r"cpu|cuda(?::\d{1,2})?")
# Unity would write, run or open something else by these.
FORBIDDEN_ARGUMENTS = {
    "-logfile", "-executemethod", "-projectpath", "-batchmode", "-nographics", "-createproject", "-importpackage",
    "-exportpackage", "-quit", "-username", "-password", "-serial", "-datapath", "--mlagents-port",
}  # fmt: skip
# The long options of mlagents-learn 1.1.0. Its parser looks at every argument, also at those meant for Unity, and
# refuses one that could be the beginning of several of these.
LEARN_OPTIONS = (
    "--base-port", "--capture-frame-rate", "--debug", "--deterministic", "--env", "--env-args", "--force", "--height",
    "--help", "--inference", "--initialize-from", "--load", "--max-lifetime-restarts", "--no-graphics",
    "--no-graphics-monitor", "--num-areas", "--num-envs", "--quality-level", "--restarts-rate-limit-n",
    "--restarts-rate-limit-period-s", "--results-dir", "--resume", "--run-id", "--seed", "--target-frame-rate",
    "--tensorflow", "--time-scale", "--timeout-wait", "--torch", "--torch-device", "--train", "--width",
)  # fmt: skip
MOST_ARGUMENTS = 100
FURTHER = (
    "num_areas", "max_lifetime_restarts", "restarts_rate_limit_n", "restarts_rate_limit_period_s", "quality_level",
    "target_frame_rate", "capture_frame_rate", "no_graphics_monitor",
)  # fmt: skip
ALIASES = {"env": "env_path", "torch-device": "device"}
READERS: dict[str, Callable[[str], Any]] = {
    "run_id": str, "results_dir": str, "env_path": str, "seed": int, "num_envs": int, "base_port": int,
    "no_graphics": lambda _: True, "width": int, "height": int, "time_scale": float, "timeout_wait": int,
    "device": str, "resume": lambda _: True, "force": lambda _: True, "initialize_from": str,
    "inference": lambda _: True,
}  # fmt: skip
# Worker i of ML-Agents is given seed + i, and NumPy takes no more than 32 bits.
LARGEST_SEED = 2**31 - 1
RANGES: dict[str, tuple[float, float]] = {
    "num_envs": (1, 64),
    "width": (1, 8192),
    "height": (1, 8192),
    "time_scale": (0.001, 100),
    "timeout_wait": (1, 86_400),
    "base_port": (1024, 65535),
}


@dataclass(frozen=True)
class RunOptions:
    """What mlagents-learn is told besides its configuration; None is its own default."""

    run_id: str
    results_dir: str
    env_path: str | None = None
    seed: int = -1
    num_envs: int = 1
    base_port: int | None = None
    no_graphics: bool = False
    width: int | None = None
    height: int | None = None
    time_scale: float | None = None
    timeout_wait: int | None = None
    device: str | None = None
    resume: bool = False
    force: bool = False
    initialize_from: str | None = None
    inference: bool = False
    env_args: tuple[str, ...] = ()
    # Settings of a configuration's env_settings and engine_settings that have no field of their own, by name.
    further: Mapping[str, int | bool] = field(default_factory=dict)


def command_line(config_path: str, options: RunOptions) -> list[str]:
    """Return the arguments after the program: `--name=value` always, and `--env-args` last, for it takes the rest."""
    arguments = [config_path, f"--run-id={options.run_id}", f"--results-dir={options.results_dir}"]
    named = {
        "env": options.env_path,
        "seed": options.seed if options.seed != -1 else None,
        "num-envs": options.num_envs if options.num_envs != 1 else None,
        "base-port": options.base_port if options.env_path else None,
        "width": options.width,
        "height": options.height,
        "time-scale": options.time_scale,
        "timeout-wait": options.timeout_wait,
        "torch-device": options.device,
        "initialize-from": options.initialize_from,
    }
    arguments += [f"--{name}={value}" for name, value in named.items() if value is not None]
    further = {name: value for name, value in options.further.items() if name in FURTHER}
    arguments += [f"--{_dashed(name)}={value}" for name, value in further.items() if not isinstance(value, bool)]
    flags = {"no-graphics": options.no_graphics, "resume": options.resume, "force": options.force}
    flags["inference"] = options.inference
    flags["no-graphics-monitor"] = bool(options.further.get("no_graphics_monitor"))
    arguments += [f"--{name}" for name, given in flags.items() if given]
    return [*arguments, "--env-args", *options.env_args] if options.env_args else arguments


def read_command_line(arguments: Sequence[str]) -> tuple[str, RunOptions]:
    """Return the path of the configuration and the options of a `command_line`; what it never writes is passed over."""
    end = arguments.index("--env-args") if "--env-args" in arguments else len(arguments)
    named: dict[str, str] = {}
    for argument in arguments[1:end]:
        name, _, value = argument.removeprefix("--").partition("=")
        named[ALIASES.get(name, name.replace("-", "_"))] = value
    values = {name: read(named[name]) for name, read in READERS.items() if name in named}
    further = {name: int(named[name]) if named[name] else True for name in FURTHER if name in named}
    options = RunOptions(**values, further=further, env_args=tuple(arguments[end + 1 :]))
    return arguments[0], options


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def validate_options(options: RunOptions) -> dict[str, list[str]]:
    """Return sentences by field for everything that may not stand in a command line; empty when all is right."""
    errors: dict[str, list[str]] = {}
    for name, sentence in (
        ("run_id", run_id_problem(options.run_id)),
        ("seed", _seed_problem(options.seed)),
        ("device", _device_problem(options.device)),
        ("env_args", _arguments_problem(options.env_args)),
        ("num_envs", _several_need_a_build(options)),
        ("force", "Resume and force exclude each other." if options.resume and options.force else None),
        ("initialize_from", _initialize_problem(options)),
    ):
        if sentence is not None:
            errors.setdefault(name, []).append(sentence)
    for name, (low, high) in RANGES.items():
        value = getattr(options, name)
        if value is not None and not low <= value <= high:
            errors.setdefault(name, []).append(f"This must be from {low:g} to {high:g}.")
    return errors


def run_id_problem(run_id: str) -> str | None:
    """Return what is wrong with a run id, or None."""
    if not RUN_ID.fullmatch(run_id):
        return "A run id begins with a letter or digit and has up to 64 letters, digits, dots, hyphens and underscores."
    if RESERVED.fullmatch(run_id):
        return f"Windows reserves the name {run_id}."
    return "A run id does not end with a dot." if run_id.endswith(".") else None


def _seed_problem(seed: int) -> str | None:
    return None if -1 <= seed <= LARGEST_SEED else f"The seed is -1 for a random one, or from 0 to {LARGEST_SEED}."


def _device_problem(device: str | None) -> str | None:
    return None if device is None or DEVICE.fullmatch(device) else "The device is cpu, cuda, or cuda: and a number."


def _several_need_a_build(options: RunOptions) -> str | None:
    return "Several environments need a build." if options.num_envs > 1 and options.env_path is None else None


def _initialize_problem(options: RunOptions) -> str | None:
    if options.initialize_from and options.resume:
        return "A session that resumes has its own networks; it cannot be initialized from another."
    return None


def _arguments_problem(arguments: Sequence[str]) -> str | None:
    if len(arguments) > MOST_ARGUMENTS:
        return f"At most {MOST_ARGUMENTS} environment arguments can be given."
    for argument in arguments:
        if any(character in argument for character in "\0\r\n"):
            return "An environment argument may not contain a line break."
        if argument.split("=")[0].lower() in FORBIDDEN_ARGUMENTS:
            return f"The environment argument {argument.split('=')[0]} is not allowed."
        if argument == "--" or _is_ambiguous(argument):
            return f"mlagents-learn would take {argument} for an option of its own; choose another name."
    return None


def _is_ambiguous(argument: str) -> bool:
    name = argument.split("=")[0]
    if not name.startswith("--") or name in LEARN_OPTIONS:
        return False
    return sum(option.startswith(name) for option in LEARN_OPTIONS) > 1


def suggest_run_id(behaviors: Sequence[str], taken: Collection[str]) -> str:
    """Return a free run id made of the first behavior's name and a number, such as `ball-1`."""
    first = behaviors[0] if behaviors else "session"
    stem = re.sub(r"[^a-z0-9]+", "-", first.lower()).strip("-")[:50] or "session"
    used = {name.lower() for name in taken}
    number = 1
    while f"{stem}-{number}" in used:
        number += 1
    return f"{stem}-{number}"


def as_shell(argv: Sequence[str], windows: bool = sys.platform == "win32") -> str:
    """Return a command line as a person would type it in this system's shell."""
    return subprocess.list2cmdline(argv) if windows else shlex.join(argv)


def run_id_like(name: str) -> str:
    """Return a run id that resembles any name: what a run id may not have becomes a hyphen or is left out."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).lstrip("._-")[:RUN_ID_CHARACTERS].rstrip(".-")
    if not plain:
        return "run"
    return f"run-{plain}"[:RUN_ID_CHARACTERS].rstrip(".-") if RESERVED.fullmatch(plain) else plain


def numbered(run_id: str, number: int) -> str:
    """Return a run id with a number behind it, such as `ball-2`."""
    tail = f"-{number}"
    return run_id[: RUN_ID_CHARACTERS - len(tail)] + tail
