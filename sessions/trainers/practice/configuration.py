"""A configuration with all of mlagents-learn 1.1.0's defaults filled in, refused where 1.1.0 refuses it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

from sessions.trainers.practice.commandline import CommandLine
from sessions.trainers.practice.errors import TrainerConfigError

Settings = dict[str, Any]

DEFAULT_BEHAVIOR = "Ball"

NETWORK: Settings = {
    "normalize": False,
    "hidden_units": 128,
    "num_layers": 2,
    "vis_encode_type": "simple",
    "memory": None,
    "goal_conditioning_type": "hyper",
    "deterministic": False,
}
PPO: Settings = {
    "batch_size": 1024,
    "buffer_size": 10240,
    "learning_rate": 0.0003,
    "beta": 0.005,
    "epsilon": 0.2,
    "lambd": 0.95,
    "num_epoch": 3,
    "shared_critic": False,
    "learning_rate_schedule": "linear",
    "beta_schedule": "linear",
    "epsilon_schedule": "linear",
}
SAC: Settings = {
    "batch_size": 128,
    "buffer_size": 50000,
    "learning_rate": 0.0003,
    "learning_rate_schedule": "constant",
    "buffer_init_steps": 0,
    "tau": 0.005,
    "steps_per_update": 1,
    "save_replay_buffer": False,
    "init_entcoef": 1.0,
    "reward_signal_steps_per_update": 1,
}
HYPERPARAMETERS: dict[str, Settings] = {
    "ppo": PPO,
    "poca": {name: value for name, value in PPO.items() if name != "shared_critic"},
    "sac": SAC,
}
SETTINGS_NAMES = {"ppo": "PPOSettings", "poca": "POCASettings", "sac": "SACSettings"}
EXTRINSIC: Settings = {"gamma": 0.99, "strength": 1.0, "network_settings": NETWORK}
BEHAVIOR: Settings = {
    "trainer_type": "ppo",
    "hyperparameters": {},
    "checkpoint_interval": 500000,
    "network_settings": {},
    "reward_signals": {},
    "init_path": None,
    "keep_checkpoints": 5,
    "even_checkpoints": False,
    "max_steps": 500000,
    "time_horizon": 64,
    "summary_freq": 50000,
    "threaded": False,
    "self_play": None,
    "behavioral_cloning": None,
}
WHOLE_NUMBERS = ("checkpoint_interval", "keep_checkpoints", "max_steps", "time_horizon", "summary_freq")
SECTIONS: Settings = {
    "default_settings": None,
    "behaviors": {},
    "env_settings": {
        "env_path": None,
        "env_args": None,
        "base_port": 5005,
        "num_envs": 1,
        "num_areas": 1,
        "timeout_wait": 60,
        "seed": -1,
        "max_lifetime_restarts": 10,
        "restarts_rate_limit_n": 1,
        "restarts_rate_limit_period_s": 60,
    },
    "engine_settings": {
        "width": 84,
        "height": 84,
        "quality_level": 5,
        "time_scale": 20,
        "target_frame_rate": -1,
        "capture_frame_rate": 60,
        "no_graphics": False,
        "no_graphics_monitor": False,
    },
    "environment_parameters": None,
    "checkpoint_settings": {
        "run_id": "ppo",
        "initialize_from": None,
        "load_model": False,
        "resume": False,
        "force": False,
        "train_model": False,
        "inference": False,
        "results_dir": "results",
    },
    "torch_settings": {"device": None},
    "debug": False,
}
SECTION_NAMES = {
    "env_settings": "EnvironmentSettings",
    "engine_settings": "EngineSettings",
    "checkpoint_settings": "CheckpointSettings",
    "torch_settings": "TorchSettings",
}


def load(command: CommandLine) -> Settings:
    """Return the whole configuration: options before the file, the file before the defaults.

    Raises TrainerConfigError for what cannot be read or is not known to mlagents 1.1.0.
    """
    written = _read(command.config_path) if command.config_path else {}
    _refuse_unknown(written, SECTIONS, "The option {} was specified in your YAML file, but is invalid.")
    settings = copy.deepcopy(SECTIONS)
    for section, name in SECTION_NAMES.items():
        settings[section] = _merge(settings[section], written.get(section) or {}, name)
    for name in ("default_settings", "environment_parameters", "debug"):
        settings[name] = written.get(name, settings[name])
    default = written.get("default_settings") or {}
    named = written.get("behaviors") or {DEFAULT_BEHAVIOR: {}}
    settings["behaviors"] = {str(name): _behavior({**default, **(own or {})}) for name, own in named.items()}
    return _with_options(settings, command.given)


def _read(path: str) -> Settings:
    try:
        read = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError:
        raise TrainerConfigError(f"Config file could not be found at {Path(path).absolute()}.") from None
    except UnicodeDecodeError:
        raise TrainerConfigError(
            f"There was an error decoding Config file from {path}. Make sure your file is save using UTF-8"
        ) from None
    except yaml.parser.ParserError as error:
        raise TrainerConfigError(
            "Error parsing yaml file. Please check for formatting errors. "
            f"A tool such as http://www.yamllint.com/ can be helpful with this. {error}"
        ) from error
    if not isinstance(read, dict):
        raise TypeError(f"'{type(read).__name__}' object is not iterable")
    return read


def _refuse_unknown(given: Settings, known: Settings, sentence: str) -> None:
    for name in given:
        if name not in known:
            raise TrainerConfigError(sentence.format(name))


def _merge(defaults: Settings, given: Settings, section: str) -> Settings:
    sentence = f"The option {{}} was specified in your YAML file for {section}, but is invalid."
    _refuse_unknown(given, defaults, sentence)
    return {name: _fitting(given[name], value) if name in given else value for name, value in defaults.items()}


def _fitting(value: Any, default: Any) -> Any:
    """Return `value` as the type of its default; raises ValueError as mlagents does for `1e4` in quotes."""
    if isinstance(default, bool) or default is None or value is None:
        return value
    return type(default)(value) if isinstance(default, int | float) else value


def _behavior(given: Settings) -> Settings:
    whole = {name: int(float(given[name])) for name in WHOLE_NUMBERS if name in given}
    settings = _merge(BEHAVIOR, {**given, **whole}, "TrainerSettings")
    kind = settings["trainer_type"]
    if kind not in HYPERPARAMETERS:
        raise TrainerConfigError(f"Invalid trainer type {kind} was found")
    if "hyperparameters" in given and "trainer_type" not in given:
        raise TrainerConfigError("Hyperparameters were specified but no trainer_type was given.")
    settings["hyperparameters"] = _hyperparameters(kind, given.get("hyperparameters") or {})
    settings["network_settings"] = {**NETWORK, **(given.get("network_settings") or {})}
    signals = given.get("reward_signals") or {"extrinsic": {}}
    settings["reward_signals"] = {name: {**copy.deepcopy(EXTRINSIC), **(own or {})} for name, own in signals.items()}
    return settings


def _hyperparameters(kind: str, given: Settings) -> Settings:
    found = _merge(HYPERPARAMETERS[kind], given, SETTINGS_NAMES[kind])
    for name in ("beta_schedule", "epsilon_schedule"):
        if name in found and name not in given:
            found[name] = found["learning_rate_schedule"]
    return found


def _with_options(settings: Settings, given: dict[str, Settings]) -> Settings:
    for section, options in given.items():
        (settings[section] if section else settings).update(options)
    deterministic = settings.pop("deterministic", False)
    for behavior in settings["behaviors"].values():
        behavior["network_settings"]["deterministic"] |= deterministic
    if settings["env_settings"]["num_envs"] > 1 and settings["env_settings"]["env_path"] is None:
        raise ValueError("num_envs must be 1 if env_path is not set.")
    return settings
