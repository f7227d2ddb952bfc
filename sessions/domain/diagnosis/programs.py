"""Programs of one's own that use ML-Agents' Python interface: what they do wrong with it."""

from sessions.domain.diagnosis.entries import Entry

_CALLED = r"(?:UnityEnvironment|UnityEnv|UnityToGymWrapper|UnityParallelEnv|UnityAECEnv|ActionTuple)"
_OBJECTS = (
    r"(?:UnityEnvironment|UnityEnv|UnityToGymWrapper|UnityParallelEnv|UnityAECEnv|(?:Decision|Terminal)Steps?"
    r"|BatchedStepResult|StepResult|BrainInfo|BrainParameters|Behavior(?:Spec|Mapping)|AgentGroupSpec|Action(?:Spec|Tuple)"
    r"|EngineConfigurationChannel|EnvironmentParametersChannel)"
)
_MEMBERS = (
    r"(?:behavior_specs?|get_behavior_names|get_agent_groups|(?:external_)?brain_names|agent_id_to_index"
    r"|vector_observations|continuous|discrete|get_steps|set_actions|reset_parameters)"
)
_ARGUMENTS = (
    r"(?:worker_id|base_port|file_name|environment_filename|use_visual|uint8_visual|no_graphics|flatten_branched"
    r"|allow_multiple_\w{1,20}|multiagent|side_channels|docker_training|additional_args|timeout_wait)"
)

PROGRAMS = (
    Entry(
        "script_api", "cli",
        rf"(?P<what>'{_OBJECTS}' object has no attribute '\w{{1,100}}'|object has no attribute '{_MEMBERS}')"
        rf"|\b{_CALLED}\(.{{0,300}}\n(?:.{{0,300}}\n){{0,9}}?TypeError: (?P<call>.{{0,60}}\(\) .{{1,200}})"
        r"|TypeError: (?P<word>.{0,60}\(\) got (?:an unexpected keyword|multiple values for) "
        rf"argument '{_ARGUMENTS}')",
        "A program uses ML-Agents in another release's way",
        "It was written for another release of mlagents_envs than the one that is installed, or hands over something "
        "else than is asked for: {what}{call}{word}",
        "Compare the program with the Python interface of that release (pip show mlagents_envs), or install the "
        "release it was written for. The gym wrapper takes a UnityEnvironment, no path; actions go in an ActionTuple.",
    ),
    Entry(
        "gym_wrapper", "env",
        r"UnityGymException(?:: (?P<why>.+))?|There can only be one (?:Agent|agent|behavior|brain) in (?P<told>.+)",
        "The environment does not suit the gym wrapper",
        "gym knows one agent with one behavior: {why}{told}",
        "Leave one agent of one behavior in the scene, or use the wrappers for PettingZoo, which take several.",
    ),
    Entry(
        "gym_space", "env",
        r"(?P<of>observation|action) space is not supported",
        "The library cannot use these observations or actions",
        "The environment offers several as a tuple, and the library that trains takes no such {of} space.",
        "Use one observation, flattened branches (flatten_branched), or a wrapper that makes a Dict of several.",
    ),
    Entry(
        "gym_gymnasium", "env",
        r"not a Gymnasium environment|env\.(?:step|reset)\(.{0,200}\n(?:.{0,300}\n){0,4}?"
        r"ValueError: (?:too many|not enough) values to unpack",
        "gym and gymnasium are mixed",
        "One returns four values of a step, the other five, and packages were written for one of them.",
        "Use a release of the library that still takes gym (stable-baselines3 1.8), or wrap the environment "
        "with shimmy.",
    ),
    Entry(
        "cannot_pickle", "env",
        r"(?:[Cc]an(?:no|')t|Could not) pickle (?P<what>.+)|PicklingError",
        "Something cannot be handed to another process",
        "A program hands over what holds a thread, a lock or a connection, such as an environment that already runs: "
        "{what}",
        "Hand over a function that makes the environment, with a worker_id of its own for each process: SubprocVecEnv "
        "takes functions, no environments.",
    ),
    Entry(
        "main_guard", "env",
        r"before the\s{1,40}current process has finished its bootstrapping phase|freeze_support\(\)",
        "A program starts itself again and again",
        "On Windows and macOS a new process runs the program's file from its beginning, and what starts processes "
        "stands there unguarded.",
        "Put what starts processes below a line: if __name__ == \"__main__\": at the end of the file.",
    ),
)  # fmt: skip
