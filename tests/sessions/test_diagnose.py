"""manage.py diagnose: consoles that MENTOR has never seen."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.sessions.domain.diagnosis.samples import RAISED

CONSOLE = (
    " Version information:\n  ml-agents: 0.30.0,\n"
    "[INFO] Ball. Step: 500. Time Elapsed: 5.3 s. Mean Reward: 2.194. Std of Reward: 0.197. Training.\n"
    f'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\n{RAISED["onnxscript"]}\n'
)


def run(*args: str) -> str:
    out = StringIO()
    call_command("diagnose", *args, stdout=out)
    return out.getvalue()


def test_it_answers_with_one_object_per_console(tmp_path: Path) -> None:
    for name, text in (("a.txt", CONSOLE), ("b.txt", "")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    first, second = json.loads(run(str(tmp_path / "a.txt"), str(tmp_path / "b.txt"), "--json"))
    assert (first["file"], first["version"], first["state"]) == (str(tmp_path / "a.txt"), "0.30.0", "failed")
    assert first["behaviors"] == [{"name": "Ball", "step": 500, "mean_reward": 2.194, "saved_step": None}]
    assert first["diagnosis"]["id"] == "onnxscript"
    assert first["diagnosis"]["evidence"][0]["line"] == 6
    assert (second["state"], second["diagnosis"]) == ("starting", None)


def test_it_tells_a_person_why_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbf" + CONSOLE.replace("\n", "\r\n").encode())
    text = run(str(tmp_path / "a.txt"))
    assert "failed, ML-Agents 0.30.0" in text
    assert "PyTorch is too new to export the model" in text
    assert "a.txt:6" in text


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        run(str(tmp_path / "nothing.txt"))
