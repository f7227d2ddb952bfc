"""Small configurations around every strict and every lenient place of the real parser."""

from __future__ import annotations

from collections.abc import Iterator

_BEHAVIOR = "behaviors:\n  A:\n    trainer_type: ppo\n"
_NO_SECTIONS = ("null", "abc", "5", "[]", "[1]", "''", "false")
_INSIDE = {
    "network_settings": (
        *_NO_SECTIONS, "{}", "{memory: null}", "{memory: abc}", "{memory: 5}", "{memory: []}", "{memory: {}}",
        "{memory: {memory_size: 7}}", "{memory: {memory_size: 0}}", "{memory: {sequence_length: 2000}}",
        "{vis_encode_type: null}", "{vis_encode_type: Simple}", "{goal_conditioning_type: none}",
        "{hidden_units: null}", "{normalize: 'false'}", "{normalize: [1]}", "{deterministic: null}", "{unknown: 1}",
    ),
    "self_play": (*_NO_SECTIONS, "{}", "{window: x}", "{team_change: null}", "{initial_elo: .inf}", "{windw: 3}"),
    "behavioral_cloning": (
        *_NO_SECTIONS, "{}", "{demo_path: null}", "{demo_path: [1]}", "{demo_path: a, num_epoch: null, batch_size: x}",
        "{demo_pth: a}", "{demo_path: a, step: 4}",
    ),
    "reward_signals": (
        *_NO_SECTIONS, "{}", "{extrinsic: {}}", "{extrinsic: null}", "{extrinsic: 5}", "{extrinsic: []}", "{foo: {}}",
        "{gail: {}}", "{gail: {demo_path: null}}", "{gail: {demo_paht: a}}", "{curiosity: {encoding_size: null}}",
        "{curiosity: {encoding_size: 2.5}}", "{curiosity: {encoding_size: a}}", "{extrinsic: {network_settings: null}}",
        "{extrinsic: {learning_rate: 1}}", "{1: {}}", "{rnd: {gamma: x}}", "{extrinsic: {gamma: true}}",
    ),
    "hyperparameters": (
        *_NO_SECTIONS, "{}", "{learning_rate_schedule: null}", "{learning_rate_schedule: Linear}", "{beta: null}",
        "{learning_rate_schedule: cosine}", "{beta: true}", "{beta: x}", "{shared_critic: null}", "{batch_size: 2.5}",
        "{batch_size: '12'}", "{batch_size: ' 1_2 '}", "{batch_size: 1e4}", "{batch_size: 2020-01-01}", "{tau: 1}",
        "{learning_rate_schedule: [a]}", "{5: 1}", "{batch_size: 010}", "{buffer_size: 1:30}", "{learning_rate: 1e-3}",
    ),
    "max_steps": (".inf", ".nan", "'1e5'", "1e5", "5.0e5", "true", "null", "[1]", "2020-01-01", "many", "2.7"),
    "keep_checkpoints": ("0", "-0", "null", "2.5", "1e1"),
    "threaded": ("null", "'no'", "[1]", "no"),
    "init_path": ("null", "[1]", "5"),
    "trainer_type": ("null", "PPO", "[ppo]", "5", "sac", "a2c"),
    "framework": ("pytorch", "null"),
    "even_checkpoints": ("'no'", "true", "null"),
    "unknown": ("1",),
}  # fmt: skip
_TOP = (
    "debug: maybe", "debug: null", "torch_settings: null", "torch_settings: {devise: 1}", "torch_settings: 5",
    "torch_settings: []", "torch_settings: {device: 5}", "env_settings: null", "env_settings: {}",
    "env_settings: {env_args: abc}", "env_settings: {env_args: 5}", "env_settings: {env_args: [1, a]}",
    "env_settings: {num_envs: 2}", "env_settings: {num_envs: 2, env_path: x}", "env_settings: {num_areas: 0}",
    "env_settings: {seed: null}", "env_settings: {sed: 1}", "engine_settings: []",
    "engine_settings: {time_scale: fast}",
    "engine_settings: {no_graphics: 'no'}", "checkpoint_settings: null", "checkpoint_settings: {run_id: null}",
    "checkpoint_settings: {resume: x}", "checkpoint_settings: {load: x}", "default_settings: null",
    "default_settings: {}", "default_settings: []", "default_settings: 5", "foo: 1", "environment_parameters: null",
    "environment_parameters: {}", "environment_parameters: []", "environment_parameters: 5",
)  # fmt: skip
_INTERVALS = ("null", "[]", "[[1,2]]", "[[1]]", "[[2,1]]", "[1,2]", "abc", "[ab]", "{a: b}", "[[a, b]]", "[[]]")
_LESSONS = (
    "{}", "{name: a}", "{value: 1}", "{name: a, value: 1}", "{name: null, value: 1}", "{name: a, value: null}",
    "{name: a, value: x}", "{name: a, value: {sampler_type: uniform, sampler_parameters: {}}}",
    "{name: a, value: 1, x: 1}", "{name: a, value: 1, completion_criteria: null}",
    "{name: a, value: 1, completion_criteria: {}}", "{name: a, value: 1, completion_criteria: []}",
    "{name: a, value: 1, completion_criteria: {behavior: A}}", "{name: a, value: 1}, {name: b, value: 2}",
    "{name: a, value: 1, completion_criteria: {behavior: A, measure: progress, threshold: 2}}",
    "{name: a, value: 1, completion_criteria: {behavior: A, measure: Reward}}",
    "{name: a, value: 1, completion_criteria: {behavior: A, threshold: null}}",
    "{name: a, value: 1, completion_criteria: {behavio: A}}, {name: b, value: 1}", "5", "[a]",
    "{name: a, value: 1, completion_criteria: {behavior: Nobody, foo: 1}}, {name: b, value: 2}",
)  # fmt: skip
_PARAMETERS = (
    "1", "1.5", "true", "null", "abc", "'1.5'", "[]", "{}", "{curriculum: null}", "{curriculum: abc}",
    "{curriculum: {name: a}}", "{curriculm: [{name: a, value: 1}]}", "{curriculum: [{name: a, value: 1}], x: 1}",
    "{sampler_type: uniform}", "{sampler_type: uniform, sampler_parameters: null}",
    "{sampler_type: uniform, sampler_parameters: {}}", "{sampler_type: uniform, sampler_parameters: {}, x: 1}",
    "{sampler_type: Uniform, sampler_parameters: {}}", "{sampler_type: constant, sampler_parameters: {value: 3}}",
    "{sampler_type: uniform, sampler_parameters: {min_value: 4}}", "{sampler_typ: uniform, sampler_parameters: {}}",
    "{sampler_type: uniform, sampler_parameters: {mean: 4}}", "{sampler_type: [a], sampler_parameters: {}}",
    "{sampler_type: uniform, sampler_parameters: {min_value: true, max_value: 0.5}}",
    "{sampler_type: gaussian, sampler_parameters: {st_dev: -4}}", "{sampler-type: uniform, min_value: 1}",
)  # fmt: skip
_BEHAVIORS = (
    "null", "[]", "5", "abc", "[a]", "{A: null}", "{A: {}}", "{A: 5}", "{5: {}}", "{A: {hyperparameters: {}}}",
    "{A: {even_checkpoints: true, keep_checkpoints: 0}}", "{A: {5: 1}}", "{A: {null: 1}}", "{A: {Max_steps: 5}}",
    "{A: {network_settings: {memory: {sequence_length: 200}}, trainer_type: sac}}", "{yes: {}}",
    "{A: {network_settings: {memory: {sequence_length: 200}}}}",
    "{A: {network_settings: {memory: {memory_size: true}}}}",
    "{A: {network_settings: {memory: {}}, trainer_type: ppo, hyperparameters: {batch_size: true}}}",
    "{A: {hyperparameters: {shared_critic: true}, trainer_type: poca}}",
)  # fmt: skip
_DEFAULTS = (
    ("{}", "{A: {trainer_type: sac}}"), ("{}", "{A: {trainer_type: poca}}"), ("{}", "{A: {}}"),
    ("{trainer_type: poca}", "{A: {trainer_type: ppo}}"), ("{trainer_type: sac}", "{A: {trainer_type: ppo}}"),
    ("{}", "{A: {hyperparameters: {beta: 1}}}"), ("{}", "{A: null}"), ("{}", "null"), ("{}", "{}"),
    ("{network_settings: {memory: {sequence_length: 32}}}",
     "{A: {hyperparameters: {batch_size: 16}}}"),
    ("{network_settings: {memory: {sequence_length: 32}}}",
     "{A: {network_settings: {memory: null}, hyperparameters: {batch_size: 16}}}"),
    ("{network_settings: {memory: {sequence_length: 32}}}", "{A: {network_settings: null}}"),
    ("{even_checkpoints: true}", "{A: {keep_checkpoints: 0}}"), ("{foo: 1}", "{A: {}}"),
    ("{hyperparameters: {beta: 1}}", "{A: {}}"), ("{framework: tf}", "{A: {}}"),
    ("{reward_signals: {gail: {demo_path: x}}}", "{A: {reward_signals: {gail: {strength: 1}}}}"),
    ("{behavioral_cloning: {demo_path: x}}", "{A: {behavioral_cloning: {strength: 1}}}"),
    ("{}", "{A: {behavioral_cloning: {strength: 1}}}"), ("{}", "{A: {reward_signals: {gail: {strength: 1}}}}"),
)  # fmt: skip


def strict_cases() -> Iterator[str]:
    """Yield texts, each with one thing that is questionable."""
    for key, values in _INSIDE.items():
        for value in values:
            base = "behaviors:\n  A:\n" if key == "trainer_type" else _BEHAVIOR
            yield f"{base}    {key}: {value}\n"
    yield from (f"{_BEHAVIOR}{line}\n" for line in _TOP)
    yield from (f"behaviors: {value}\n" for value in _BEHAVIORS)
    yield from (f"default_settings: {shared}\nbehaviors: {value}\n" for shared, value in _DEFAULTS)
    parameters = [
        *_PARAMETERS,
        *(f"{{sampler_type: multirangeuniform, sampler_parameters: {{intervals: {one}}}}}" for one in _INTERVALS),
        *(f"{{curriculum: [{lesson}]}}" for lesson in _LESSONS),
    ]
    yield from (f"{_BEHAVIOR}environment_parameters:\n  p: {value}\n" for value in parameters)
