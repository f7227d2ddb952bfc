"""The files in deploy/ name commands and options that exist, and do not end trainings with MENTOR."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import load_command_class

from mentor_site.options import BASE_DIR, OPTIONS
from mentor_site.processes import STOP_SECONDS

DEPLOY = BASE_DIR / "deploy"
UNITS = ["mentor.service", "mentor.user.service"]
# Each of these would break a training that goes on, or that needs the GPU or a compiler.
HARMFUL = ("PrivateTmp", "PrivateDevices", "ProtectClock", "MemoryDenyWriteExecute", "RuntimeDirectory", "DeviceAllow")


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string((DEPLOY / name).read_text(encoding="utf-8"))
    return parser


def understood(words: list[str]) -> dict[str, Any]:
    """What the command of these words, behind manage.py, makes of its options; it must exist and take them."""
    command = load_command_class("mentor_site", words[0])
    return vars(command.create_parser("manage.py", words[0]).parse_args(words[1:]))


def behind_manage(line: str) -> list[str]:
    words = shlex.split(line)
    return words[next(n for n, word in enumerate(words) if word.endswith("manage.py")) + 1 :]


@pytest.mark.parametrize("name", UNITS)
def test_a_restart_of_the_service_ends_up_alone(name: str) -> None:
    service = unit(name)["Service"]
    assert service["KillMode"] == "process"
    assert service["OOMPolicy"] == "continue"
    assert float(service["TimeoutStopSec"]) > STOP_SECONDS
    assert not set(HARMFUL) & set(service)
    assert understood(behind_manage(service["ExecStart"]))["no_browser"] is True


def test_a_shutdown_asks_trainings_to_save_and_waits_for_them() -> None:
    both = unit("mentor-shutdown.service")
    assert behind_manage(both["Service"]["ExecStop"]) == ["stop", "--all"]
    assert understood(["stop", "--all"])["all"] is True
    assert both["Unit"]["After"] == "mentor.service"  # so that MENTOR still runs when trainings are stopped
    grace = next(option.default for option in OPTIONS if option.name == "MENTOR_STOP_GRACE_SECONDS")
    assert float(both["Service"]["TimeoutStopSec"]) >= grace + 30


@pytest.mark.parametrize(
    "path", sorted(path for path in DEPLOY.rglob("*") if path.is_file()), ids=lambda path: path.name
)
def test_every_variable_is_an_option(path: Path) -> None:
    known = {option.name for option in OPTIONS}
    assert set(re.findall(r"MENTOR_[A-Z_]+", path.read_text(encoding="utf-8"))) <= known


def test_the_image_starts_a_command_that_exists_and_keeps_secrets_out() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    entry = yaml.safe_load(re.findall(r"^ENTRYPOINT (.*)$", text, re.MULTILINE)[0])
    command = yaml.safe_load(re.findall(r"^CMD (.*)$", text, re.MULTILINE)[0])
    assert entry[-1].endswith("manage.py")
    assert understood(command)["host"] == "0.0.0.0"
    assert "MENTOR_ALLOWED_HOSTS=" in text  # up refuses an open address without it
    assert "USER mentor" in text
    ignored = (BASE_DIR / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {"/var", "/.venv", "/.git"} <= set(ignored)
    for name in re.findall(r"^COPY \S+ (\S+) (\S+) \./$", text, re.MULTILINE)[0]:
        assert (BASE_DIR / name).is_file()


def test_the_web_container_can_be_restarted_without_the_trainings() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    runner, web = services["runner"], services["web"]
    assert understood(runner["command"])["without_web"] is True
    assert understood(web["command"])["host"] == "0.0.0.0"
    assert runner["init"] is web["init"] is True
    assert runner["hostname"] == web["hostname"]
    assert runner["volumes"] == web["volumes"]
    assert "ports" not in runner
    assert all(port.startswith("127.0.0.1:") for port in web["ports"])
    assert (DEPLOY / runner["build"]["context"] / runner["build"]["dockerfile"]).resolve() == DEPLOY / "Containerfile"


def test_the_task_of_windows_has_none_of_the_defaults_that_end_trainings() -> None:
    script = (DEPLOY / "windows" / "register-task.ps1").read_text(encoding="utf-8")
    (arguments,) = re.findall(r'manage\.py`" (up[^"]*)"', script)
    assert understood(arguments.split())["no_browser"] is True
    assert "-ExecutionTimeLimit ([TimeSpan]::Zero)" in script
    assert "-DontStopIfGoingOnBatteries" in script
    assert script.count("{") == script.count("}")
    assert script.isascii()  # Windows PowerShell 5 reads files without a mark as its old code page


def test_the_page_speaks_of_every_file() -> None:
    page = (BASE_DIR / "docs" / "deploying.md").read_text(encoding="utf-8")
    assert all(path.name in page for path in DEPLOY.rglob("*") if path.is_file() and path.name != "Containerfile")
