"""The table of starts that fail, by the phase in which they do."""

from __future__ import annotations

import resource
import shutil
from pathlib import Path

from tests.end_to_end.provoking import (
    AS_WINDOWS,
    AT_ONCE,
    CONFIG,
    GIGABYTE,
    LONG,
    NO_THREADS,
    NO_TORCH,
    OLD_METADATA,
    REGISTER,
    WORKER_LEAVES,
    Provocation,
    at_export,
    build_of_windows,
    build_without_rights,
    changed,
    checkpoint,
    cut,
    damage_replay_buffer,
    imported,
    missing,
    write_status,
)

RESUME = ("--resume",)


def copy_demonstration(folder: Path) -> None:
    shutil.copy(folder.parent / "it.demo", folder)


# What MENTOR's own look at a configuration refuses, too.
CONFIGURATIONS = {
    "not utf-8": Provocation("config_decode", CONFIG.replace("Ball", "Bäll").encode("latin-1")),
    "utf-16": Provocation("config_decode", CONFIG.encode("utf-16")),
    "indentation": Provocation("config_yaml", changed("    summary_freq", "   summary_freq")),
    "bracket": Provocation("config_yaml", changed("num_layers: 1}", "num_layers: 1")),
    "tab": Provocation("config_tab", changed("    summary_freq", "\tsummary_freq")),
    "quote": Provocation("config_scanner", changed("summary_freq: 100", "summary_freq: 'a")),
    "empty": Provocation("config_empty", ""),
    "flat": Provocation("config_old_format", "default:\n  trainer: ppo\n"),
    "no behaviors above": Provocation("config_toplevel", "Ball:\n  trainer_type: ppo\n"),
    "key": Provocation("config_key", changed("batch_size", "batchsize")),
    "1e2": Provocation("config_value", changed("buffer_size: 128", "buffer_size: 1e2")),
    "words": Provocation("config_value", changed("{batch", "{learning_rate: many, batch")),
    "choice": Provocation("config_enum", changed("{batch", "{learning_rate_schedule: cosine, batch")),
    "trainer": Provocation("config_trainer", changed("ppo", "PPO")),
    "no trainer": Provocation("config_no_trainer", changed("    trainer_type: ppo\n", "")),
    "empty signal": Provocation("config_unsupported", CONFIG + "    reward_signals:\n      extrinsic:\n"),
    "no demo_path": Provocation("config_missing_arg", CONFIG + "    behavioral_cloning: {strength: 0.5}\n"),
    "no behaviors": Provocation("config_behaviors_null", "behaviors:\n"),
    "list": Provocation("config_behaviors_null", "behaviors:\n- Ball\n"),
    "odd memory": Provocation("config_memory", changed("num_layers: 1", "num_layers: 1, memory: {memory_size: 5}")),
    "curriculum": Provocation(
        "config_curriculum",
        f"{CONFIG}environment_parameters:\n  h:\n    curriculum:\n    - {{name: a, value: 1}}\n"
        "    - {name: b, value: 2}\n",
    ),
    "sampler": Provocation(
        "config_sampler",
        f"{CONFIG}environment_parameters:\n  h: {{sampler_type: uniform, "
        "sampler_parameters: {min_value: 3, max_value: 1}}\n",
    ),
    "slash": Provocation("slash_name", CONFIG.replace("Ball", "My/Ball"), env_args=["--behaviors=My/Ball"]),
    "no summaries": Provocation("zero_interval", changed("summary_freq: 100", "summary_freq: 0")),
}

INSTALLATION = {
    "protobuf": Provocation(
        "protobuf_descriptors",
        shadow=imported("mlagents_envs", "raise TypeError('Descriptors cannot be created directly.')"),
    ),
    "np.float": Provocation(
        "numpy_alias",
        shadow=imported("mlagents_envs", "raise AttributeError(\"module 'numpy' has no attribute 'float'\")"),
    ),
    "numpy 2": Provocation(
        "numpy2_abi", shadow={"cattr/__init__.py": "raise ImportError('numpy.core.multiarray failed to import')"}
    ),
    "register": Provocation("cattrs_register", shadow={"cattr/__init__.py": REGISTER}),
    "attrs": Provocation("attrs_cattrs", shadow={"attr/__init__.py": ""}),
    "pkg_resources": Provocation("pkg_resources_missing", shadow=missing("pkg_resources.py", "pkg_resources")),
    "distutils": Provocation(
        "distutils_missing",
        shadow=missing("distutils/__init__.py", "distutils"),
        variables={"SETUPTOOLS_USE_DISTUTILS": "stdlib"},
    ),
    "importlib": Provocation("attrs_key", shadow={"sitecustomize.py": OLD_METADATA}),
    "no torch": Provocation("torch_missing", shadow={"sitecustomize.py": NO_TORCH}),
    "torch dll": Provocation(
        "torch_dll",
        shadow={"torch/__init__.py": "raise OSError(r'[WinError 126] Not found. Error loading \"C:\\v\\c10.dll\"')"},
    ),
    "six": Provocation("import_error", shadow={"torch/__init__.py": "import libgone"}),
    "no mlagents": Provocation("mlagents_missing", shadow=missing("mlagents/__init__.py", "mlagents")),
    "no room": Provocation("memory_map", limits={resource.RLIMIT_AS: int(0.7 * GIGABYTE)}),
    "unknown option": Provocation("cli_unrecognized", args=["--nosuch"], code=2),
    "bad value": Provocation("cli_value", args=["--num-envs=x"], code=2),
    "editor twice": Provocation("numenvs_editor", env=None, args=["--num-envs=2"]),
    "no areas": Provocation("numareas", args=["--num-areas=0"]),
    "gpu": Provocation("device_name", args=["--torch-device=gpu"]),
    "mps": Provocation("device_name", args=["--torch-device=mps"]),
    "cuda": Provocation("cuda_not_compiled", args=["--torch-device=cuda"], alone=True),
    "mark": Provocation("config_bom", CONFIG.encode("utf-8-sig"), shadow={"sitecustomize.py": AS_WINDOWS}),
    "no file": Provocation("config_not_found", before=lambda folder: (folder / "c.yaml").unlink()),
}

RUN_FOLDER = {
    "again": Provocation("run_exists", before=lambda folder: (folder / "results/r/Ball").mkdir(parents=True)),
    "nothing": Provocation("run_missing", args=RESUME),
    "no source": Provocation("init_missing", args=["--initialize-from=zzz"]),
    "no checkpoint": Provocation(
        "checkpoint_missing", args=RESUME, prior=True, before=lambda folder: checkpoint(folder).unlink()
    ),
    "cut checkpoint": Provocation("weights_only", args=RESUME, prior=True, before=cut),
    "old status": Provocation(
        "status_incompatible",
        args=RESUME,
        before=lambda folder: write_status(folder, '{"Ball": {}}'),
    ),
    "cut status": Provocation(
        "status_broken",
        args=RESUME,
        before=lambda folder: write_status(folder, '{"Ball":'),
    ),
    "a file": Provocation("results_dir", before=lambda folder: (folder / "results").write_text("a file")),
    "proc": Provocation("results_dir", args=["--results-dir=/proc/nope"]),
    "sys": Provocation("results_perm", args=["--results-dir=/sys/results"]),
    "full": Provocation("disk_full", limits={resource.RLIMIT_FSIZE: 20_000}),
    "damaged replay buffer": Provocation("replay_buffer", args=RESUME, prior=True, before=damage_replay_buffer),
    "other network": Provocation(
        "resume_shape_crash",
        args=RESUME,
        prior=True,
        before=lambda folder: (folder / "c.yaml").write_text(LONG.replace("hidden_units: 8", "hidden_units: 16")),
    ),
}

UNITY = {
    "no build": Provocation("env_not_found", env="/nowhere/Ball"),
    "no right": Provocation("env_perm", env="No.x86_64", before=build_without_rights),
    "windows": Provocation("env_format", env="No.x86_64", before=build_of_windows),
    "port": Provocation("port_in_use", port_taken=True),
    "silent": Provocation("timeout", wrong="never-connect", args=["--timeout-wait=2"]),
    "hanging": Provocation("timeout", LONG, env_args=["--hang-after=20"], args=["--timeout-wait=2", AT_ONCE]),
    "old package": Provocation("api_mismatch", wrong="api=0.15.0"),
    "no version": Provocation("api_empty", wrong="api=", stop="has no attribute 'version'", code=-9),
    "leaves": Provocation("env_exit", wrong="exit-at-once=0"),
    "no display": Provocation("env_exit", wrong="exit-at-once=-11"),
    "quits": Provocation("env_restart_limit", LONG, wrong="quit=20", args=[AT_ONCE], code=0),
    "channel": Provocation("sidechannel", wrong="broken-channel=5", args=[AT_ONCE]),
    "files": Provocation("too_many_files", limits={resource.RLIMIT_NOFILE: 16}),
    "threads": Provocation("too_many_processes", shadow={"sitecustomize.py": NO_THREADS}),
    "worker": Provocation("env_comm", shadow={"sitecustomize.py": WORKER_LEAVES}),
}

TRAINING = {
    "name": Provocation("behavior_missing", changed("Ball", "Bal")),
    "no demo": Provocation("demo_missing", CONFIG + "    behavioral_cloning: {demo_path: gone.demo}\n"),
    "old demo": Provocation(
        "demo_mismatch", CONFIG + "    behavioral_cloning: {demo_path: it.demo}\n", before=copy_demonstration
    ),
    "small image": Provocation("obs_too_small", wrong="image=8"),
    "nothing seen": Provocation("no_obs", wrong="no-observations"),
    "other size": Provocation("obs_shape", LONG, wrong="other-size=10", args=[AT_ONCE]),
    "nan": Provocation("nan_obs", LONG, wrong="nan-observations=10", args=[AT_ONCE]),
    "diverged": Provocation("nan_action", LONG, wrong="huge-rewards=5"),
    "memory": Provocation(
        "cpu_oom",
        CONFIG.replace("hidden_units: 8, num_layers: 1", "hidden_units: 100000, num_layers: 2"),
        limits={resource.RLIMIT_AS: 12 * GIGABYTE},
    ),
    "onnxscript": Provocation("onnxscript", shadow=at_export("import onnxscript")),
    "onnx": Provocation("onnx_missing", shadow=missing("onnx/__init__.py", "onnx")),
    "export": Provocation("onnx_other", shadow=at_export("raise torch.onnx.errors.CheckerError('It does not fit.')")),
    "gpu memory": Provocation("cuda_oom", shadow=at_export("raise torch.cuda.OutOfMemoryError('CUDA out of memory.')")),
    "gpu assert": Provocation(
        "cuda_assert", shadow=at_export("raise RuntimeError('CUDA error: device-side assert triggered')")
    ),
    "crash": Provocation(
        "segfault",
        shadow=at_export("import ctypes, faulthandler; faulthandler.enable(); ctypes.string_at(0)"),
        code=-11,
    ),
    "silent crash": Provocation("segfault", shadow=at_export("import ctypes; ctypes.string_at(0)"), code=-11),
    "unknown": Provocation("generic_traceback", shadow=at_export("raise KeyError('the moon')")),
    "silent kill": Provocation("killed", LONG, stop="Step: 100", code=-9),
}

EVERYTHING = {
    f"{phase}: {name}": case
    for phase, cases in (
        ("configuration", CONFIGURATIONS),
        ("installation", INSTALLATION),
        ("run folder", RUN_FOLDER),
        ("unity", UNITY),
        ("training", TRAINING),
    )
    for name, case in cases.items()
}
# What no training here can be made to show, or not each time: Unity or Python of other ages, a Windows, a shell that
# finds no trainer, two environments that end and hang in the right moments.
NOT_HERE = {
    "api_mismatch_old",
    "behavior_missing_old",
    "brain_unused",
    "cli_usage",
    "curriculum_old",
    "default_missing",
    "demo_first_bug",
    "env_stuck",
    "dll_or_cmd_missing",
    "tensorflow_version",
    "yaml_loader",
}


def place_of(root: Path, name: str) -> Path:
    return root / name.replace(" ", "-").replace(":", "")
