"""Every setting of a configuration of mlagents 1.1.0, as its parser takes it (mlagents/trainers/settings.py).

This is the one truth about settings: validation, overrides, upgrades and docs/configuration.md are made of it.
Ranges named `usual` are those of ML-Agents' own documentation.
"""

from __future__ import annotations

from sessions.domain.configuration.schema import Key, Kind, Range, Section

VERSION = "1.1.0"
# More than any training takes, and less than a database column holds.
MAX_COUNT = 10**15
COUNT = Range(1, MAX_COUNT)
FROM_ZERO = Range(0, MAX_COUNT)
POSITIVE = Range(above=0)
# PyTorch's optimizers refuse what is less; with 0 they run and learn nothing.
RATE = Range(0)
SHARE = Range(0, 1)
SCHEDULES = ("linear", "constant")

ROOT = Section("configuration", "A configuration", True, (
    Key("default_settings", Kind.SECTION, None, "What every behavior begins with; behaviors that are not named get it whole.",
        section="behavior", may_be_null=True, since="0.20"),
    Key("behaviors", Kind.BEHAVIORS, None, "The behaviors, each by the Behavior Name in its Unity component."),
    Key("environment_parameters", Kind.PARAMETERS, None,
        "Values that the environment reads: a number, a sampler, or a curriculum of lessons.", may_be_null=True, since="0.18"),
    Key("env_settings", Kind.SECTION, None, "How environments are started.", section="env_settings", since="0.18"),
    Key("engine_settings", Kind.SECTION, None, "How Unity draws and how fast its time runs.", section="engine_settings",
        since="0.18"),
    Key("checkpoint_settings", Kind.SECTION, None, "Names and folders of the run; fields of the session in MENTOR.",
        section="checkpoint_settings", since="0.18"),
    Key("torch_settings", Kind.SECTION, None, "The device that computes.", section="torch_settings", since="0.24"),
    Key("debug", Kind.TRUTH, False, "Print more about what mlagents-learn does.", since="0.18"),
))  # fmt: skip

BEHAVIOR = Section("behavior", "A behavior", True, (
    Key("trainer_type", Kind.TRAINER, "ppo", "The algorithm: ppo, sac, poca, or one that a plugin brings.",
        choices=("ppo", "sac", "poca"), also_called=("trainer",)),
    Key("hyperparameters", Kind.HYPERPARAMETERS, None, "How the algorithm learns; the keys depend on trainer_type."),
    Key("network_settings", Kind.SECTION, None, "The shape of the network.", section="network_settings"),
    Key("reward_signals", Kind.SIGNALS, "[extrinsic]", "What is rewarded: extrinsic, curiosity, gail, rnd."),
    Key("max_steps", Kind.STEPS, 500_000, "Steps of all agents together after which the training ends.",
        limits=COUNT, usual=Range(1e4, 1e8)),
    Key("time_horizon", Kind.WHOLE, 64, "Steps of an agent that are collected before they go into the buffer.",
        limits=COUNT, usual=Range(32, 2048)),
    Key("summary_freq", Kind.WHOLE, 50_000, "Steps between two points of every curve and two lines of the console.",
        limits=COUNT, usual=Range(100, 1e6), also_called=("summary_frequency",)),
    Key("checkpoint_interval", Kind.WHOLE, 500_000, "Steps between two checkpoints.", limits=COUNT),
    Key("keep_checkpoints", Kind.WHOLE, 5, "How many checkpoints are kept; 0 keeps all.", limits=FROM_ZERO),
    Key("even_checkpoints", Kind.TRUTH, False, "Spread keep_checkpoints evenly over max_steps instead of checkpoint_interval.",
        since="1.0"),
    Key("threaded", Kind.TRUTH, False, "Go on stepping while the network is updated; best off with self-play."),
    Key("init_path", Kind.TEXT, None, "A checkpoint to begin with: a path, or a file name in the run of initialize_from.",
        may_be_null=True),
    Key("self_play", Kind.SECTION, None, "Train against earlier versions of itself.", section="self_play", may_be_null=True),
    Key("behavioral_cloning", Kind.SECTION, None, "Imitate a demonstration, beside the rewards.", section="behavioral_cloning",
        may_be_null=True, also_called=("pretraining",)),
    Key("framework", Kind.TEXT, None, "tensorflow or pytorch; ignored since PyTorch is the only one.", since="0.20",
        until="0.23"),
))  # fmt: skip

_BATCH = Key("batch_size", Kind.WHOLE, 1024, "Experiences in one step of gradient descent; several times smaller than buffer_size.",
             limits=COUNT, usual=Range(32, 5120))  # fmt: skip
_BUFFER = Key("buffer_size", Kind.WHOLE, 10_240, "Experiences that are collected before the network is updated; a multiple of batch_size.",
              limits=COUNT, usual=Range(2048, 409_600))  # fmt: skip
_RATE = Key("learning_rate", Kind.NUMBER, 3e-4, "The size of each step of gradient descent; smaller when the reward does not rise steadily.",
            limits=RATE, sound=POSITIVE, usual=Range(1e-5, 1e-3), also_called=("lr",))  # fmt: skip
_SCHEDULE = Key("learning_rate_schedule", Kind.CHOICE, "linear", "Whether the learning rate falls to 0 at max_steps or stays.",
                choices=SCHEDULES)  # fmt: skip
_ON_POLICY = (
    _BATCH, _BUFFER, _RATE, _SCHEDULE,
    Key("beta", Kind.NUMBER, 5e-3, "How strongly chance is favoured, so that everything is tried.", sound=SHARE,
        usual=Range(1e-4, 1e-2)),
    Key("beta_schedule", Kind.CHOICE, "[learning_rate_schedule]", "Whether beta falls to 0 at max_steps or stays.",
        choices=SCHEDULES, since="0.28"),
    Key("epsilon", Kind.NUMBER, 0.2, "How far one update may move the policy.", sound=Range(above=0, most=1), usual=Range(0.1, 0.3)),
    Key("epsilon_schedule", Kind.CHOICE, "[learning_rate_schedule]", "Whether epsilon falls to 0 at max_steps or stays.",
        choices=SCHEDULES, since="0.28"),
    Key("lambd", Kind.NUMBER, 0.95, "How far an advantage trusts the estimate (low) or the reward received (high).",
        sound=SHARE, usual=Range(0.9, 0.95), also_called=("lambda",)),
    Key("num_epoch", Kind.WHOLE, 3, "How often the buffer is gone through in each update.", limits=COUNT, usual=Range(3, 10),
        also_called=("num_epochs",)),
)  # fmt: skip

PPO = Section("hyperparameters of ppo", "Hyperparameters of ppo", True, (
    *_ON_POLICY,
    Key("shared_critic", Kind.TRUTH, False, "One network for policy and value; needed when learning from pixels alone.", since="0.30"),
))  # fmt: skip
POCA = Section("hyperparameters of poca", "Hyperparameters of poca", True, _ON_POLICY)
SAC = Section("hyperparameters of sac", "Hyperparameters of sac", True, (
    Key("batch_size", Kind.WHOLE, 128, "Experiences in one step of gradient descent.", limits=COUNT, usual=Range(32, 1024)),
    Key("buffer_size", Kind.WHOLE, 50_000, "Experiences that are remembered; thousands of times longer than an episode.",
        limits=COUNT, usual=Range(50_000, 1_000_000)),
    Key("learning_rate", Kind.NUMBER, 3e-4, "The size of each step of gradient descent.", limits=RATE, sound=POSITIVE,
        usual=Range(1e-5, 1e-3), also_called=("lr",)),
    Key("learning_rate_schedule", Kind.CHOICE, "constant", "Whether the learning rate falls to 0 at max_steps or stays.",
        choices=SCHEDULES),
    Key("buffer_init_steps", Kind.WHOLE, 0, "Random steps that fill the buffer before learning begins.", limits=FROM_ZERO,
        usual=Range(0, 10_000)),
    Key("tau", Kind.NUMBER, 0.005, "How fast the target network follows.", sound=Range(above=0, most=1),
        usual=Range(0.005, 0.01)),
    Key("steps_per_update", Kind.NUMBER, 1, "Steps of all agents for each update; at least the number of agents.",
        limits=POSITIVE, usual=Range(1, 20), also_called=("num_update", "train_interval")),
    Key("save_replay_buffer", Kind.TRUTH, False, "Save the remembered experiences too, so that a resumed run has them."),
    Key("init_entcoef", Kind.NUMBER, 1.0, "How strongly chance is favoured at the beginning.", limits=POSITIVE,
        usual=Range(0.05, 1.0)),
    Key("reward_signal_steps_per_update", Kind.NUMBER, "[steps_per_update]", "The same for the reward signals.",
        limits=POSITIVE, usual=Range(1, 20), also_called=("reward_signal_num_update",)),
))  # fmt: skip
HYPERPARAMETERS = {"ppo": PPO, "sac": SAC, "poca": POCA}

NETWORK = Section("network_settings", "Network", False, (
    Key("normalize", Kind.TRUTH, False, "Normalize vector observations; for continuous control, not for simple discrete ones."),
    Key("hidden_units", Kind.WHOLE, 128, "Units in each layer.", limits=COUNT, usual=Range(32, 512)),
    Key("num_layers", Kind.WHOLE, 2, "Layers after the observations are encoded.", limits=Range(most=1000), sound=Range(1),
        usual=Range(1, 3)),
    Key("vis_encode_type", Kind.CHOICE, "simple", "How images are encoded.",
        choices=("simple", "nature_cnn", "resnet", "match3", "fully_connected")),
    Key("memory", Kind.SECTION, None, "A memory (LSTM); null is none.", section="memory", may_be_null=True,
        also_called=("use_recurrent", "recurrent")),
    Key("goal_conditioning_type", Kind.CHOICE, "hyper", "How a goal signal acts on the network.", choices=("hyper", "none"),
        since="0.26", also_called=("conditioning_type",)),
    Key("deterministic", Kind.TRUTH, False, "Always take the most likely action.", since="0.28"),
))  # fmt: skip
MEMORY = Section("memory", "Memory", False, (
    Key("sequence_length", Kind.WHOLE, 64, "Steps the network learns to remember; at most batch_size.", limits=COUNT,
        usual=Range(4, 128)),
    Key("memory_size", Kind.WHOLE, 128, "Numbers the memory holds; even.", limits=COUNT, usual=Range(32, 256)),
))  # fmt: skip

_GAMMA = Key("gamma", Kind.NUMBER, 0.99, "How much later rewards count.", sound=SHARE, usual=Range(0.8, 0.995))
_STRENGTH = Key(
    "strength", Kind.NUMBER, 1.0, "What this reward is multiplied by.", sound=Range(0), usual=Range(0.001, 10)
)
_NETWORK = Key(
    "network_settings", Kind.SECTION, None, "The network of this signal.", section="network_settings", since="0.25"
)
_ENCODING = Key("encoding_size", Kind.WHOLE, None, "Units of the signal's network; network_settings.hidden_units instead.",
                limits=COUNT, may_be_null=True, until="0.24")  # fmt: skip
_SIGNAL = (_GAMMA, _STRENGTH, _NETWORK)


def _signal_rate(default: float) -> Key:
    return Key("learning_rate", Kind.NUMBER, default, "The learning rate of the signal's network.", limits=RATE, sound=POSITIVE,
               usual=Range(1e-5, 1e-3))  # fmt: skip


_DEMO = Key(
    "demo_path",
    Kind.TEXT,
    None,
    "The demonstration: a .demo file or a folder of them, best as a full path.",
    required=True,
)
SIGNALS = {
    "extrinsic": Section("extrinsic", "Reward signal extrinsic", True, _SIGNAL),
    "curiosity": Section("curiosity", "Reward signal curiosity", True, (*_SIGNAL, _signal_rate(3e-4), _ENCODING)),
    "gail": Section("gail", "Reward signal gail", True, (
        *_SIGNAL, _signal_rate(3e-4), _ENCODING,
        Key("use_actions", Kind.TRUTH, False, "Compare actions too, not only observations."),
        Key("use_vail", Kind.TRUTH, False, "Force the discriminator to generalize; takes longer."),
        _DEMO,
    )),
    "rnd": Section("rnd", "Reward signal rnd", True, (*_SIGNAL, _signal_rate(1e-4), _ENCODING)),
}  # fmt: skip

CLONING = Section("behavioral_cloning", "Behavioral cloning", False, (
    _DEMO,
    Key("steps", Kind.WHOLE, 0, "Steps over which the imitation fades; 0 is never.", sound=Range(0)),
    Key("strength", Kind.NUMBER, 1.0, "The learning rate of the imitation, as a part of the policy's.", sound=Range(0, 10)),
    Key("samples_per_update", Kind.WHOLE, 0, "Samples in each update; 0 is all.", sound=Range(0)),
    Key("num_epoch", Kind.WHOLE, None, "How often they are gone through; the policy's num_epoch unless given.", limits=COUNT,
        may_be_null=True),
    Key("batch_size", Kind.WHOLE, None, "The policy's batch_size unless given.", limits=COUNT, may_be_null=True),
))  # fmt: skip
SELF_PLAY = Section("self_play", "Self-play", False, (
    Key("save_steps", Kind.WHOLE, 20_000, "Steps between two saved opponents.", sound=Range(1), usual=Range(10_000, 100_000)),
    Key("team_change", Kind.WHOLE, "[5 x save_steps]", "Steps after which the other team learns.", sound=Range(1)),
    Key("swap_steps", Kind.WHOLE, 2000, "Steps of the opponents between two swaps.", sound=Range(1)),
    Key("window", Kind.WHOLE, 10, "How many earlier opponents are kept.", limits=COUNT, usual=Range(5, 30)),
    Key("play_against_latest_model_ratio", Kind.NUMBER, 0.5, "How often the opponent is the newest one.", sound=SHARE,
        also_called=("play_against_current_self_ratio", "play_against_current_best_ratio")),
    Key("initial_elo", Kind.NUMBER, 1200.0, "The rating to begin with."),
))  # fmt: skip

LESSON = Section("lesson", "Lesson of a curriculum", True, (
    Key("name", Kind.TEXT, None, "What the lesson is called.", required=True, since="0.19"),
    Key("value", Kind.SAMPLER, None, "The parameter's value in this lesson: a number or a sampler.", required=True),
    Key("completion_criteria", Kind.SECTION, None, "When the next lesson begins; the last lesson has none.",
        section="completion_criteria", may_be_null=True),
))  # fmt: skip
CRITERIA = Section("completion_criteria", "Completion criteria", False, (
    Key("behavior", Kind.TEXT, None, "The behavior that is measured.", required=True),
    Key("measure", Kind.CHOICE, "reward", "reward, or progress: the part of max_steps that is done.", choices=("reward", "progress")),
    Key("min_lesson_length", Kind.WHOLE, 0, "Episodes that the lesson lasts at least.", sound=FROM_ZERO),
    Key("signal_smoothing", Kind.TRUTH, True, "Weigh the measure with its value before."),
    Key("threshold", Kind.NUMBER, 0.0, "The next lesson begins above this; from 0 to 1 for progress."),
    Key("require_reset", Kind.TRUTH, False, "Reset the environment when the lesson changes."),
))  # fmt: skip
CURRICULUM = Section("curriculum", "Environment parameter with a curriculum", True, (
    Key("curriculum", Kind.CURRICULUM, None, "The lessons, in their order.", required=True),
))  # fmt: skip
SAMPLER = Section("sampler", "Sampler", False, (
    Key("sampler_type", Kind.CHOICE, None, "How values are drawn.", required=True,
        choices=("uniform", "gaussian", "multirangeuniform", "constant"), also_called=("sampler-type",)),
    Key("sampler_parameters", Kind.SECTION, None, "Between which values; the keys depend on sampler_type.", required=True),
))  # fmt: skip
_SEED = Key("seed", Kind.WHOLE, -1, "The seed of this sampler; -1 is the run's.", sound=Range(-1))
SAMPLERS = {
    "uniform": Section("uniform", "Sampler uniform", True, (
        Key("min_value", Kind.NUMBER, 0.0, "The smallest value."), Key("max_value", Kind.NUMBER, 1.0, "The largest value."), _SEED,
    )),
    "gaussian": Section("gaussian", "Sampler gaussian", True, (
        Key("mean", Kind.NUMBER, 1.0, "The mean."), Key("st_dev", Kind.NUMBER, 1.0, "The standard deviation.", sound=Range(0)), _SEED,
    )),
    "multirangeuniform": Section("multirangeuniform", "Sampler multirangeuniform", True, (
        Key("intervals", Kind.INTERVALS, "[[0, 1]]", "Intervals, each as [smallest, largest]."), _SEED,
    )),
    "constant": Section("constant", "Sampler constant", True, (Key("value", Kind.NUMBER, 0.0, "The value."), _SEED)),
}  # fmt: skip

ENV_SETTINGS = Section("env_settings", "Environment", True, (
    Key("env_path", Kind.TEXT, None, "The build; null is the Unity Editor. The session's Environment in MENTOR.", may_be_null=True),
    Key("env_args", Kind.TEXTS, None, "Arguments of the build. The session's Environment arguments in MENTOR.", may_be_null=True),
    Key("base_port", Kind.WHOLE, 5005, "The first port. MENTOR chooses ports that are free.", sound=Range(1024, 65_535)),
    Key("num_envs", Kind.WHOLE, 1, "How many copies of the build run side by side.", sound=Range(1, 64)),
    Key("num_areas", Kind.WHOLE, 1, "How many copies of the training area a build makes.", limits=COUNT, since="0.28"),
    Key("timeout_wait", Kind.WHOLE, 60, "Seconds to wait for Unity.", sound=Range(1), since="1.0"),
    Key("seed", Kind.WHOLE, -1, "The seed of everything random; -1 is a random one.", sound=Range(-1, 2**31 - 1)),
    Key("max_lifetime_restarts", Kind.WHOLE, 10, "Restarts of an environment in all; -1 is no limit.", sound=Range(-1), since="0.28"),
    Key("restarts_rate_limit_n", Kind.WHOLE, 1, "Restarts within the period below; -1 is no limit.", sound=Range(-1), since="0.28"),
    Key("restarts_rate_limit_period_s", Kind.WHOLE, 60, "That period, in seconds.", sound=Range(1), since="0.28"),
))  # fmt: skip
ENGINE_SETTINGS = Section("engine_settings", "Engine", True, (
    Key("width", Kind.WHOLE, 84, "Width of the window in pixels.", sound=Range(1, 8192)),
    Key("height", Kind.WHOLE, 84, "Height of the window in pixels.", sound=Range(1, 8192)),
    Key("quality_level", Kind.WHOLE, 5, "Unity's quality level.", sound=Range(0)),
    Key("time_scale", Kind.NUMBER, 20.0, "How much faster than life; 1 for realistic physics, 100 at most.",
        sound=Range(above=0, most=100)),
    Key("target_frame_rate", Kind.WHOLE, -1, "Frames per second; -1 is as many as possible.", sound=Range(-1)),
    Key("capture_frame_rate", Kind.WHOLE, 60, "Frames per second of game time; 0 is real time.", sound=Range(0)),
    Key("no_graphics", Kind.TRUTH, False, "Draw nothing; camera observations need drawing."),
    Key("no_graphics_monitor", Kind.TRUTH, False, "Draw only the first environment.", since="1.1"),
))  # fmt: skip
CHECKPOINT_SETTINGS = Section("checkpoint_settings", "Checkpoints and names", True, (
    Key("run_id", Kind.TEXT, "ppo", "The name of the run's folder. The session's run id in MENTOR."),
    Key("initialize_from", Kind.TEXT, None, "A run whose networks to begin with. A field of the session in MENTOR.", may_be_null=True),
    Key("load_model", Kind.TRUTH, False, "An old name of resume."),
    Key("resume", Kind.TRUTH, False, "Go on from the last checkpoint. Asked of a session in MENTOR."),
    Key("force", Kind.TRUTH, False, "Overwrite the run. Asked of a session in MENTOR."),
    Key("train_model", Kind.TRUTH, False, "Ignored by ML-Agents."),
    Key("inference", Kind.TRUTH, False, "Do not learn."),
    Key("results_dir", Kind.TEXT, "results", "The folder of all runs. MENTOR_RESULTS_DIR in MENTOR.", since="0.24"),
))  # fmt: skip
TORCH_SETTINGS = Section("torch_settings", "PyTorch", False, (
    Key("device", Kind.TEXT, None, "cpu, cuda or cuda:0; chosen by PyTorch when null.", may_be_null=True, since="0.24"),
))  # fmt: skip

SECTIONS = {section.name: section for section in (
    ROOT, BEHAVIOR, PPO, SAC, POCA, NETWORK, MEMORY, *SIGNALS.values(), CLONING, SELF_PLAY, CURRICULUM, LESSON, CRITERIA,
    SAMPLER, *SAMPLERS.values(), ENV_SETTINGS, ENGINE_SETTINGS, CHECKPOINT_SETTINGS, TORCH_SETTINGS,
)}  # fmt: skip
RUN_SECTIONS = ("env_settings", "engine_settings", "torch_settings", "checkpoint_settings")
TRAINING_SECTIONS = tuple(name for name in ROOT.names if name not in RUN_SECTIONS)
# Everything that any of the three trainers knows; a trainer of a plugin may know more.
ALL_HYPERPARAMETERS = {key.name: key for section in HYPERPARAMETERS.values() for key in reversed(section.keys)}
# Keys whose value is never a section: what is indented under one of them is indented too far.
SINGLE_VALUES = frozenset(
    key.name for section in SECTIONS.values() for key in section.keys if not key.kind.value.startswith("a section")
) - {"curriculum", "intervals", "env_args", "value"} | {
    "trainer", "use_recurrent", "num_update", "train_interval", "measure", "min_lesson_length", "signal_smoothing",
    "sampler-type", "resampling-interval", "output_path", "thresholds",
    "brain_to_imitate", "batches_per_epoch", "summary_path", "model_path", "use_curiosity", "curiosity_strength",
    "curiosity_enc_size", "gamma",
}  # fmt: skip
