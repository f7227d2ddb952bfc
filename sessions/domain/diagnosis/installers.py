"""pip, conda and shells: why there is no ML-Agents to start."""

from sessions.domain import shell_words
from sessions.domain.diagnosis.entries import Entry, Kind

INSTALLERS = (
    Entry(
        "pip_no_version", "import",
        r"No matching distribution found for (?P<what>.{1,200})"
        r"|Could not find a version that satisfies the requirement (?P<that>[^(\n]{1,200})",
        "pip found no version that fits",
        "There is no release of {what}{that} for this Python and this system: mostly, the Python is newer, or older, "
        "than what this ML-Agents asks for.",
        "Make an environment with Python 3.10.12 (3.8 or 3.9 for ML-Agents up to 0.30) and install there.",
        kind=Kind.LAST_RESORT, lasting=True,
    ),
    Entry(
        "pip_conflict", "import",
        r"^(?:ERROR: )?(?P<what>[\w.-]{1,60} \S{1,30} (?:has requirement|requires) .{1,200}), (?:but you(?:'ll)? "
        r"|which is not installed)|conflicting dependencies|ResolutionImpossible|UnsatisfiableError",
        "Packages of the trainer want different versions of another",
        "pip or conda could not give every package what it asks for. {what}",
        "Install ML-Agents alone into a fresh environment with Python 3.10, so that nothing else asks for versions of "
        "its own; pip check then names nothing.",
        kind=Kind.LAST_RESORT, lasting=True,
    ),
    Entry(
        "pip_write", "import",
        r"Could not install packages due to an? (?:OSError|EnvironmentError): (?P<what>.+)",
        "pip could not write a package",
        "The system refused a file: {what}",
        "Install into an environment of your own (python -m venv) in a folder with a short path, and close programs "
        "that use it.",
    ),
    Entry(
        "pip_managed", "import",
        r"error: externally-managed-environment",
        "The system's Python takes no packages",
        "Linux distributions and Homebrew keep their Python to themselves.",
        "Make an environment (python3.10 -m venv FOLDER), install mlagents there, and register its interpreter.",
    ),
    Entry(
        "network", "import",
        r"CERTIFICATE_VERIFY_FAILED|Max retries exceeded with url|CondaHTTPError|Temporary failure in name resolution"
        r"|the ssl module in Python is not available|ReadTimeoutError: HTTPSConnectionPool",
        "The internet could not be reached",
        "A download failed: there is no connection, or a proxy or a virus scanner stands between.",
        "Connect the machine, tell pip of the proxy (pip --proxy), or install from files that were downloaded before.",
        kind=Kind.LAST_RESORT, remedies=("again",),
    ),
    Entry(
        "conda_refused", "spawn",
        r"(?:EnvironmentNameNotFound|EnvironmentLocationNotFound|(?:Resolve)?Packages?NotFound(?:Error)?"
        r"|CommandNotFoundError|CondaError|NoBaseEnvironmentError): ?(?P<what>.*)",
        "conda could not do what it was asked",
        "There is no such environment or package, or conda was not set up for this shell. {what}",
        "Run conda init once and open the window anew; conda env list names the environments. Or make one with Python "
        "3.10.12: conda create -n mlagents python=3.10.12.",
        kind=Kind.LAST_RESORT, lasting=True,
    ),
    Entry(
        "shell_in_python", "import",
        r"File \"<(?:stdin|python-input-\d{1,9}|(?:ipython|stdin)-.{1,60})>\", line \d{1,9}\n"
        r"\s{0,20}(?:pip|python|conda|mlagents-)[\w.-]{0,30} .{0,300}\n(?:.{0,300}\n)?SyntaxError",
        "A command of the shell was given to Python",
        "What begins with pip, conda or mlagents-learn is for the shell (cmd, PowerShell), and Python read it.",
        "Leave Python with exit(), then give the command again; in a notebook write ! before it.",
    ),
    Entry(
        "no_venv", "spawn",
        r"activate(?:\.\w{1,5})?['\"]? is not recognized|activate(?:\.\w{1,5})?: No such file or directory",
        "The environment to activate is not there",
        "This folder holds no environment of that name, or it was made by another system: Windows has Scripts in it, "
        "Linux and macOS bin.",
        "Make it here (python -m venv venv), or go to the folder where it is. A trainer that is registered with "
        "MENTOR by its interpreter needs no activation.",
    ),
    Entry(
        "script_policy", "spawn",
        r"running scripts is disabled on this system|about_Execution_Policies",
        "PowerShell may not run the activation script",
        "Windows forbids PowerShell scripts, and with them the activation of an environment.",
        "Run: Set-ExecutionPolicy -Scope CurrentUser RemoteSigned; or use cmd. A trainer that is registered with "
        "MENTOR by its interpreter needs no activation.",
    ),
    Entry(
        "launcher", "spawn",
        r"Fatal error in launcher: (?P<what>.+)|Unable to create process using (?P<this>.+)",
        "The environment was moved",
        "mlagents-learn names a Python that is no longer where it was. {what}{this}",
        "Start it as python -m mlagents.trainers.learn, or make the environment again in its new place.",
    ),
    Entry(
        "python_missing", "spawn",
        r"Python was not found; run without|(?:python|pip|conda)[\d.]{0,5}['\"\u2019]?:? "
        r"(?:is not recognized|command not found)|command not found: (?:python|pip|conda)"
        rf"|\b(?:python|pip|conda)\b.{{0,20}}(?:{shell_words.NOT_FOUND})",
        "Python was not found",
        "Python, pip or conda is not installed, or its folder is not in PATH.",
        "Install Python 3.10, and register the interpreter of the environment with MENTOR by its whole path.",
        kind=Kind.LAST_RESORT, lasting=True,
    ),
)  # fmt: skip
