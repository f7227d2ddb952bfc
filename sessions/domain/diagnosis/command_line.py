"""The command line of mlagents-learn."""

from sessions.domain.diagnosis.entries import Entry, Kind

COMMAND_LINE = (
    Entry(
        "cli_unrecognized", "cli",
        r"mlagents-learn(?:\.exe)?: error: unrecognized arguments: (?P<arg>.+)",
        "An option is unknown",
        "This version of mlagents-learn does not know {arg}.",
        "Leave the option out, or use the ML-Agents version that has it. A path with blanks must stand in quotes.",
    ),
    Entry(
        "cli_value", "cli",
        r"mlagents-learn(?:\.exe)?: error: argument (?P<arg>\S+): (?P<why>.+)",
        "An option has a wrong value",
        "{arg} cannot be used so: {why}",
        "Correct the value and start again.",
    ),
    Entry(
        "cli_usage", "cli",
        r"^Usage:\n(?:.{0,300}\n){1,4}\s{1,20}(?:mlagents-)?learn --help$",
        "The command line was not understood",
        "An option is unknown, a value is missing, or a path with blanks stands without quotes: this ML-Agents answers "
        "with its usage alone.",
        "Compare the command with the usage, and put paths with blanks in quotes.",
        versions="<=0.14",
    ),
    Entry(
        "cli_removed", "cli",
        r"The command line argument (?P<opt>--\w+) was removed",
        "An option no longer does anything",
        "{opt} was removed in ML-Agents 0.24 and is ignored.",
        "Leave it out.",
        versions=">=0.24", kind=Kind.NOTICE,
    ),
    Entry(
        "numenvs_editor", "cli",
        r"num_envs must be 1 if env_path is not set",
        "Several environments need a build",
        "num_envs is larger than 1, but there is no build; the Unity Editor is one environment only.",
        "Give the path of a build, or use one environment.",
        versions=">=0.18", remedies=("one_environment",),
    ),
    Entry(
        "numareas", "cli",
        r"num_areas must be set to a positive number",
        "num_areas is wrong",
        "num_areas is smaller than 1.",
        "Use 1 or more.",
        versions=">=0.28",
    ),
    Entry(
        "device_name", "cli",
        r"RuntimeError: Expected one of cpu, cuda,.{0,500}device type at start of device string: (?P<dev>\S+)"
        r"|not linked with support for (?P<other>\w+) devices|Invalid device string: (?P<word>.+)",
        "The device is unknown to PyTorch",
        "This PyTorch cannot use the device {dev}{other}{word}.",
        "Use cpu, cuda or cuda:0.",
        versions=">=0.24", remedies=("cpu",),
    ),
    Entry(
        "plugin_missing", "any",
        r"Unable to find any entry points for mlagents\.(?:stats_writer|trainer_type)",
        "ML-Agents' own package data was not found",
        "Python 3.12, a frozen application or a broken installation hides the list of plugins; defaults are used.",
        "Nothing needs to be done. Reinstalling mlagents silences it.",
        versions=">=0.24", kind=Kind.NOTICE,
    ),
)  # fmt: skip
