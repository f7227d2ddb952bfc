"""Unity: builds, the Editor, ports and the connection."""

from sessions.domain.diagnosis.entries import CUT_OFF, Entry, Kind

ENVIRONMENT = (
    Entry(
        "env_not_found", "env",
        r"Couldn't launch the (?P<env>.+?) environment\. Provided filename does not match any environments"
        r"|Exception: Couldn't launch the (?P<name>\S{1,300})$",
        "The Unity build was not found",
        "There is no build {env}{name}.",
        "Check the path; on Linux the file ends in .x86_64, on Windows in .exe, on macOS in .app.",
    ),
    Entry(
        "env_perm", "env",
        r"Error when trying to launch environment - make sure permissions are set correctly"
        r"|in (?:executable_launcher|launch_executable)\n(?:.{0,300}\n){1,12}.{0,40}PermissionError",
        "The Unity build may not be executed",
        "The file lacks the right to be executed, or is a folder.",
        "Run chmod -R 755 on the build; on macOS also xattr -dr com.apple.quarantine on the .app.",
        remedies=("again",), lasting=True,
    ),
    Entry(
        "env_format", "env",
        r"Exec format error|\[WinError (?:193|216)\]|Bad CPU type in executable|not a valid Win32 application",
        "The build is for another kind of machine",
        "The system cannot execute it: it was built for Windows, macOS or another processor, or the file is damaged.",
        "Build it for this system in Unity's Build Settings, copy all of it here, and start again.",
        remedies=("again",), lasting=True,
    ),
    Entry(
        "port_in_use", "env",
        r"Failed to bind to address|No address added out of total|Address already in use|\[WinError (?:10013|10048)\]|"
        r"worker number (?:Couldn't start socket communication because worker number )?(?P<w>\d+) is still in use",
        "The port is in use",
        "Another training or a Unity player left behind uses its port.",
        "End the other one. MENTOR chooses a free port at the next start; the Editor's port 5004 cannot be changed.",
        remedies=("port",),
    ),
    Entry(
        "timeout", "env",
        r"The Unity environment took too long to respond|\bUnityTimeOutException\b"
        # Its end was cut off.
        rf"|poll_for_timeout\(.{{0,60}}\){CUT_OFF}",
        "Unity did not answer in time",
        "In the Editor nobody pressed Play, it is paused, lost focus or does not compile. A build crashed, waits for a "
        "person, has no display, no agent with Behavior Type Default, or a package of another version.",
        "Editor: press Play when MENTOR asks for it, and turn Run In Background on. Build: look into Player-0.log, "
        "raise the timeout, and on a machine without a display use no graphics.",
        remedies=("no_graphics", "patience", "resume"),
    ),
    Entry(
        "no_display", "env",
        r"(?:[Cc]annot|[Cc]ould not) connect to (?:X server|display)|NoSuchDisplayException"
        r"|no display name and no \$DISPLAY",
        "A window was to be opened, and there is no display",
        "A program, or a library that draws, needs a display that this machine or container does not have.",
        "Start it without graphics or rendering, or below xvfb-run where cameras are observed.",
        remedies=("no_graphics",),
    ),
    Entry(
        "api_mismatch", "env",
        r"communication API version is not compatible between Unity and python\. "
        r"Python API: (?P<py>[\d.]+), Unity API: (?P<un>(?:\d[\d.]*\d)?)",
        "The Unity package and the Python package do not belong together",
        "Python speaks version {py} of the protocol, Unity {un}.",
        "Install a com.unity.ml-agents package and a mlagents package of the same release.",
        versions=">=0.15",
    ),
    Entry(
        "api_mismatch_old", "env",
        r"API number (?:is )?not compatible between Unity and [Pp]ython"
        # Until 0.4 they spoke over a socket, from 0.5 on through gRPC.
        r"|_conn\.recv\(.{0,200}\n(?:.{0,300}\n){0,4}?Unicode\w{1,10}Error",
        "The Unity package and the Python package do not belong together",
        "They speak different versions of the protocol.",
        "Install the same release on both sides.",
        versions="<=0.14",
    ),
    Entry(
        "api_empty", "env",
        r"'StrictVersion' object has no attribute 'version'",
        "Unity answered in the middle of a session",
        "Play was still on when the trainer restarted its connection, so Unity's first message named no version.",
        "Stop Play in Unity, start the training again, and press Play when MENTOR asks for it.",
        versions=">=0.15", remedies=("again",),
    ),
    Entry(
        "env_exit", "env",
        r"(?:(?<=Exception: )|(?!.{0,40} return code 0\b))"
        r"Environment shut down with return code (?P<rc>-?\d+)(?: \((?P<sig>\w+)\))?",
        "The Unity player ended by itself",
        "The build ended with code {rc} ({sig}): it crashed or quit. -11 is often a missing display, -9 too little "
        "memory.",
        "Look into Player-0.log in run_logs. On a machine without a display use no graphics; use fewer environments "
        "when memory is short.",
        versions=">=0.24", remedies=("no_graphics", "one_environment", "resume"),
    ),
    Entry(
        "env_restart", "env",
        r"Restarting worker\[(?P<w>\d+)\] after '(?P<why>.*)",
        "An environment was restarted",
        "Environment {w} went away: {why}",
        "In the Editor press Play again soon, otherwise the training ends.",
        versions=">=0.28", kind=Kind.NOTICE,
    ),
    Entry(
        "env_stuck", "env",
        r"TimeoutError: Workers \{(?P<which>.{0,500})\} stuck in waiting state",
        "An environment hangs while another is started again",
        "One environment ended, and environment {which} gave no answer for a minute; the trainer waits for all.",
        "Its Player-N.log in run_logs tells what it did last; end what is left of it, then resume.",
        versions=">=0.28", remedies=("resume",),
    ),
    Entry(
        "env_comm", "env",
        r"UnityEnvironment worker: (?:send|recv) failed"
        r"|subprocess_env_manager\.py\", line \d{1,9}, in (?:send|recv)\n(?:.{0,300}\n){1,14}?ConnectionResetError",
        "The connection to the environment was lost",
        "The process between the trainer and Unity died; mostly it was killed because memory ran out.",
        "The lines before, and Player-0.log in run_logs, tell more. Use fewer environments when memory is short.",
        remedies=("one_environment", "resume"),
    ),
    Entry(
        "env_killed_shutdown", "env",
        r"Environment timed out shutting down\. Killing",
        "Unity did not quit in time",
        "The player hung while it quit, and was ended.",
        "Mostly harmless.",
        kind=Kind.NOTICE,
    ),
    Entry(
        "workers_no_shutdown", "env",
        r"SubprocessEnvManager had workers that didn't signal shutdown",
        "Environments did not report their end",
        "This follows every restart of an environment.",
        "Nothing needs to be done.",
        versions=">=0.23", kind=Kind.NOTICE,
    ),
    Entry(
        "sidechannel", "env",
        r"Unknown side channel data received|There was a problem reading a message in a SideChannel"
        r"|The message received by the side channel .{1,200} was unexpectedly short"
        r"|message was too long for the side channel|UnitySideChannelException",
        "Unity uses a side channel in a way that Python does not know",
        "The project sends data through a side channel of its own, or through one of another version.",
        "Remove it in Unity, or train with a program that registers it.",
        versions=">=0.13",
    ),
    Entry(
        "brain_unused", "env",
        r"self\._n_agents\[_b\] = .{1,100}\n\s{0,20}KeyError: '(?P<b>.{1,200})'",
        "No agent uses the brain",
        "The Academy has the brain {b}, and no agent of the scene is linked to it.",
        "Link it to an agent, or take it from the Academy, and look into Unity's log for errors of the agents.",
        versions="<=0.8",
    ),
    Entry(
        "action_shape", "env",
        r"UnityActionException: (?P<why>.+)|(?P<told>The behavior \S{1,200} needs an? .{1,40}input of dimension .+)",
        "The actions do not fit the agent",
        "Unity expects other actions than it is sent: {why}{told}",
        "Make Behavior Parameters the same for all agents of a behavior, then start anew. A program of your own "
        "sends as many rows as there are agents that ask for a decision, none where all are done.",
        remedies=("again",),
    ),
    Entry(
        "grpc_size", "env",
        r"RESOURCE_EXHAUSTED|[Rr]eceived message larger than max",
        "Unity sends more at a time than the connection takes",
        "The observations of all agents together are larger than a message may be: images, or very many agents.",
        "Use smaller images, fewer agents per environment, or fewer stacked observations.",
    ),
    Entry(
        "grpc", "env",
        r"grpc\._channel\._\w+|StatusCode\.\w+|failed to connect to all addresses|Exception calling application"
        r"|grpc\.(?:RpcError|aio\.\w+)",
        "The connection between trainer and Unity broke",
        "gRPC, by which they talk, reported an error: a firewall or proxy is between them, or one of them died.",
        "Allow connections within this machine (127.0.0.1), unset http_proxy for them, and look into Player-0.log; "
        "then resume.",
        kind=Kind.LAST_RESORT, remedies=("port", "resume"),
    ),
    Entry(
        "env_left", "env",
        r"UnityCommunicatorStoppedException: Communicator has exited"
        r"|_conn\.(?:recv|send)\(.{0,200}\n(?:.{0,300}\n){0,4}?Connection\w{1,10}Error",
        "Unity closed the connection",
        "In the Editor somebody stopped Play; a build was quit.",
        "Resume it, and leave Unity running until the training ends.",
        remedies=("resume",),
    ),
    Entry(
        "env_restart_limit", "env",
        r"Worker (?P<w>\d+) exceeded the allowed number of restarts",
        "The environment went away too often",
        "Environment {w} ended again within a minute of its last restart. In the Editor, that is Play being stopped.",
        "Find out why it ends (Player-0.log, or the Editor's console), then resume; ML-Agents allows one restart a "
        "minute unless restarts_rate_limit_n is raised.",
        versions=">=0.28", remedies=("resume",), quiet=True,
    ),
)  # fmt: skip
