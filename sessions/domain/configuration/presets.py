"""Configurations to begin with: one for each trainer, and with self-play, curiosity or a memory."""

from __future__ import annotations

from dataclasses import dataclass

BEHAVIOR_NAME = "MyBehavior"
_ON_POLICY = """\
      batch_size: 1024
      buffer_size: 10240
      learning_rate: 3.0e-4
      learning_rate_schedule: linear
      beta: 5.0e-3
      epsilon: 0.2
      lambd: 0.95
      num_epoch: 3
"""
_OFF_POLICY = """\
      batch_size: 256
      buffer_size: 50000
      learning_rate: 3.0e-4
      learning_rate_schedule: constant
      buffer_init_steps: 1000
      tau: 0.005
      steps_per_update: 10.0  # about the number of agents in the scene
      init_entcoef: 0.5
"""
_HYPERPARAMETERS = {"ppo": _ON_POLICY, "sac": _OFF_POLICY, "poca": _ON_POLICY}
_MEMORY = """\
      memory:
        sequence_length: 64
        memory_size: 128
"""
_CURIOSITY = """\
      curiosity:  # rewards what surprises; small beside the environment's own rewards
        gamma: 0.99
        strength: 0.02
        learning_rate: 3.0e-4
"""
_SELF_PLAY = """\
    self_play:
      save_steps: 50000
      team_change: 250000
      swap_steps: 2000
      window: 10
      play_against_latest_model_ratio: 0.5
      initial_elo: 1200.0
"""
TITLES = {"ppo": "PPO", "sac": "SAC", "poca": "POCA (groups of agents)"}
VARIANTS = {"": "", "self-play": " with self-play", "curiosity": " with curiosity", "memory": " with memory"}


@dataclass(frozen=True)
class Preset:
    """A whole configuration under a name."""

    name: str
    title: str
    config: str


def _text(trainer: str, variant: str) -> str:
    return f"""\
behaviors:
  {BEHAVIOR_NAME}:  # the Behavior Name in Unity
    trainer_type: {trainer}
    hyperparameters:
{_HYPERPARAMETERS[trainer]}\
    network_settings:
      normalize: false  # true for continuous control with vector observations
      hidden_units: 256
      num_layers: 2
{_MEMORY if variant == "memory" else ""}\
    reward_signals:
      extrinsic:
        gamma: 0.99
        strength: 1.0
{_CURIOSITY if variant == "curiosity" else ""}\
    max_steps: {5_000_000 if variant == "self-play" else 1_000_000}
    time_horizon: {128 if variant == "curiosity" else 64}
    summary_freq: 10000
{_SELF_PLAY if variant == "self-play" else ""}"""


PRESETS = tuple(
    Preset(f"{trainer}-{variant}" if variant else trainer, f"{title}{words}", _text(trainer, variant))
    for trainer, title in TITLES.items()
    for variant, words in VARIANTS.items()
)
