"""manage.py validate: findings about files, with or without a server, for files that MENTOR has never seen."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.sessions.domain.configuration.old_examples import CURRICULUM_0_10, FLAT_SAC, SAMPLERS_0_16

GOOD = "behaviors:\n  Ball:\n    trainer_type: ppo\n    summary_freq: 1000\n"


def written(folder: Path, name: str, text: str | bytes) -> str:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def test_a_good_file_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("validate", written(tmp_path, "ball.yaml", GOOD))
    assert "ball.yaml: ML-Agents 1.1.0 takes it." in capsys.readouterr().out


def test_a_refused_file_is_explained_line_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="1 of 2 would be refused") as caught:
        call_command(
            "validate", written(tmp_path, "a.yaml", GOOD), written(tmp_path, "b.yaml", GOOD + "    max_step: 1\n")
        )
    assert caught.value.returncode == 1
    told = capsys.readouterr().out
    assert "line 5, column 5: error: max_step is no setting of a behavior." in told
    assert "Did you mean max_steps?" in told


def test_an_upgrade_is_shown_as_a_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError):
        call_command("validate", written(tmp_path, "old.yaml", FLAT_SAC))
    told = capsys.readouterr().out
    assert "written for ML-Agents 0.16 or older" in told
    assert "-    trainer: sac" in told
    assert "+    trainer_type: sac" in told


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError):
        call_command("validate", str(tmp_path / "nothing.yaml"), str(tmp_path), "--json")
    told = [one["findings"][0] for one in json.loads(capsys.readouterr().out)]
    assert "cannot be read" in told[0]["message"]
    assert (told[1]["message"], told[1]["line"]) == ("This is a folder.", None)


def test_standard_input_is_a_file_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD + "    network_settings: {deterministic: true}\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    call_command("validate", "-", "--json", "--trainer-version", "0.26.0")
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["file"], one["valid"], [finding["line"] for finding in one["findings"]]) == ("-", True, [5])
    assert "since ML-Agents 0.28; 0.26.0 passes over it" in one["findings"][0]["message"]


def test_curricula_and_samplers_of_their_own_are_taken_along(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beside = [written(tmp_path, "Roller.json", CURRICULUM_0_10), written(tmp_path, "samplers.yaml", SAMPLERS_0_16)]
    with pytest.raises(CommandError):
        call_command("validate", written(tmp_path, "old.yaml", FLAT_SAC), "--json", beside=list(map(Path, beside)))
    (one,) = json.loads(capsys.readouterr().out)
    made = yaml.safe_load(one["upgraded"])
    assert list(made["environment_parameters"]) == ["speed", "mass", "gravity", "scale"]
    assert "behavior: Roller" in one["upgraded"]
    assert any("resampling-interval" in finding["message"] for finding in one["findings"])


@pytest.mark.slow
def test_it_works_as_a_program_without_server_or_database(tmp_path: Path) -> None:
    files = [
        written(tmp_path, "good.yaml", GOOD),
        written(tmp_path, "Roller.json", CURRICULUM_0_10),
        written(tmp_path, "latin.yaml", "behaviors:\n  Bäll: {}\n".encode("latin-1")),
    ]
    home = tmp_path / "home"
    ran = subprocess.run(
        [sys.executable, str(Path(settings.BASE_DIR, "manage.py")), "validate", *files, "--json"],
        env={**os.environ, "MENTOR_HOME": str(home), "DJANGO_SETTINGS_MODULE": "mentor_site.settings"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert ran.returncode == 1, ran.stderr
    good, curriculum, latin = (one for one in json.loads(ran.stdout))
    assert set(good) == {"file", "valid", "format", "findings", "upgraded"}
    assert (good["valid"], good["file"]) == (True, files[0])
    assert "behavior: Roller" in curriculum["upgraded"]
    assert [(one["line"], one["column"]) for one in latin["findings"]] == [(2, 4)]
    assert not (home / "mentor.sqlite3").exists()
    assert "Traceback" not in ran.stderr
