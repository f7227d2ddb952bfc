"""What Unity's players write into their logs when they crash, cannot draw, or run a project that is not whole."""

from sessions.domain.diagnosis.entries import Entry

_ON = ("resume",)

# In the order in which they are preferred: what kept it from starting, then what it ended by.
PLAYER_CAUSES = (
    Entry(
        "player_display", "env",
        r"Unable to (?:open|initialize) (?:display|X11)|InitializeEngineGraphics failed|Desktop is 0 x 0"
        r"|Failed to (?:initialize|create) (?:the )?(?:graphics|D3D\d*|window|device)"
        r"|(?:Vulkan|vkCreate\w+|OpenGL|GLX|EGL).{0,100}(?:[Ff]ail|not found|not supported|no suitable|unable)"
        r"|No (?:supported|suitable) (?:renderers?|GPU|graphics)|Can't open display",
        "Unity found no display or no graphics driver",
        "The player could not draw: the machine has no display, or no driver for Vulkan or OpenGL.",
        "Start it again without graphics, or with xvfb-run where cameras are observed.",
        remedies=("no_graphics",),
    ),
    Entry(
        "player_incomplete", "env",
        r"error while loading shared libraries"
        r"|UnityPlayer\.(?:dll|so).{0,100}(?:not found|cannot open|[Ff]ailed|missing)"
        r"|There should be .{1,100}_Data.{1,20} folder|Data folder not found"
        r"|GameAssembly\.(?:dll|so).{0,100}(?:not found|[Ff]ailed)"
        r"|Failed to load (?:mono|il2cpp|PlayerDataFile)|Unable to load mono library|global-metadata\.dat",
        "The build is not whole",
        "The player misses a part of itself: UnityPlayer, its _Data folder, or what IL2CPP or Mono need.",
        "Copy the whole folder that Unity built, not the executable alone, and start again.",
        remedies=("again",),
    ),
    Entry(
        "player_trainer", "env",
        r"Couldn't connect to trainer on port (?P<port>\d+)",
        "Unity did not reach the trainer",
        "The player looked for a trainer on port {port} and found none: it started before the trainer listened, a "
        "firewall is between them, or their versions differ.",
        "Allow connections within this machine (127.0.0.1) for the build, then start again.",
        remedies=("port", "patience"),
    ),
    Entry(
        "player_version", "env",
        r"The Communicator API version is not compatible|Communication protocol.{0,50}not compatible",
        "The Unity package and the Python package do not belong together",
        "They speak different versions of the protocol.",
        "Install a com.unity.ml-agents package and a mlagents package of the same release.",
    ),
    Entry(
        "player_model", "env",
        r"(?:Barracuda|Sentis|InferenceEngine|OnnxImport)\S{0,100}(?:Exception|[Ee]rror)|Unsupported default attribute"
        r"|(?:Barracuda|Sentis|Inference Engine).{0,200}(?:not supported|[Ff]ailed|[Ee]xception)",
        "Unity could not run a model",
        "Sentis or Barracuda cannot use the model in Behavior Parameters: it is of another version, or broken.",
        "Take the model out of Behavior Parameters for training, or export it with the versions of this release.",
        remedies=_ON,
    ),
    Entry(
        "player_native_library", "env",
        r"DllNotFoundException: (?P<what>.{1,100})|Unable to load DLL|EntryPointNotFoundException"
        r"|(?:lib_burst_generated|[Bb]urst).{0,100}(?:not found|[Ff]ailed|[Uu]nable|error)",
        "A library of the project is missing in the build",
        "A plugin or Burst's own code is not in the build, or is for another platform. {what}",
        "Build the project anew for this platform, with the plugin's platform settings checked.",
        remedies=("again",),
    ),
    Entry(
        "player_memory", "env",
        r"[Oo]ut of memory|Could not allocate memory|DynamicHeapAllocator|Failed to allocate",
        "Unity ran out of memory",
        "The player asked for more memory than there was.",
        "Use fewer environments or smaller textures; a player that grows slowly has a leak in its scripts.",
        remedies=("one_environment", "resume"),
    ),
    Entry(
        "player_observations", "env",
        r"(?:More|Fewer) observations \((?P<made>\d+)\) made than vector observation size \((?P<size>\d+)\)",
        "An agent observes another number of values than it says",
        "CollectObservations wrote {made} values, and Space Size is {size}.",
        "Set Space Size to the number of values, and build the project anew.",
    ),
    Entry(
        "player_components", "env",
        r"referenced script .{0,100}is missing|MissingComponentException|MissingReferenceException"
        r"|UnassignedReferenceException",
        "A component is missing in the Unity project",
        "An object of the scene lost a script, a component or a reference.",
        "Open the scene in Unity, fill in what is missing, and build the project anew.",
    ),
    Entry(
        "player_exception", "env",
        r"^(?P<what>(?:\w+\.)*\w*Exception\b.{0,200})",
        "A script of the Unity project failed",
        "The player wrote: {what}",
        "Correct the script that the lines below it name, and build the project anew; then resume.",
        remedies=_ON,
    ),
    Entry(
        "player_crash", "env",
        r"^Crash!!!|Caught fatal signal|^Obtained \d+ stack frames|Native Crash Reporting|Got a SIG\w+ while executing"
        r"|\bSIG(?:SEGV|ABRT|BUS|ILL)\b|^Unhandled exception|Unity Player.{0,20}(?:crashed|stopped working)",
        "Unity crashed",
        "The player crashed in native code: in Unity itself, a plugin, or the graphics driver.",
        "Start it again without graphics; update Unity and the driver if it crashes again.",
        remedies=("no_graphics", "resume"),
    ),
)  # fmt: skip
