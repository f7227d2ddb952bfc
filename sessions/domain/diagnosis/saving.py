"""Exporting the model, and how a training ends."""

from sessions.domain.diagnosis.entries import Entry, Kind

SAVING = (
    Entry(
        "onnxscript", "export",
        r"No module named '?onnxscript\b|Module onnxscript is not installed",
        "PyTorch is too new to export the model",
        "From 2.9 on PyTorch exports through onnxscript, which does not live beside ML-Agents' packages.",
        "In the trainer's environment run: pip install \"torch==2.2.2\". What was learned until then is in "
        "checkpoint.pt: resume.",
        remedies=("resume",), lasting=True,
    ),
    Entry(
        "onnx_missing", "export",
        r"Module onnx is not installed|No module named '?onnx\b",
        "The package onnx is missing",
        "PyTorch 2 needs it to export the model, and ML-Agents up to 0.30 does not install it.",
        "In the trainer's environment run: pip install \"onnx==1.15.0\" \"protobuf<3.21\".",
        versions="0.26 to 0.30", remedies=("resume",), lasting=True,
    ),
    Entry(
        "onnx_dll", "export",
        r"(?:importing|onnx\.)\W?onnx_cpp2py_export|onnx_cpp2py_export.{0,200}(?:DLL|cannot open|undefined symbol)",
        "The package onnx cannot load its library",
        "onnx was built for another Python or protobuf, or Windows lacks the Visual C++ runtime.",
        "In the trainer's environment run: pip install --force-reinstall \"onnx==1.15.0\" \"protobuf<3.21\"; on "
        "Windows install the Visual C++ 2015-2022 redistributable. Then resume.",
        remedies=("resume",), lasting=True,
    ),
    Entry(
        "onnx_other", "export",
        r"torch\.onnx\.(?:errors\.)?\w+Error|OnnxExporterError|Unsupported ONNX opset version|UnsupportedOperatorError"
        r"|Bad node spec for node"
        # Raised by torch or onnx while it exports, or by the call of the one by the other.
        r"|in export_policy_model\n(?:.{0,300}\n){0,60}?\s{0,20}"
        r"(?:File \"[^\"\n]{0,300}[\\/](?:torch|onnx\w{0,20})[\\/][^\"\n]{1,200}\", line .{1,120}"
        r"|torch\.onnx\..{0,300})\n"
        r"(?:\s(?!\s{0,20}File ).{0,300}\n){0,2}(?:\w{1,60}\.){0,8}\w{0,60}(?:Error|Exception)\b",
        "The model could not be exported",
        "The versions of PyTorch and onnx do not fit together. The checkpoint was saved all the same.",
        "Use the PyTorch version that this ML-Agents was made for, then resume.",
        remedies=("resume",), lasting=True,
    ),
    Entry(
        "interrupted", "end",
        r"Learning was interrupted\. Please wait while the graph is generated",
        "The training was interrupted",
        "Somebody pressed Ctrl-C, or Unity closed the connection.",
        "Resume it.",
        kind=Kind.LAST_RESORT, remedies=("resume",), quiet=True, codes=(-2, 130, 0xC000013A),
    ),
    Entry(
        "early_interrupt", "end",
        r"^KeyboardInterrupt",
        "The training was stopped before it could save",
        "Somebody pressed Ctrl-C while it loaded or waited for Unity.",
        "Start it again.",
        kind=Kind.LAST_RESORT, remedies=("again",), quiet=True,
    ),
    Entry(
        "double_interrupt", "end",
        r"Learning was interrupted\..{0,200}\n(?:.{0,1000}\n){0,200}?KeyboardInterrupt",
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
        "encoding", "any",
        r"Unicode(?:De|En)codeError: (?P<what>.+)",
        "A name or a file has letters that Python cannot read or write",
        "An encoding does not know a letter: {what}",
        "Use plain letters in paths and names, save files as UTF-8, or set PYTHONUTF8=1, as MENTOR itself does.",
        kind=Kind.LAST_RESORT, remedies=("again",),
    ),
    Entry(
        "generic_traceback", "any",
        r"^(?:Traceback \(most recent call last\):|\s{0,20}File \"[^\"\n]{1,500}\", line \d"
        r"|(?:[^\W\d]\w{0,60}\.){0,8}\w{0,60}(?:Error|Exception)(?: \(see above for traceback\))?: )",
        "An error that is not in the catalogue",
        "The trainer ended with a Python error: {failure}",
        "Read its last line and those before it.",
        kind=Kind.LAST_RESORT, remedies=("resume",),
    ),
)  # fmt: skip
