"""Exporting the model, and how a training ends."""

from sessions.domain.diagnosis.entries import Entry, Kind

SAVING = (
    Entry(
        "onnxscript", "export",
        r"No module named 'onnxscript'",
        "PyTorch is too new to export the model",
        "From 2.9 on PyTorch exports through onnxscript, which does not live beside ML-Agents' packages.",
        "In the trainer's environment run: pip install \"torch==2.2.2\". What was learned until then is in "
        "checkpoint.pt: resume.",
        remedies=("resume",),
    ),
    Entry(
        "onnx_missing", "export",
        r"Module onnx is not installed|No module named 'onnx'",
        "The package onnx is missing",
        "PyTorch 2 needs it to export the model, and ML-Agents up to 0.30 does not install it.",
        "In the trainer's environment run: pip install \"onnx==1.15.0\" \"protobuf<3.21\".",
        versions="0.26 to 0.30", remedies=("resume",),
    ),
    Entry(
        "onnx_other", "export",
        r"torch\.onnx\.(?:errors\.)?\w+Error|OnnxExporterError",
        "The model could not be exported",
        "The versions of PyTorch and onnx do not fit together. The checkpoint was saved all the same.",
        "Use the PyTorch version that this ML-Agents was made for, then resume.",
        remedies=("resume",),
    ),
    Entry(
        "interrupted", "end",
        r"Learning was interrupted\. Please wait while the graph is generated",
        "The training was interrupted",
        "Somebody pressed Ctrl-C, or Unity closed the connection.",
        "Resume it.",
        kind=Kind.LAST_RESORT, remedies=("resume",), quiet=True,
    ),
    Entry(
        "double_interrupt", "end",
        r"^KeyboardInterrupt",
        "Interrupted while it was saving",
        "Ctrl-C was pressed a second time before the model was saved.",
        "Resume from the last checkpoint, and press Ctrl-C once only.",
        remedies=("resume",),
    ),
    Entry(
        "logging_error", "any",
        r"--- Logging error ---|UnicodeEncodeError: '(?:charmap|cp\d+|ascii|gbk|mbcs)'",
        "The console cannot show a name",
        "A behavior or a path has letters that the console's encoding does not know; such lines are lost.",
        "Set PYTHONUTF8=1. MENTOR does so for what it starts.",
        kind=Kind.NOTICE,
    ),
    Entry(
        "generic_traceback", "any",
        r"^Traceback \(most recent call last\):",
        "An error that is not in the catalogue",
        "The trainer ended with a Python error.",
        "Read its last line and those before it.",
        kind=Kind.LAST_RESORT, remedies=("resume",),
    ),
)  # fmt: skip
