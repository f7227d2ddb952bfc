"""Having a configuration read by the parser that will read it: that of the trainer, in the trainer's interpreter."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sessions.domain.failures import shorten

# A worker's task may take half a minute.
PARSER_SECONDS = 25.0
ANSWER_BYTES = 256 * 1024
# What is said on standard error is the traceback that the console of a training would have.
PROGRAM = """
import json, os, sys, traceback
answer = {"stage": "import"}
try:
    from mlagents.trainers.learn import parse_command_line
    answer = {"stage": "configuration"}
    parse_command_line(sys.argv[1:])
    answer = {"stage": "accepted"}
except SystemExit:
    pass
except BaseException as error:
    answer["said"] = str(error) or type(error).__name__
    traceback.print_exc()
sys.stdout.write("\\n" + json.dumps(answer) + "\\n")
sys.stdout.flush()
sys.stderr.flush()
os._exit(0)
"""
TOO_LONG = f"The trainer did not read the configuration within {PARSER_SECONDS:.0f} seconds."


@dataclass(frozen=True)
class Verdict:
    """What a trainer's parser made of a configuration; None when it came to no end.

    `stage` is where it was refused: import (of the trainer itself) or configuration; empty for what is accepted.
    """

    accepted: bool | None
    stage: str = ""
    sentence: str = ""
    fix: str = ""


def have_parsed(
    interpreter: str, config: bytes, *, variables: Mapping[str, str], seconds: float = PARSER_SECONDS
) -> Verdict:
    """Return what the parser of mlagents-learn makes of a configuration. It imports the trainer, which takes seconds.

    `variables` is the whole environment of the process. Nothing is trained and nothing is written. Never raises.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="mentor-parser-") as folder:
            path = Path(folder, "config.yaml")
            path.write_bytes(config)
            argv = [interpreter, "-c", PROGRAM, str(path), "--run-id=checked"]
            done = subprocess.run(  # noqa: S603
                argv,
                cwd=folder,
                env=dict(variables),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=seconds,
                check=False,
            )
    except subprocess.TimeoutExpired:
        return Verdict(None, sentence=TOO_LONG, fix="Ask again when the machine has less to do.")
    except OSError as error:
        return Verdict(None, sentence=f"The trainer could not be asked: {error.strerror or error}.")
    return _understood(done.stdout[-ANSWER_BYTES:], done.stderr[-ANSWER_BYTES:])


def _understood(output: bytes, complaint: bytes) -> Verdict:
    try:
        answer: Any = json.loads(output.decode("utf-8", "replace").strip().splitlines()[-1])
        stage, said = str(answer["stage"]), answer.get("said")
    except (ValueError, IndexError, KeyError, TypeError, AttributeError):
        return Verdict(None, sentence="The trainer ended without an answer.", fix="Look at it in a terminal.")
    if stage == "accepted":
        return Verdict(True)
    from sessions.domain.diagnosis.explain import diagnose  # which a supervisor would load, and never need
    from sessions.domain.diagnosis.reading import read_console

    text = complaint.decode("utf-8", "replace")
    said = shorten(str(said or text.strip().rpartition("\n")[2]).strip()).rstrip(".")
    found = diagnose(read_console(text), ended=True)
    where = "The trainer cannot be started" if stage == "import" else "ML-Agents refuses this configuration"
    return Verdict(False, stage, f"{where}: {said}.", found.fix if found else "")
