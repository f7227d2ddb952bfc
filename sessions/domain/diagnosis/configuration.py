"""The trainer configuration, as mlagents-learn refuses it."""

from sessions.domain.diagnosis.entries import Entry

_EDIT = ("edit",)

CONFIGURATION = (
    Entry(
        "config_not_found", "config",
        r"Config file could not be found at (?P<path>.+?)\.$",
        "The configuration file was not found",
        "There is no file {path}.",
        "Check the path; a relative one begins at the folder in which mlagents-learn was started.",
    ),
    Entry(
        "config_decode", "config",
        r"There was an error decoding Config file",
        "The configuration file is not UTF-8",
        "The file was saved in another encoding, or read in the encoding of Windows.",
        "Save it as UTF-8 without a byte order mark.",
        remedies=_EDIT,
    ),
    Entry(
        "config_bom", "config",
        r"The option (?:ï»¿|\ufeff)\w+ was specified in your YAML file, but is invalid",
        "The configuration begins with a byte order mark",
        "An editor put an invisible mark before the first key, and Python took it for a part of the key.",
        "Save the file as UTF-8 without a byte order mark, or set PYTHONUTF8=1.",
        versions=">=0.17", remedies=_EDIT,
    ),
    Entry(
        "config_yaml", "config",
        r"Error parsing yaml file",
        "The configuration is not valid YAML",
        "Indentation, brackets or quotes do not fit together.",
        "Look at the line that the message above names, and at the one before it.",
        remedies=_EDIT,
    ),
    Entry(
        "config_tab", "config",
        r"found character '\\t' that cannot start any token",
        "The configuration contains tabs",
        "YAML forbids tabs for indentation.",
        "Replace the tabs by spaces; the line number stands below the message.",
        remedies=_EDIT,
    ),
    Entry(
        "config_scanner", "config",
        r"yaml\.(?:scanner\.Scanner|parser\.Parser|composer\.Composer|constructor\.Constructor|reader\.Reader)Error: "
        r"(?P<why>.+)",
        "The configuration is not valid YAML",
        "A quote is not closed, a space after a colon is missing, or the like: {why}",
        "Correct the line that the message names.",
        remedies=_EDIT,
    ),
    Entry(
        "config_empty", "config",
        r"TypeError: 'NoneType' object is not iterable",
        "The configuration is empty",
        "The file holds nothing, or only comments.",
        "Give at least a section behaviors.",
        versions=">=0.17", remedies=_EDIT,
    ),
    Entry(
        "config_old_format", "config",
        r"The option (?P<key>default|resampling-interval|parameter_randomization|curriculum) was specified in "
        r"your YAML file, but is invalid",
        "The configuration has an old format",
        "{key} belongs to ML-Agents 0.17 or earlier; this version has another layout.",
        "Upgrade the file: manage.py validate shows what it becomes.",
        versions=">=0.17", remedies=_EDIT,
    ),
    Entry(
        "config_toplevel", "config",
        r"The option (?P<key>.+?) was specified in your YAML file, but is invalid",
        "A key at the top of the configuration is unknown",
        "{key} stands at the left margin, where ML-Agents knows no such key. Often it is a behavior that is not "
        "indented below behaviors.",
        "Indent behaviors below behaviors:. At the top may stand default_settings, behaviors, env_settings, "
        "engine_settings, environment_parameters, checkpoint_settings, torch_settings and debug.",
        versions=">=0.17", remedies=_EDIT,
    ),
    Entry(
        "config_key", "config",
        r"The option (?P<key>\S+) was specified in your YAML file for (?P<cls>\w+), but is invalid",
        "A key of the configuration is unknown",
        "{key} is no key of this section ({cls}): a typo, or a key of another trainer or another section.",
        "Correct or remove the key; manage.py validate names the nearest right one.",
        versions=">=0.17", remedies=_EDIT,
    ),
    Entry(
        "config_value", "config",
        r"ValueError: invalid literal for int\(\) with base 10: '(?P<v>[^']*)'"
        r"|ValueError: could not convert string to float: '(?P<f>[^']*)'",
        "A value of the configuration is no number",
        "ML-Agents expects a number and found {v}{f}. YAML reads 1e4 as text.",
        "Write the number with all its digits, such as 10000 or 0.0003.",
        versions=">=0.17", remedies=_EDIT,
    ),
    Entry(
        "config_enum", "config",
        r"ValueError: '(?P<v>[^']*)' is not a valid (?P<cls>ScheduleType|EncoderType|RewardSignalType"
        r"|ParameterRandomizationType|ConditioningType|CompletionCriteriaSettings\.MeasureType)",
        "A word of the configuration is not one of the choices",
        "{v} is no {cls}.",
        "Use one of the words that the setting allows.",
        versions=">=0.17", remedies=_EDIT,
    ),
    Entry(
        "config_trainer", "config",
        r"Invalid trainer type (?P<v>\S+) was found|unknown trainer type",
        "The trainer_type is unknown",
        "trainer_type must be ppo, sac or poca, in small letters, or that of an installed plugin.",
        "Correct trainer_type.",
        remedies=_EDIT,
    ),
    Entry(
        "config_no_trainer", "config",
        r"Hyperparameters were specified but no trainer_type was given",
        "trainer_type is missing",
        "hyperparameters can only be read when the trainer is known.",
        "Add trainer_type: ppo (or sac, poca) above hyperparameters.",
        versions=">=0.17", remedies=_EDIT,
    ),
    Entry(
        "config_unsupported", "config",
        r"Unsupported (?:config|reward signal configuration|parameter randomization configuration"
        r"|parameter environment parameter settings) (?P<v>.+)",
        "A section of the configuration is empty or of the wrong kind",
        "ML-Agents expected a section with keys and found {v}",
        "Fill the section, or remove it.",
        versions=">=0.17", remedies=_EDIT,
    ),
    Entry(
        "config_missing_arg", "config",
        r"TypeError: (?:\w+\.)?__init__\(\) missing \d+ required (?:positional|keyword-only) arguments?: (?P<a>.+)",
        "A required key of the configuration is missing",
        "Missing: {a}. For example demo_path of GAIL and behavioral cloning, or name of a lesson.",
        "Add the key.",
        versions=">=0.17", remedies=_EDIT,
    ),
    Entry(
        "config_behaviors_null", "config",
        r"AttributeError: '(?:NoneType|list)' object has no attribute 'items'",
        "behaviors is empty or a list",
        "Below behaviors there must be the names of behaviors, each with its settings.",
        "Write behaviors: and, indented below it, the name of the behavior with a colon.",
        versions=">=0.17", remedies=_EDIT,
    ),
    Entry(
        "config_memory", "config",
        r"When using (?:a recurrent network|memory), (?P<why>.+)",
        "The memory settings do not fit",
        "{why}",
        "memory_size must be even and above 0; sequence_length must not exceed batch_size.",
        versions=">=0.17", remedies=_EDIT,
    ),
    Entry(
        "config_curriculum", "config",
        r"A non-terminal lesson does not have a completion_criteria|Threshold for next lesson cannot be",
        "The curriculum cannot be followed",
        "Every lesson but the last needs completion_criteria, and a threshold of progress lies between 0 and 1.",
        "Correct the lesson.",
        versions=">=0.18", remedies=_EDIT,
    ),
    Entry(
        "curriculum_old", "config",
        r"(?:MetaCurriculum|Curriculum(?:Config|Loading)?)Error: (?P<why>.+)"
        r"|curriculum\.py\", line (?:.{0,300}\n){1,12}.{0,40}(?:JSON|Unicode)DecodeError: (?P<json>.+)",
        "The curriculum cannot be used",
        "ML-Agents up to 0.17 reads a curriculum from files of its own, one for each behavior: {why}{json}",
        "Name each file after its behavior, use only parameters that the Unity project has, and write valid JSON, "
        "with as many values as there are lessons.",
        versions="<=0.17",
    ),
    Entry(
        "default_missing", "config",
        r"KeyError: 'default'",
        "The configuration has no section default",
        "ML-Agents up to 0.13 takes what a brain does not say from a section default, and there is none.",
        "Add a section default, as in the trainer_config.yaml of that release.",
        versions="<=0.13", remedies=_EDIT,
    ),
    Entry(
        "config_sampler", "config",
        r"Sampler configuration does not contain|Minimum value is greater than maximum|must contain exactly two values",
        "A sampler cannot be used",
        "sampler_type or sampler_parameters is missing, or a minimum is above its maximum.",
        "Correct the sampler.",
        versions=">=0.18", remedies=_EDIT,
    ),
)  # fmt: skip
