"""Behaviors, observations, demonstrations and networks: what does not fit while it trains."""

from sessions.domain.diagnosis.entries import CUT_OFF, Entry, Kind

_EDIT = ("edit",)

TRAINING = (
    Entry(
        "behavior_missing", "trainer",
        r"The behavior name (?P<b>.+?) has not been specified in the trainer configuration",
        "The configuration does not name the behavior",
        "Unity announced {b}, and the configuration has no such behavior. Capitals and blanks count.",
        "Write the name below behaviors as it stands in Unity's Behavior Parameters, or add default_settings.",
        versions=">=0.26", remedies=("rename", "edit"),
    ),
    Entry(
        "behavior_missing_old", "trainer",
        r'Trainer config must have either a "default" section, or a section for the brain name \((?P<b>.+?)\)'
        r"|self\.trainers\[brain_name\]\n\s{0,20}KeyError: '(?P<name>.{1,200})'(?!\n{1,3}During handling)"
        # What followed was cut off.
        r"|self\.trainers\[brain_name\]$(?!\n{1,3}\s{0,20}(?:KeyError|File |[~^]))"
        r"|self\.trainers\[brain_name\]\n\s{0,20}KeyError: '(?P<cut>.{1,200})'"
        rf"\n{{1,3}}During handling .{{0,200}}{CUT_OFF}",
        "The configuration does not name the behavior",
        "Unity announced a behavior ({b}{name}{cut}), and the configuration has no section for it.",
        "Add a section of that name, or a section default. A file that begins with behaviors is of ML-Agents 0.17 or "
        "later, and this one does not know that format.",
        versions="0.13 to 0.16", remedies=_EDIT,
    ),
    Entry(
        "behavior_default_warn", "trainer",
        r"Behavior name (?P<b>.+?) does not match any behaviors specified",
        "Default settings are used",
        "The configuration does not name {b}, so none of its settings count for it.",
        "Write the name as it stands in Unity's Behavior Parameters.",
        versions=">=0.19", kind=Kind.NOTICE,
    ),
    Entry(
        "no_behavior", "trainer",
        r"Trainer has no policies, not saving anything",
        "The trainer could not be built",
        "Building the policy failed; the error that follows says why.",
        "See the last error.",
        versions=">=0.20", kind=Kind.NOTICE,
    ),
    Entry(
        "demo_missing", "trainer",
        r"The demonstration file or directory (?P<p>.+?) does not exist",
        "The demonstration was not found",
        "There is no {p}; a relative path begins where the trainer was started.",
        "Write the whole path in demo_path.",
        remedies=_EDIT,
    ),
    Entry(
        "demo_mismatch", "trainer",
        r"in demonstration\s{1,100}do not match the policy's"
        r"|The demonstrations do not have the same number of observations|RuntimeError: Class values must be",
        "The demonstration does not fit the agent",
        "Observations or actions changed since it was recorded.",
        "Record the demonstration again.",
        versions=">=0.16",
    ),
    Entry(
        "obs_too_small", "trainer",
        r"Visual observation resolution \((?P<w>\d+)x(?P<h>\d+)\) is too small",
        "The camera's image is too small for the encoder",
        "The image has {w} x {h} pixels. The least side is 20 for simple, 36 for nature_cnn, 15 for resnet and 5 for "
        "match3.",
        "Use a larger image, or another vis_encode_type.",
        versions=">=0.13", remedies=("small_images", "edit"),
    ),
    Entry(
        "no_obs", "trainer",
        r"The trainer was unable to process any of the provided inputs|No valid network configuration possible",
        "The agent observes nothing",
        "It has no sensor, and its vector observation has size 0.",
        "Add observations in Unity.",
    ),
    Entry(
        "demo_first_bug", "trainer",
        r"agent_id \d{1,9} is not present in the BatchedStepResult",
        "This ML-Agents cannot read the demonstration",
        "ML-Agents 0.14.0 reads only demonstrations in which the agent never began a second episode.",
        "Use ML-Agents 0.14.1 or later.",
        versions="0.14.0",
    ),
    Entry(
        "demo_other", "trainer",
        r"demo_loader\.py\", line \d{1,9}, in \w{1,60}\n(?:(?!KeyboardInterrupt).{0,300}\n){1,60}?"
        r"(?:\w{1,60}\.){0,8}\w{0,60}Error\b",
        "The demonstration could not be read",
        "The trainer failed while it read the demonstration ({failure}): the file is damaged, or was recorded with "
        "another version of ML-Agents or with an agent that is no longer like this one.",
        "Record the demonstration again, with the com.unity.ml-agents package that this mlagents belongs to.",
        kind=Kind.LAST_RESORT,
    ),
    Entry(
        "image_shape", "training",
        r"Decompressed observation did not have the expected shape - decompressed had (?P<had>\(.{1,60}?\)) "
        r"but expected (?P<want>[\[(].{1,60}?[\])])",
        "Unity and the trainer arrange images differently",
        "The image has the shape {had}, and {want} was announced: com.unity.ml-agents and mlagents are of different "
        "releases, or a sensor compresses something else than it says.",
        "Install a com.unity.ml-agents package and a mlagents package of the same release (3.x or 4.x for mlagents "
        "1.x), or set the sensor's Compression to None.",
    ),
    Entry(
        "image_channels", "training",
        r"Compressed observation and its mapping had different number of channels - observation had (?P<had>\d{1,9}) "
        r"channels but its mapping had (?P<said>\d{1,9})",
        "A sensor says another number of channels than it sends",
        "The compressed image has {had} channels, and {said} were announced: a grid sensor or a camera that is stacked "
        "does so in some releases of com.unity.ml-agents.",
        "Set the sensor's Observation Stacks to 1 or its Compression to None, or update com.unity.ml-agents.",
    ),
    Entry(
        "obs_shape", "training",
        r"UnityObservationException: (?!.{0,100}[Ii]nvalid Compressed|(?:Dec|C)ompressed)"
        r".{1,500}(?:expected|Expected|different number)|Cannot feed value of shape .{1,200} for Tensor '\w{0,100}obs",
        "An observation changed its size",
        "The number of AddObservation calls differs from Space Size, or an image has another shape than was announced.",
        "Correct CollectObservations in Unity.",
        versions=">=0.14",
    ),
    Entry(
        "resume_shape_warn", "trainer",
        r"Failed to load for module (?P<m>.+?)\. Initializing",
        "Weights were not loaded",
        "{m} has another shape than in the checkpoint, so it begins untrained.",
        "Stop, restore the network_settings and observations the run had, then resume.",
        versions=">=0.26", kind=Kind.NOTICE,
    ),
    Entry(
        "state_dict", "training",
        r"Error\(s\) in loading state_dict for|loaded state dict (?:contains a parameter group|has a different)"
        r"|Key \S{1,300} not found in checkpoint"
        r"|Assign requires shapes of both tensors to match",
        "The checkpoint is of another network",
        "Weights or the state of the optimizer do not fit: network_settings, the trainer, or what the agent observes "
        "and does changed since it was saved.",
        "Resume with the settings and the Unity project it had, or start another run.",
        remedies=_EDIT,
    ),
    Entry(
        "network_input", "training",
        r"mat1 and mat2 shapes cannot be multiplied(?: \((?P<what>[^()]{1,60})\))?"
        r"|size mismatch, m1: (?P<old>.{1,100})",
        "The network gets more or fewer numbers than it was made for",
        "Observations, or a demonstration, have another size than the network ({what}{old}): they changed since the "
        "checkpoint or the demonstration was made, or a program hands over something else.",
        "Resume with the observations it had, record the demonstration again, or start another run.",
        remedies=_EDIT,
    ),
    Entry(
        "tf_shape", "training",
        r"(?P<what>Cannot feed value of shape .{1,200})",
        "TensorFlow got more or fewer numbers than it was built for",
        "{what}. Agents that ask for decisions at different times, or a demonstration of another agent, bring this "
        "about; releases up to 0.14 have mistakes of their own there, with memory and curiosity above all.",
        "Try it without use_recurrent and curiosity, or with a newer release of ML-Agents.",
        versions="<=0.21", kind=Kind.LAST_RESORT, remedies=_EDIT,
    ),
    Entry(
        "resume_shape_crash", "training",
        r"RuntimeError: The size of tensor a \((?P<a>\d+)\) must match the size of tensor b \((?P<b>\d+)\)",
        "Resumed with another network",
        "The checkpoint is of a network of another size ({b} instead of {a}): hidden_units, num_layers or the "
        "observations changed.",
        "Resume with the settings and observations it had, or start another run and initialize it from this one.",
        versions=">=0.26", remedies=_EDIT,
    ),
    Entry(
        "slash_name", "training",
        r"RuntimeError: Parent directory (?P<p>.+) does not exist",
        "The behavior's name holds a slash",
        "ML-Agents makes a folder of the name, and {p} cannot be one.",
        "Rename the behavior in Unity and in the configuration, without / and \\.",
        versions=">=0.20",
    ),
    Entry(
        "group_reward_warn", "training",
        r"An agent recieved a Group Reward, but you are not using a multi-agent trainer",
        "Group rewards are given, but the trainer does not know groups",
        "AddGroupReward is used with ppo or sac.",
        "Use trainer_type: poca.",
        versions=">=0.25", kind=Kind.NOTICE,
    ),
    Entry(
        "teams_warn", "training",
        r"Your environment contains multiple teams, but \w+ doesn't support adversarial games",
        "There are several teams, but no self-play",
        "self_play is missing in the configuration.",
        "Add self_play, or give all agents the same Team Id.",
        versions=">=0.15", kind=Kind.NOTICE,
    ),
)  # fmt: skip
