"""Ends without an exception: what kernels, C libraries, shells and exit codes say."""

from sessions.domain import shell_words
from sessions.domain.diagnosis.entries import Entry

_ON = ("resume",)
_LESS = ("one_environment", "resume", "edit")

CRASHES = (
    Entry(
        "killed", "crash",
        r"^(?:.{0,200}: line \d+: +\d+ +Killed\b|(?:zsh|bash|sh|fish): killed\b|\[\d+\][ +\d-]* *[Kk]illed\b|Killed$)"
        rf"|[Oo]ut of memory: Killed process|^(?:{shell_words.KILLED})$",
        "The trainer was killed from outside",
        "Something ended it from one moment to the next. On Linux that is nearly always the kernel, when the memory of "
        "the machine or of the container ran out.",
        "Compare the memory below with what the machine has; the system's log (dmesg) names who was killed. Use fewer "
        "environments or a smaller buffer_size, then resume.",
        remedies=_LESS, codes=(-9, 137),
    ),
    Entry(
        "segfault", "crash",
        r"[Ss]egmentation fault|Fatal Python error: Segmentation|Windows fatal exception: access violation"
        rf"|^{shell_words.FAULT}$",
        "The trainer crashed in its libraries",
        "PyTorch, a driver or another library touched memory that is not its own; Python could not catch it.",
        "Update the GPU's driver, or reinstall torch in the version that this ML-Agents was made for. When it happens "
        "on the GPU only, train on the CPU.",
        remedies=("resume", "cpu"), codes=(-11, 139, 0xC0000005),
    ),
    Entry(
        "aborted", "crash",
        r"Fatal Python error: (?!Segmentation)|^Aborted\b|\bAborted +\(core dumped\)|^(?:zsh|bash|sh|fish): abort"
        r"|^\[\d+\][ +\d-]* *abort|terminate called (?:after throwing|without an active)"
        r"|(?:free|malloc|realloc)\(\): |double free or corruption|Windows fatal exception: (?!access)"
        rf"|^{shell_words.ABORTED}$",
        "The trainer gave up in its libraries",
        "A library found its own state broken and ended the program.",
        "The lines before tell which one. Reinstall torch in the version that this ML-Agents was made for; resume.",
        remedies=("resume", "cpu"), codes=(-6, 134, 0xC0000409, 0xC0000374, 0xC00000FD),
    ),
    Entry(
        "illegal_instruction", "crash",
        r"[Ii]llegal (?:hardware )?instruction",
        "The processor is too old for a library",
        "PyTorch, TensorFlow or NumPy use instructions (AVX) that this processor or its virtual machine lacks, or that "
        "a Mac with Apple silicon lacks when Python is one for Intel.",
        "Install builds for older processors (on such a Mac Python and packages for arm64), or train on another "
        "machine.",
        codes=(-4, 132, 0xC000001D),
    ),
    Entry(
        "bus_error", "crash",
        r"^(?:.{0,200}\b)?[Bb]us error",
        "The trainer lost memory that is shared or mapped",
        "A file in memory was cut, or /dev/shm or the disk is full; containers have little shared memory.",
        "Make room, give the container more shared memory (--shm-size), then resume.",
        remedies=_ON, codes=(-7, -10, 135, 138),
    ),
    Entry(
        "arithmetic", "crash",
        r"[Ff]loating[- ]point exception",
        "The trainer divided by zero in a library",
        "A library did arithmetic that the processor refuses.",
        "Resume; if it comes again, train on the CPU.",
        remedies=("resume", "cpu"), codes=(-8, 136, 0xC0000094),
    ),
    Entry(
        "terminated", "crash",
        r"^(?:.{0,200}: line \d+: +\d+ +Terminated\b|(?:zsh|bash|sh|fish): terminated\b|Terminated$)"
        r"|^\[\d+\][ +\d-]* *[Tt]erminated\b",
        "The trainer was ended from outside",
        "The system, a batch queue or a person asked it to end; that way nothing is saved.",
        "Resume it. Stop it through MENTOR next time, which has the model saved first.",
        remedies=_ON, codes=(-15, 143),
    ),
    Entry(
        "hangup", "crash",
        r"^Hangup$",
        "The trainer's terminal was closed",
        "The window or connection in which it ran went away.",
        "Resume it through MENTOR, whose trainings need no window.",
        remedies=_ON, codes=(-1, 129),
    ),
    Entry(
        "main_gone", "crash",
        r"\[WinError 109\]|connection\.py\", line \d{1,9}, in _?recv(?:_bytes)?\n(?:.{0,300}\n){1,3}"
        r"(?:EOFError|BrokenPipeError|ConnectionResetError)",
        "The trainer ended without a word",
        "The process beside Unity found that the trainer was gone: it was killed or crashed, mostly because memory ran "
        "out, or its window was closed.",
        "Watch the memory, and look into the system's log of events. Use fewer environments or a smaller buffer_size, "
        "then resume.",
        remedies=_LESS,
    ),
    Entry(
        "control_event", "crash",
        r"forrtl: error \(200\): program aborting due to (?P<what>[\w-]{1,40}) event",
        "The trainer was ended before it could save",
        "Ctrl-C was pressed or the window closed ({what}), and a library of conda's packages ended Python at once.",
        "Set FOR_DISABLE_CONSOLE_CTRL_HANDLER=1 before the next start, or stop it through MENTOR; then resume from the "
        "last checkpoint.",
        remedies=_ON,
    ),
    Entry(
        "library_start", "crash",
        r"0xc0000(?:135|142|07b)",
        "A library of Windows did not start",
        "A DLL that Python or a package needs is missing or could not be set up.",
        "Install the Visual C++ 2015-2022 redistributable and the GPU's driver, then start again.",
        remedies=("again",), codes=(0xC0000135, 0xC0000142, 0xC000007B),
    ),
)  # fmt: skip
