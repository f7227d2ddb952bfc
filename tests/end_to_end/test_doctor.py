"""The doctor, asked from outside about a MENTOR that really runs, and about one that never ran."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from mentor_site.options import BASE_DIR
from tests.running import RunningMentor

WRONG = {"mlagents": "1.1.0", "mlagents_envs": "1.1.0", "torch": "2.2.2", "numpy": "1.23.5", "protobuf": "5.29.0"}


def make_wrong_trainer(folder: Path) -> Path:
    """An interpreter beside which packages stand that do not train together, as far as their metadata goes."""
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    where = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    site = Path(subprocess.run([python, "-c", where], capture_output=True, text=True, check=True).stdout.strip())
    for name, version in WRONG.items():
        about = site / f"{name}-{version}.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return python


def findings(mentor: RunningMentor) -> dict[str, dict[str, str]]:
    """What is not right, by title."""
    done = subprocess.run(
        mentor.manage("doctor", "--json"), env=mentor.environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return {one["title"]: one for one in json.loads(done.stdout)["findings"] if one["level"] != "ok"}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGSTOP")
def test_faults_of_a_running_mentor_are_named_with_their_fixes(tmp_path: Path) -> None:
    python = make_wrong_trainer(tmp_path / "wrong")
    blocked = tmp_path / "file"
    blocked.touch()
    mentor = RunningMentor(tmp_path / "home")
    mentor.environ.pop("MENTOR_TEST_HOME", None)
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(mentor.environ["MENTOR_BASE_PORT"]) + 2))
        other.listen()
        mentor.start()
        try:
            mentor.ask("POST", "trainers/", {"name": "wrong", "interpreter": str(python)})
            supervisor = mentor.parts()["supervise"]
            supervisor.send_signal(signal.SIGSTOP)
            mentor.environ |= {
                "MENTOR_RESULTS_DIR": str(blocked / "results"),
                "MENTOR_DISK_RESERVE_MB": "999999999",
                "MENTOR_MAX_PARALEL": "2",
            }
            found = findings(mentor)
            supervisor.send_signal(signal.SIGCONT)
        finally:
            mentor.stop()
    assert f"kill -CONT {supervisor.pid}" in found["MENTOR's processes"]["fix"]
    assert "protobuf==3.20.3" in found["Trainer wrong"]["fix"]
    assert f"process {os.getpid()}" in found["Ports of trainings"]["what"]
    assert "cannot be written" in found["Results"]["what"]
    assert "MENTOR_DISK_RESERVE_MB" in found["Disk"]["fix"]
    assert "MENTOR_MAX_PARALEL" in found["Settings"]["what"]


def test_a_mentor_that_never_ran_is_looked_at_and_nothing_is_made(tmp_path: Path) -> None:
    home, report = tmp_path / "home", tmp_path / "report.zip"
    environ = {**os.environ, "MENTOR_HOME": str(home), "STUDIO_PIN": "planted-in-the-environment"}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    command = [sys.executable, str(BASE_DIR / "manage.py"), "doctor", "--bundle", str(report)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert "There is none yet; manage.py up makes it." in done.stdout, done.stderr
    assert sorted(path.name for path in home.iterdir()) == ["secret_key"]
    key = (home / "secret_key").read_bytes().strip()
    with zipfile.ZipFile(report) as archive:
        for name in archive.namelist():
            assert key not in archive.read(name)
            assert b"planted-in-the-environment" not in archive.read(name)
