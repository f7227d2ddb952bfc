"""Configurations in the shapes in which ML-Agents' own examples come, written for these tests."""

from __future__ import annotations

EXTRINSIC = "    reward_signals:\n      extrinsic:\n        gamma: 0.99\n        strength: 1.0\n"


def ppo(
    name: str = "Roller", *, trainer: str = "ppo", schedule: str = "linear", network: str = "", rest: str = ""
) -> str:
    """One behavior of ppo or poca."""
    return f"""\
  {name}:
    trainer_type: {trainer}
    hyperparameters:
      batch_size: 256
      buffer_size: 4096
      learning_rate: 0.0003
      beta: 0.005
      epsilon: 0.2
      lambd: 0.95
      num_epoch: 3
      learning_rate_schedule: {schedule}
    network_settings:
      normalize: true
      hidden_units: 256
      num_layers: 2
      vis_encode_type: simple
{network}{EXTRINSIC}    keep_checkpoints: 5
    max_steps: 2000000
    time_horizon: 128
    summary_freq: 20000
{rest}"""


def sac(name: str = "Roller", *, rest: str = "") -> str:
    """One behavior of sac."""
    return f"""\
  {name}:
    trainer_type: sac
    hyperparameters:
      learning_rate: 3.0e-4
      learning_rate_schedule: constant
      batch_size: 256
      buffer_size: 100000
      buffer_init_steps: 1000
      tau: 0.005
      steps_per_update: 10.0
      save_replay_buffer: false
      init_entcoef: 0.5
      reward_signal_steps_per_update: 10.0
    network_settings:
      normalize: false
      hidden_units: 128
      num_layers: 2
{EXTRINSIC}    keep_checkpoints: 5
    max_steps: 500000
    time_horizon: 64
    summary_freq: 10000
    threaded: false
{rest}"""


SELF_PLAY = """\
    self_play:
      save_steps: 50000
      team_change: 200000
      swap_steps: 2000
      window: 10
      play_against_latest_model_ratio: 0.5
      initial_elo: 1200.0
"""
MEMORY = "      memory:\n        sequence_length: 64\n        memory_size: 128\n"
CLONING = """\
    behavioral_cloning:
      demo_path: Demos/Roller.demo
      steps: 50000
      strength: 0.5
      samples_per_update: 0
"""
SIGNALS = """\
    reward_signals:
      extrinsic:
        gamma: 0.99
        strength: 1.0
      curiosity:
        gamma: 0.99
        strength: 0.02
        network_settings:
          hidden_units: 256
        learning_rate: 0.0003
      rnd:
        gamma: 0.99
        strength: 0.01
        learning_rate: 0.0001
      gail:
        gamma: 0.99
        strength: 0.01
        learning_rate: 0.0003
        use_actions: true
        use_vail: false
        demo_path: Demos/Roller.demo
"""
CURRICULUM = """\
environment_parameters:
  gravity: 9.81
  wall_height:
    curriculum:
      - name: Low # the first
        completion_criteria:
          measure: progress
          behavior: Roller
          signal_smoothing: true
          min_lesson_length: 100
          threshold: 0.1
        value:
          sampler_type: uniform
          sampler_parameters:
            min_value: 0.0
            max_value: 4.0
      - name: Middle
        completion_criteria:
          measure: reward
          behavior: Roller
          min_lesson_length: 10
          threshold: 0.3
          require_reset: true
        value: 5.0
      - name: High
        value: 8.0
"""
SAMPLERS = """\
environment_parameters:
  mass:
    sampler_type: uniform
    sampler_parameters:
      min_value: 0.5
      max_value: 10
  scale:
    sampler_type: multirangeuniform
    sampler_parameters:
      intervals: [[0.75, 1.0], [2, 3]]
  friction:
    sampler_type: gaussian
    sampler_parameters:
      mean: 1
      st_dev: 0.3
      seed: 4
"""
RUN = """\
env_settings:
  num_envs: 1
  seed: 7
  timeout_wait: 90
  base_port: 6005
engine_settings:
  width: 640
  time_scale: 10
  no_graphics: true
checkpoint_settings:
  run_id: roller
  results_dir: results
torch_settings:
  device: cpu
debug: true
"""
DEFAULTS = """\
default_settings:
  trainer_type: ppo
  hyperparameters:
    batch_size: 16
    buffer_size: 320
    learning_rate: 0.0003
  network_settings:
    hidden_units: 256
    vis_encode_type: match3
  max_steps: 5000000
  summary_freq: 10000
behaviors:
  Simple:
    network_settings:
      hidden_units: 64
  Smart:
    trainer_type: ppo
    hyperparameters:
      batch_size: 32
    max_steps: 1000000
"""

NEWEST = "      shared_critic: true\n      beta_schedule: constant\n      epsilon_schedule: linear\n"

CURRENT = {
    "ppo": "behaviors:\n" + ppo(),
    "sac": "behaviors:\n" + sac(),
    "poca": "behaviors:\n"
    + ppo("Goalie", trainer="poca", schedule="constant", rest=SELF_PLAY)
    + ppo("Striker", trainer="poca", rest=SELF_PLAY),
    "self-play": "behaviors:\n" + ppo(schedule="constant", rest=SELF_PLAY),
    "two": "behaviors:\n" + sac("Big") + sac("Small"),
    "memory": "behaviors:\n" + ppo(network=MEMORY),
    "imitation": "behaviors:\n" + ppo(rest=CLONING),
    "signals": "behaviors:\n" + ppo().replace(EXTRINSIC, SIGNALS),
    "curriculum": "behaviors:\n" + ppo() + CURRICULUM,
    "samplers": "behaviors:\n" + ppo() + SAMPLERS,
    "run": "behaviors:\n" + ppo() + RUN,
    "defaults": DEFAULTS,
    "comments": "# how it learns\nbehaviors:\n\n" + ppo().replace("0.95", "0.95 # as they say"),
    "newest": "behaviors:\n"
    + ppo(
        network="      goal_conditioning_type: none\n      deterministic: false\n",
        rest="    even_checkpoints: true\n    init_path: null\n",
    ).replace("      num_epoch", NEWEST + "      num_epoch"),
}
