"""The run id, the results folder, and what a run resumes from."""

from sessions.domain.diagnosis.entries import Entry, Kind

RUN_FOLDER = (
    Entry(
        "run_exists", "rundir",
        r"Previous data from this run ID was found",
        "The run id is already used",
        "There is a results folder with this run id; a start that failed leaves one, too.",
        "Resume it, choose another run id, or start with force, which begins anew.",
        versions=">=0.16", remedies=("resume", "anew"),
    ),
    Entry(
        "run_missing", "rundir",
        r"Previous data from this run ID was not found",
        "There is nothing to resume",
        "No results folder has this run id.",
        "Check run id and results folder, or start without resume.",
        versions=">=0.16", remedies=("again",),
    ),
    Entry(
        "init_missing", "rundir",
        r"Could not initialize from (?P<p>.+?)\. ?(?:Make sure models|file does not exists)",
        "There is nothing to initialize from",
        "{p} does not exist, or has no checkpoint for one of the behaviors.",
        "Check the run id, and that its behaviors have the same names.",
        versions=">=0.16",
    ),
    Entry(
        "checkpoint_missing", "rundir",
        r"FileNotFoundError: .{0,300}No such file or directory: '(?P<p>[^']*checkpoint\.pt)'",
        "The run has no checkpoint to resume from",
        "{p} is missing: the run ended before its first save, or the behavior was renamed.",
        "Start anew. A resume that failed like this has written an untrained model with step 0.",
        versions=">=0.20", remedies=("again",),
    ),
    Entry(
        "status_incompatible", "rundir",
        r"Metadata not found, resuming from an incompatible version",
        "training_status.json is of another version",
        "The file that tells lessons and checkpoints is broken or was written by another version of ML-Agents.",
        "Restore or delete training_status.json in run_logs; MENTOR rebuilds it at the next resume.",
        versions=">=0.17", remedies=("resume",),
    ),
    Entry(
        "status_broken", "rundir",
        r"json\.decoder\.JSONDecodeError",
        "training_status.json is damaged",
        "The trainer was ended while it wrote the file.",
        "Delete training_status.json in run_logs; MENTOR rebuilds it at the next resume.",
        versions=">=0.17", remedies=("resume",),
    ),
    Entry(
        "status_missing_warn", "rundir",
        r"Training status file not found\. Not all functions will resume properly",
        "Lessons and ratings begin anew",
        "training_status.json is written only at the end, and the run before was ended by force.",
        "Resume through MENTOR, which rebuilds the file.",
        versions=">=0.17", kind=Kind.NOTICE,
    ),
    Entry(
        "version_changed_warn", "rundir",
        r"Checkpoint was loaded from a different version of ML-Agents"
        r"|PyTorch checkpoint was saved with a different version",
        "Resumed with another version",
        "ML-Agents or PyTorch changed since the checkpoint was saved.",
        "Prefer the versions the run began with.",
        versions=">=0.17", kind=Kind.NOTICE,
    ),
    Entry(
        "weights_only", "rundir",
        r"Weights only load failed|UnpicklingError|PytorchStreamReader failed|Invalid magic number; corrupt file"
        r"|BadZipFile|unexpected EOF, expected \d+ more bytes"
        r"|PyTorchFileReader\(.{0,100}\n(?:[ ~^]{0,200}\n)?OSError"
        r"|in _legacy_load\n[^\n]{0,300}\n(?:[^\n]{0,300}\n)?EOFError",
        "The checkpoint cannot be loaded",
        "It is damaged, comes from elsewhere, or PyTorch 2.6 or later refuses what an older one saved.",
        "Use the PyTorch version the run was made with, or resume from an earlier checkpoint. MENTOR looks at "
        "checkpoints before a resume and takes the last one that is whole.",
        remedies=("resume", "earlier"),
    ),
    Entry(
        "replay_buffer", "rundir",
        r"in (?:load|save)_replay_buffer\n(?:.{0,300}\n){1,20}?\w{1,40}Error\b"
        r"|Error: (?:\[Errno \d{1,3}\] )?Unable to (?:synchronously )?(?:open|create|lock) (?:file|object|dataset) \(",
        "The replay buffer cannot be read or written",
        "SAC keeps its experiences in last_replay_buffer.hdf5. The file is damaged, of another version, or in "
        "use: a run that was ended while it was saving leaves one that is not whole.",
        "Delete last_replay_buffer.hdf5 in the behavior's folder, then resume: the networks are kept, experiences are "
        "gathered anew.",
        versions=">=0.10", remedies=("resume",), lasting=True,
    ),
    Entry(
        "results_perm", "rundir",
        r"(?:PermissionError|\[Errno 13\]).{0,300}(?:results|run_logs)"
        r"|The folder .{1,500} containing the generated model could not be accessed",
        "The results folder cannot be written to",
        "Rights are missing, or another program (TensorBoard, a virus scanner, OneDrive) holds the files.",
        "Give the right to write there, close the other program, or choose another results folder.",
    ),
    Entry(
        "results_dir", "rundir",
        r"FileNotFoundError: \[(?:Errno 2|WinError 3)\].{0,300}(?:results|run_logs|No such file or directory: '/)"
        r"|(?:NotADirectoryError|FileExistsError): .{0,500}|Read-only file system|File name too long"
        r"|NotFoundError: .{0,300}Failed to create a (?:directory|NewWriteableFile)"
        r"|\[WinError (?:206|267)\]",
        "The results folder cannot be made",
        "The place does not exist, a file is in its place, its path is too long, or nothing may be written there.",
        "Choose another results folder, or a shorter run id.",
        remedies=("anew",),
    ),
    Entry(
        "locked_file", "any",
        r"\[WinError (?:32|33|362|389|395|396|398)\]|being used by another process|[Cc]loud file provider"
        r"|Text file busy",
        "Another program holds a file",
        "OneDrive, a virus scanner, TensorBoard or an open editor keeps a file that the trainer must replace.",
        "Close that program, or keep MENTOR_HOME outside of folders that OneDrive synchronizes; then resume.",
        remedies=("resume",),
    ),
    Entry(
        "antivirus", "any",
        r"\[WinError 225\]|contains a virus or potentially unwanted software|\[WinError 1260\]|blocked by group policy",
        "A virus scanner or a policy blocked a file",
        "Windows refused to open or to start a file of the training.",
        "Have the build's folder and MENTOR_HOME excluded from the scanner, then start again.",
        remedies=("again",),
    ),
    Entry(
        "no_permission", "any",
        r"PermissionError: (?P<what>.+)",
        "Something may not be read or written",
        "The system refused: {what}",
        "Give MENTOR's user the right to it, or close the program that holds it; then resume.",
        kind=Kind.LAST_RESORT, remedies=("resume",),
    ),
    Entry(
        "too_many_files", "any",
        r"Too many open files|\[Errno 24\]|\[Errno 23\]",
        "Too many files are open",
        "The system lets one user have only so many files and connections open at a time.",
        "Raise the limit (ulimit -n), or use fewer environments; then resume.",
        remedies=("one_environment", "resume"),
    ),
    Entry(
        "too_many_processes", "any",
        r"can't start new thread|BlockingIOError: \[Errno 11\]|Resource temporarily unavailable"
        r"|OpenBLAS blas_thread_init",
        "Too many processes or threads",
        "The system lets one user run only so many processes and threads at a time.",
        "Raise the limit (ulimit -u, or the container's), or use fewer environments; then resume.",
        remedies=("one_environment", "resume"),
    ),
    Entry(
        "disk_full", "any",
        r"No space left on device|\[Errno 28\]|There is not enough space on the disk|\[WinError 112\]"
        r"|Disk quota exceeded|OSError: \[Errno (?:27|122)\]|PytorchStreamWriter failed writing"
        r"|enforce fail .{0,200}unexpected pos \d+ vs",
        "The disk is full",
        "Checkpoints, event files or something else filled it, or its share for this user.",
        "Make room, keep fewer checkpoints, then resume.",
        remedies=("resume",),
    ),
)  # fmt: skip
