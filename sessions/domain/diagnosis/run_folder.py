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
        r"Weights only load failed|UnpicklingError",
        "The checkpoint cannot be loaded",
        "It is damaged, comes from elsewhere, or PyTorch 2.6 or later refuses what an older one saved.",
        "Use the PyTorch version the run was made with, or resume from an earlier checkpoint.",
        remedies=("resume",),
    ),
    Entry(
        "results_perm", "rundir",
        r"(?:PermissionError|\[Errno 13\]).{0,300}results"
        r"|The folder .{1,500} containing the generated model could not be accessed",
        "The results folder cannot be written to",
        "Rights are missing, or another program (TensorBoard, a virus scanner, OneDrive) holds the files.",
        "Give the right to write there, close the other program, or choose another results folder.",
    ),
    Entry(
        "results_dir", "rundir",
        r"FileNotFoundError: \[(?:Errno 2|WinError 3)\].{0,300}(?:results|run_logs|No such file or directory: '/)",
        "The results folder cannot be made",
        "The place does not exist, or nothing may be written there.",
        "Choose another results folder.",
    ),
    Entry(
        "disk_full", "any",
        r"No space left on device|\[Errno 28\]|There is not enough space on the disk",
        "The disk is full",
        "Checkpoints, event files or something else filled it.",
        "Make room, keep fewer checkpoints, then resume.",
        remedies=("resume",),
    ),
)  # fmt: skip
