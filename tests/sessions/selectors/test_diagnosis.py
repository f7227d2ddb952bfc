"""Long consoles, and those that are asked about again and again."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User

from sessions.domain.states import State
from sessions.models import Attempt
from sessions.selectors import diagnosis
from sessions.selectors.diagnosis import diagnosis_of, read_file
from tests.factories import make_session
from tests.sessions.attempts import OnDisk

FAILURE = [
    "Traceback (most recent call last):",
    '  File "learn.py", line 1, in <module>',
    "mlagents.trainers.exception.TrainerConfigError: The behavior name Ball has not been specified in the trainer "
    "configuration. Please add an entry in the configuration file for Ball, or set default_settings.",
]


def failed(owner: User, *lines: str) -> OnDisk:
    disk = OnDisk(make_session(owner=owner, state=State.FAILED, run_id="ball"))
    Attempt.objects.filter(pk=disk.pk).update(exit_code=1)
    disk.say(*lines)
    return disk


@pytest.mark.usefixtures("home")
def test_a_line_keeps_its_number_where_the_middle_was_left_out(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "SHOWN_BYTES", 4000)
    disk = failed(ada, *(f"line {number}" for number in range(1, 2001)), *FAILURE)
    found = diagnosis_of(disk.session)
    assert found is not None
    assert found.id == "behavior_missing"
    assert [one.line for one in found.evidence] == [2003]


@pytest.mark.usefixtures("home")
def test_a_console_is_read_once_and_again_when_it_has_changed(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []

    def reading(path: Path, most: int) -> str:
        read.append(path)
        return read_file(path, most)

    monkeypatch.setattr(diagnosis, "read_file", reading)
    disk = failed(ada, "nothing that is known")
    for _ in range(3):
        found = diagnosis_of(disk.session)
    assert found is not None
    assert (found.id, len(read)) == ("unknown", 1)
    disk.say(*FAILURE)
    found = diagnosis_of(disk.session)
    assert found is not None
    assert (found.id, len(read)) == ("behavior_missing", 2)


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 25])
def test_a_file_is_read_whole_or_from_its_two_ends(tmp_path: Path, size: int) -> None:
    text = "".join("\n" if number % 4 == 3 else "x" for number in range(size))
    (tmp_path / "log").write_text(text, newline="")
    found = read_file(tmp_path / "log", 10)
    assert found.count("\n") == text.count("\n")
    assert (found[:5], found[-5:]) == (text[:5], text[-5:])
    assert size > 10 or found == text
