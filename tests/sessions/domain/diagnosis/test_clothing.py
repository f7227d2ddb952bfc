"""The same console in another clothing: whatever a console went through, it tells the same."""

from __future__ import annotations

import codecs
import html
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sessions.domain.diagnosis.explain import diagnose
from sessions.domain.diagnosis.reading import read_console
from sessions.domain.diagnosis.texts import decoded, undressed
from tests.sessions.domain.diagnosis.samples import ALSO_RAISED, BEFORE, RAISED

BANNER = " Version information:\n  ml-agents: 1.1.0,\n  ml-agents-envs: 1.1.0,\n  PyTorch: 2.2.2+cu121\n"
FRAMES = 'Traceback (most recent call last):\n  File "C:\\proj\\venv\\learn.py", line 8, in <module>\n    main()\n'


HEAD = "Traceback (most recent call last):"
POWERSHELL = (
    "In Zeile:1 Zeichen:1\n+ mlagents-learn ball.yaml --run-id=it 2>&1 | Tee-Object it.log\n+ ~~~~~~~~~~~~~~~~~\n"
    f"    + CategoryInfo          : NotSpecified: ({HEAD}:String) [], RemoteException\n"
    "    + FullyQualifiedErrorId : NativeCommandError\n "
)


def record(text: str) -> str:
    return f"[INFO] {text}\n"


def old_record(text: str) -> str:
    return f"2020-06-20 14:39:08 INFO [stats.py:100] {text}\n"


def console_of(last: str, *, line: Callable[[str], str] = record, before: str = "") -> str:
    head = BANNER + line("Connected new brain: My Agent?team=0")
    steps = [
        line(
            f"My Agent. Step: {step}. Time Elapsed: {step / 90:.3f} s. Mean Reward: -1.5. Std of Reward: 0.2. Training."
        )
        for step in (10000, 20000, 30000)
    ]
    saved = line("Exported results\\it\\My Agent\\My Agent-29999.onnx")
    return head + "".join(steps) + saved + before + FRAMES + last + "\n"


CONSOLES = [console_of(last, before=BEFORE.get(cause, "")) for cause, last in RAISED.items()]
CONSOLES += [console_of(last) for _, last in ALSO_RAISED]
CONSOLES += [console_of(RAISED["timeout"], line=old_record), BANNER + record("Learning was interrupted. Please wait")]


def told(text: str) -> tuple[Any, ...]:
    reading = read_console(text)
    diagnosis = diagnose(reading)
    return reading.version, reading.state, reading.behaviors, diagnosis and diagnosis.id


def every(change: Callable[[int, str], str]) -> Callable[[str], str]:
    return lambda text: "\n".join(change(number, line) for number, line in enumerate(text.split("\n"), 1))


AGAIN = "mlagents-learn ball.yaml --resume\n"
indented = every(lambda _, line: f"    {line}".rstrip())

CLOTHES: dict[str, Callable[[str], str]] = {
    "of Windows": lambda text: text.replace("\n", "\r\n"),
    "with a mark": lambda text: "\ufeff" + text,
    "quoted": every(lambda _, line: f"> {line}".rstrip()),
    "quoted twice": every(lambda _, line: f"> > {line}".rstrip()),
    "in a fence": lambda text: f"```\n{text}\n```\n",
    "in a fence of a language": lambda text: f"It fails:\n\n```text\n{text}\n```\nWhat now?\n",
    "indented": indented,
    "coloured": every(lambda _, line: f"\x1b[32m{line}\x1b[0m" if line else line),
    "coloured in parts": lambda text: text.replace("[INFO]", "[\x1b[1;34mINFO\x1b[0m]"),
    "with a clock": every(lambda number, line: f"2026-11-21T03:09:{number % 60:02}.123456789Z {line}"),
    "with a date": every(lambda number, line: f"[2026-11-21 03:09:{number % 60:02}] {line}"),
    "of a container": every(lambda _, line: f"trainer-1  | {line}"),
    "of a container with a clock": every(
        lambda number, line: f"trainer-1  | 2026-11-21T03:09:{number % 60:02}Z {line}"
    ),
    "of a cluster": every(lambda number, line: f"2026-11-21T03:09:{number % 60:02}.5+00:00 stderr F {line}"),
    "of the journal": every(lambda number, line: f"Nov 21 03:09:{number % 60:02} gpu1 mlagents-learn[4242]: {line}"),
    "of a runner": every(lambda _, line: f"[stderr] {line}"),
    "numbered": every(lambda number, line: f"{number:5}: {line}"),
    "numbered with dots": every(lambda number, line: f"  {number}. {line}"),
    "of PowerShell": lambda text: text.replace(HEAD, f"mlagents-learn.exe : {HEAD}\n{POWERSHELL}", 1),
    "with trailing blanks": every(lambda _, line: line.ljust(160)),
    "with progress bars": lambda text: text.replace("[INFO] My", "\r 10%|#   | 1/10\r 20%|##  | 2/10\r[INFO] My"),
    "in a document": lambda text: "It fails:\n\n" + indented(text) + "\n\nWhat now?\n",
    "in instructions": lambda text: f"Type:\n```\n{AGAIN}```\nIt says:\n\n{text}\n\nTo go on:\n```\n{AGAIN}```\n",
    "with line breaks": every(lambda _, line: f"{line}<br>"),
    "of a web page": lambda text: html.escape(text, quote=True),
    "with printers' quotes": lambda text: text.replace("'", "\u2019"),
    "after another start": lambda text: console_of(RAISED["cuda_oom"]).replace("30000", "900000") + text,
    "behind a prompt": lambda text: (
        "(venv) PS C:\\proj> mlagents-learn ball.yaml --run-id=it\n" + text + "(venv) PS C:\\proj> \n"
    ),
}


@pytest.mark.parametrize("clothing", CLOTHES)
def test_a_console_in_another_clothing_tells_the_same(clothing: str) -> None:
    for text in CONSOLES:
        assert told(CLOTHES[clothing](text)) == told(text), CLOTHES[clothing](text)


def test_the_names_of_processes_before_lines_are_none_of_their_words() -> None:
    text = console_of(RAISED["port_in_use"])
    assert told(every(lambda _, line: f"(Worker pid=4242) {line}")(text)) == told(text)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CONSOLES), st.lists(st.sampled_from(sorted(CLOTHES)), max_size=2, unique=True))
@example(CONSOLES[0], ["of Windows", "with line breaks"])
@example(CONSOLES[0], ["of PowerShell", "in a document"])
def test_so_does_one_that_went_through_several(text: str, layers: list[str]) -> None:
    dressed = text
    order = ["after another start", "behind a prompt", "with progress bars", "coloured in parts"]
    for one in sorted(layers, key=lambda name: (name not in order, name)):
        dressed = CLOTHES[one](dressed)
    assert told(decoded(dressed.encode())) == told(text)


@pytest.mark.parametrize("indent", [None, 1])
def test_a_notebook_tells_what_its_cells_printed(indent: int | None) -> None:
    text = console_of(RAISED["onnxscript"])
    stream = {"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)}
    error = {"output_type": "error", "traceback": ["\x1b[0;31mValueError\x1b[0m: of another cell"]}
    cells = [
        {"cell_type": "code", "source": "!pip install mlagents", "outputs": [error]},
        {"cell_type": "code", "source": ["!mlagents-learn ball.yaml --run-id=it"], "outputs": [stream]},
    ]
    assert told(json.dumps({"cells": cells}, indent=indent)) == told(text)


@pytest.mark.parametrize(
    "text", ['{"cells": 1}', '{"cells": [1, {"outputs": {}}, {"outputs": [2, {"text": 3}]}]}', "{"]
)
def test_what_only_looks_like_a_notebook_is_a_text(text: str) -> None:
    assert told(text) == told("")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_files_of_other_encodings_are_read(encoding: str) -> None:
    text = console_of(RAISED["onnxscript"]).replace("My Agent", "\u0412\u043e \u0440\u043e\u0442\u0430")
    assert told(decoded(text.encode(encoding))) == told(text)
    assert decoded(codecs.BOM_UTF16_BE + "Ä".encode("utf-16-be")) == "Ä"


def test_a_line_in_the_encoding_of_windows_does_not_spoil_the_others() -> None:
    text = "Zeile Übung\n".encode("cp1252") + "[INFO] Ворота\n".encode()
    assert decoded(text) == "Zeile Übung\n[INFO] Ворота\n"


@pytest.mark.parametrize("width", [60, 80, 100, 120])
@pytest.mark.parametrize("cause", ["timeout", "behavior_missing", "onnxscript", "resume_shape_crash", "env_exit"])
def test_lines_that_a_narrow_window_broke_are_put_together(cause: str, width: int) -> None:
    text = console_of(RAISED[cause])
    broken = "\n".join(line[at : at + width] for line in text.split("\n") for at in range(0, len(line) or 1, width))
    assert told(broken) == told(text), broken


@given(st.text(max_size=500), st.sampled_from(sorted(CLOTHES)))
def test_any_text_keeps_its_number_of_lines(text: str, clothing: str) -> None:
    lines = CLOTHES[clothing](text).split("\n")
    assert len(undressed(lines)) == len(lines)
