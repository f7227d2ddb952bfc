"""Configurations in the formats of older versions, written for these tests."""

from __future__ import annotations

from tests.sessions.domain.configuration.examples import CURRICULUM, ppo, sac

FLAT_PPO = """\
default:
    trainer: ppo
    batch_size: 1024
    beta: 5.0e-3
    buffer_size: 10240
    epsilon: 0.2
    hidden_units: 128
    lambd: 0.95
    learning_rate: 3.0e-4
    learning_rate_schedule: linear
    max_steps: 5.0e5
    memory_size: 128
    normalize: false
    num_epoch: 3
    num_layers: 2
    time_horizon: 64
    sequence_length: 64
    summary_freq: 10000
    use_recurrent: false
    vis_encode_type: simple
    reward_signals:
        extrinsic:
            strength: 1.0
            gamma: 0.99

Roller:
    normalize: true
    max_steps: 5e6
    batch_size: 64
    buffer_size: 12000

Maze:
    use_recurrent: true
    sequence_length: 2048
    memory_size: 255
    summary_freq: 2000
    reward_signals:
        extrinsic:
            strength: 1.0
            gamma: 0.99
        curiosity:
            strength: 0.02
            gamma: 0.99
            encoding_size: 256
        gail:
            strength: 0.01
            gamma: 0.99
            encoding_size: 64
            samples_per_update: 0
            demo_path: Demos/Maze.demo

Twos:
    learning_rate_schedule: constant
    self_play:
        window: 10
        play_against_current_self_ratio: 0.5
        save_steps: 50000
        swap_steps: 50000
        team_change: 100000

Cart:
    pretraining:
        demo_path: Demos/Cart.demo
        strength: 0.5
        steps: 10000

OtherCart: Cart
"""
FLAT_SAC = """\
default:
    trainer: sac
    batch_size: 128
    buffer_size: 50000
    buffer_init_steps: 0
    hidden_units: 128
    init_entcoef: 1.0
    learning_rate: 3e-4
    learning_rate_schedule: constant
    max_steps: 5.0e5
    memory_size: 256
    normalize: false
    num_update: 1
    train_interval: 1
    num_layers: 2
    time_horizon: 64
    sequence_length: 64
    summary_freq: 1000
    tau: 0.005
    use_recurrent: false
    vis_encode_type: simple
    reward_signals:
        extrinsic:
            strength: 1.0
            gamma: 0.99

Roller:
    train_interval: 5
    num_update: 2
    beta: 1.0e-2
"""
FLAT_OLDEST = """\
default:
    trainer: ppo
    batch_size: 1024
    gamma: 0.9
    use_curiosity: true
    curiosity_strength: 0.01
    curiosity_enc_size: 128
    max_steps: 5.0e4
    summary_freq: 1000

RollerBrain:
    max_steps: 1.0e5
    summary_path: ppo
"""
IMITATION = """\
default:
    trainer: online_bc
    brain_to_imitate: Player
    batch_size: 16
    batches_per_epoch: 5
    max_steps: 10000
    use_recurrent: true
    sequence_length: 32

Student:
    trainer: offline_bc
    demo_path: Demos/Student.demo
    num_layers: 4
"""
CURRICULUM_0_16 = """\
Roller:
  measure: progress
  thresholds: [0.1, 0.3, 0.5]
  min_lesson_length: 100
  signal_smoothing: true
  parameters:
    low: [0.0, 4.0, 6.0, 8.0]
    high: [4, 7, 8, 8]
"""
CURRICULUM_0_10 = """\
{
    "measure" : "reward",
    "thresholds" : [10, 20],
    "min_lesson_length" : 100,
    "signal_smoothing" : true,
    "parameters" :
    {
        "speed" : [0.7, 0.5, 0.3]
    }
}
"""
SAMPLERS_0_16 = """\
resampling-interval: 5000
mass:
    sampler-type: "uniform"
    min_value: 0.5
    max_value: 10
gravity:
    sampler-type: "multirange_uniform"
    intervals: [[7, 10], [15, 20]]
scale:
    sampler-type: "gaussian"
    mean: 2
    st_dev: .3
"""
OUTPUT_PATH = "    output_path: default\n"
RANDOMIZED = """\
parameter_randomization:
  resampling-interval: 500
  mass:
    sampler-type: uniform
    min_value: 0.5
    max_value: 10
  scale:
    sampler_type: gaussian
    sampler_parameters:
      mean: 1
"""
CURRICULUM_0_17 = """\
curriculum:
  Roller:
    measure: progress
    thresholds: [0.1, 0.3]
    min_lesson_length: 100
    signal_smoothing: true
    parameters:
      height: [1.5, 2.0, 2.5]
      mass: [1, 2, 3]
"""
NAMELESS = """\
environment_parameters:
  height:
    curriculum:
      - Lesson0:
          completion_criteria:
            measure: progress
            behavior: Roller
            threshold: 0.3
          value: 1.5
      - Lesson1:
          value: 2.0
"""

FLAT_UNDER_BEHAVIORS = """\
behaviors:
    Roller:
        trainer: ppo
        batch_size: 64
        buffer_size: 12000
        hidden_units: 128
        learning_rate: 3.0e-4
        max_steps: 5.0e5
        normalize: true
        use_recurrent: true
        sequence_length: 32
        memory_size: 64
        reward_signals:
            extrinsic:
                strength: 1.0
                gamma: 0.99
            curiosity:
                strength: 0.02
                gamma: 0.99
                encoding_size: 64
        self_play:
            window: 10
            save_steps: 50000
        curriculum:
            measure: progress
            thresholds: [0.1, 0.3]
            min_lesson_length: 100
            signal_smoothing: true
            parameters:
                height: [1.5, 2.0, 2.5]
    Cart:
        trainer: sac
        batch_size: 128
        init_entcoef: 0.5
        train_interval: 2
        summary_freq: 1000
"""

OLD = {
    "flat ppo": ("0.16 or older", FLAT_PPO),
    "flat sac": ("0.16 or older", FLAT_SAC),
    "oldest": ("0.16 or older", FLAT_OLDEST),
    "imitation": ("0.16 or older", IMITATION),
    "only default": ("0.16 or older", FLAT_SAC.partition("\nRoller")[0]),
    "curriculum": ("0.16 or older, curriculum", CURRICULUM_0_16),
    "curriculum in JSON": ("0.16 or older, curriculum", CURRICULUM_0_10),
    "samplers": ("0.16 or older, samplers", SAMPLERS_0_16),
    "flat under behaviors": ("0.17.0.dev0", FLAT_UNDER_BEHAVIORS),
    "flat and randomized": ("0.17.0.dev0", FLAT_UNDER_BEHAVIORS + RANDOMIZED),
    "output path": ("0.17-0.18", "behaviors:\n" + ppo(rest=OUTPUT_PATH) + sac("Other", rest=OUTPUT_PATH)),
    "randomized": ("0.17-0.18", "behaviors:\n" + ppo(rest=OUTPUT_PATH) + RANDOMIZED),
    "randomized only": ("0.17-0.18", "behaviors:\n" + sac() + RANDOMIZED),
    "curriculum 0.17": ("0.17-0.18", "behaviors:\n" + ppo() + CURRICULUM_0_17),
    "both": ("0.17-0.18", "behaviors:\n" + ppo(rest=OUTPUT_PATH) + RANDOMIZED + CURRICULUM_0_17),
    "nameless lessons": ("0.17-0.18", "behaviors:\n" + ppo() + NAMELESS),
    "threaded": ("0.17-0.18", "behaviors:\n" + ppo(rest=OUTPUT_PATH + "    threaded: true\n") + CURRICULUM),
}  # fmt: skip
