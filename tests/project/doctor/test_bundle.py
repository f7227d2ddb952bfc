"""A bundle for a bug report: what explains a fault is in it, and no secret, wherever it was planted."""

from __future__ import annotations

import io
import json
import logging
import zipfile
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from pytest_django import Settings

from mentor_site.doctor import bundle
from mentor_site.doctor.examination import examine
from mentor_site.logs import KeptLines, earlier, handlers, log_of
from sessions.domain.states import State
from sessions.models import Attempt, TrainingSession
from sessions.runtime.records import LaunchSpec
from sessions.services.launching import directory_of
from tests.factories import make_session
from tests.sessions.services.queueing import options

pytestmark = pytest.mark.usefixtures("quiet")

KEY = "django-secret-Kw7fQ2xLp9vT4mZc8bYr1nHs6dGj3aEu"
# Each is planted in another place; no byte of any may be in a bundle.
PLANTED = {
    "database": "dbpassw0rd!x",
    "redis": "r3dis-w0rd",
    "webhook": "T00AA/B11BB/planted-hook",
    "unknown option": "notify-planted-topic",
    "secret variable": "variable-planted-value",
    "plain variable": "licence of planted studio",
    "spec variable": "spec planted variable",
    "argument": "ARG-PLANTED-7",
    "console name": "hunter-planted-2",
    "console token": "ghp_plantedplantedplanted01",
    "console header": "plantedheader one two",
    "console url": "planteduser:plantedpass",
    "console random": "q8ZrT1vXy4LmN7pWc2KdS5fH",
    "player": "plantedplayerpin",
    "config": "plantedconfigtoken",
    "log": "plantedlogtoken",
    "timers": "plantedtimerssecret",
    "email": "ada.planted@example.org",
    "rule": "planted-rule-topic",
    "user": "plantedperson",
    "explanation": "plantedexplanation",
}
CONFIG = f"behaviors:\n  Ball:\n    trainer_type: ppo\n    max_steps: 2000\n# api_token: {PLANTED['config']}\n".encode()
CONSOLE = f"""[INFO] Version information: ml-agents: 1.1.0
wandb api_key = "{PLANTED["console name"]}"
using {PLANTED["console token"]} for the upload
Authorization: Bearer {PLANTED["console header"]}
cloning https://{PLANTED["console url"]}@git.example.org/x
session {PLANTED["console random"]} opened
started with ['--studio-key', '{PLANTED["argument"]}'] and {PLANTED["spec variable"]} of {PLANTED["plain variable"]}
secret key {KEY}
File "/home/{PLANTED["user"]}/ml/learn.py", line 3
[INFO] Ball. Step: 1000. Mean Reward: 1.000. Std of Reward: 0.500. Training.
RuntimeError: it broke
"""


@pytest.fixture
def broken(home: Path, ada: User, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> TrainingSession:
    """A session that failed, on a machine full of secrets."""
    settings.SECRET_KEY = KEY
    User.objects.filter(pk=ada.pk).update(email=PLANTED["email"])
    options(
        settings,
        MENTOR_DATABASE_URL=f"postgres://mentor:{PLANTED['database']}@db.example.org/mentor",
        MENTOR_REDIS_URL=f"redis://:{PLANTED['redis']}@redis.example.org",
        MENTOR_RULES={"notify_topic": PLANTED["rule"], "restart_limit": 3},
    )
    monkeypatch.setenv("MENTOR_NOTIFY_WEBHOOK", f"https://hooks.example.org/services/{PLANTED['webhook']}")
    monkeypatch.setenv("MENTOR_NOTIFY_TOPIC", PLANTED["unknown option"])
    monkeypatch.setenv("WANDB_API_KEY", PLANTED["secret variable"])
    monkeypatch.setenv("STUDIO", PLANTED["plain variable"])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    session = make_session(owner=ada, run_id="ball", state=State.FAILED, config=CONFIG)
    TrainingSession.objects.filter(pk=session.pk).update(
        rules={"notify_topic": PLANTED["rule"]}, explanation=f"token={PLANTED['explanation']}", notes=PLANTED["email"]
    )
    _plant_files(home, session)
    session.refresh_from_db()
    return session


def _plant_files(home: Path, session: TrainingSession) -> None:
    attempt = session.attempts.get()
    command = ["mlagents-learn", "config.yaml", "--env-args", "--studio-key", PLANTED["argument"]]
    Attempt.objects.update(
        command=command, results_dir=str(home / "runs/ball/results"), failure="RuntimeError: it broke"
    )
    directory = directory_of(attempt)
    spec = LaunchSpec("ball", 1, "cookie", command, "/", {"EXTRA": PLANTED["spec variable"], "LANG": "C.UTF-8"})
    directory.prepare(spec, config=CONFIG, given=CONFIG)
    directory.console.write_text(CONSOLE, encoding="utf-8")
    logs = home / "runs/ball/results/ball/run_logs"
    logs.mkdir(parents=True)
    (logs / "Player-0.log").write_text(f"Mono path\npin secret: {PLANTED['player']}\nCrash!!!\n")
    (logs / "timers.json").write_text(json.dumps({"name": "root", "metadata": {"auth_token": PLANTED["timers"]}}))
    (logs.parent / "Ball.onnx").write_bytes(b"model")
    (logs.parent / "events.out.tfevents.1").write_bytes(b"events")
    (home / "logs").mkdir()
    (home / "logs" / "web.log").write_text(f"WARNING told {PLANTED['rule']} of it\n")
    line = f"WARNING notify: POST https://hooks.example.org/services/{PLANTED['webhook']} token={PLANTED['log']}\n"
    log_of(home, "worker").write_text(line + f"ERROR {PLANTED['unknown option']} {PLANTED['database']} refused\n")


def members(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode("utf-8") for name in archive.namelist()}


def test_no_byte_of_a_planted_secret_is_in_a_bundle(broken: TrainingSession) -> None:
    told = members(bundle.build(examine(), broken))
    for place, secret in {**PLANTED, "key": KEY}.items():
        for name, text in told.items():
            assert secret not in text, f"the secret of {place} is in {name}"
            assert secret not in name
    assert not any("studio" in text and "licence" in text for text in told.values())


def test_what_explains_the_fault_is_in_it(broken: TrainingSession) -> None:
    told = members(bundle.build(examine(), broken))
    assert set(told) >= {
        "README.txt", "doctor.json", "versions.json", "settings.json", "environment.json", "logs/worker.log",
        "session/session.json", "session/attempts.json", "session/events.json", "session/config.yaml",
        "session/command.txt", "session/diagnosis.json", "session/environment.json", "session/console.log",
        "session/Player-0.log", "session/timers.json", "session/packages.txt",
    }  # fmt: skip
    assert "RuntimeError: it broke" in told["session/console.log"]
    assert "[INFO] Ball. Step: 1000. Mean Reward: 1.000. Std of Reward: 0.500. Training." in told["session/console.log"]
    assert "/ml/learn.py" in told["session/console.log"]
    assert "Crash!!!" in told["session/Player-0.log"]
    assert "max_steps: 2000" in told["session/config.yaml"]
    assert "django==" in told["session/packages.txt"]
    assert json.loads(told["session/timers.json"])["name"] == "root"
    assert json.loads(told["session/environment.json"]) == {"LANG": "C.UTF-8"}
    assert json.loads(told["environment.json"])["CUDA_VISIBLE_DEVICES"] == "1"
    assert json.loads(told["settings.json"])["MENTOR_MAX_PARALLEL"] == 2
    assert json.loads(told["settings.json"])["MENTOR_RULES"]["restart_limit"] == 3
    assert json.loads(told["doctor.json"])["level"] in ("warning", "error")


def test_models_and_events_stay_at_home_and_the_size_is_bounded(broken: TrainingSession, home: Path) -> None:
    directory_of(broken.attempts.get()).console.write_text("step by step, and ever on\n" * 20_000)
    for number in range(30):
        (home / f"runs/ball/results/ball/run_logs/Player-{number}.log").write_text("another frame was drawn\n" * 4_000)
    data = bundle.build(None, broken)
    told = members(data)
    assert not any(name.endswith((".onnx", ".pt")) or "tfevents" in name for name in told)
    assert sum(map(len, told.values())) < 2_000_000
    assert len([name for name in told if "Player" in name]) == 8


def test_a_session_without_files_makes_a_bundle_too(ada: User, home: Path) -> None:
    told = members(bundle.build(None, make_session(owner=ada, run_id="new")))
    assert json.loads(told["session/session.json"])["state"] == "queued"
    assert "doctor.json" not in told


def test_the_command_writes_it(broken: TrainingSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.zip"
    call_command("doctor", "--json", "--bundle", str(path), "--session", "ball")
    assert "session/console.log" in members(path.read_bytes())
    json.loads(capsys.readouterr().out)
    with pytest.raises(CommandError, match="no session gone"):
        call_command("doctor", "--bundle", str(path), "--session", "gone")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("doctor", "--bundle", str(tmp_path / "no" / "report.zip"))


def test_pages_hand_it_out_and_the_machine_only_to_staff(
    broken: TrainingSession, client: Client, ada: User, ben: User, cyd: User
) -> None:
    client.force_login(ada)
    answer = client.get("/doctor/bundle/")
    assert answer.headers["Content-Type"] == "application/zip"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "session/session.json" not in members(answer.content)
    assert "doctor.json" in members(client.get("/sessions/ball/bundle/").content)
    assert "/sessions/ball/bundle/" in client.get("/sessions/ball/").content.decode()
    client.force_login(ben)
    of_ben = members(client.get("/sessions/ball/bundle/").content)
    assert "session/console.log" in of_ben
    assert not {"doctor.json", "settings.json", "logs/worker.log"} & set(of_ben)
    client.force_login(cyd)
    assert client.get("/sessions/ball/bundle/").status_code == 404


# MENTOR's own log


def test_each_process_keeps_its_last_lines(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "worker.log"
    handler = KeptLines(path, most_bytes=100)
    for number in range(8):
        handler.handle(logging.LogRecord("mentor", logging.WARNING, "", 0, "line %d\r\x1b of many", (number,), None))
    assert path.read_text().splitlines()[-1].startswith("line 7") if path.exists() else earlier(path).exists()
    assert earlier(path).stat().st_size < 200
    assert path.parent.stat().st_mode & 0o077 == 0 or path.drive


def test_a_log_that_cannot_be_written_fails_nobody(tmp_path: Path) -> None:
    (tmp_path / "logs").touch()
    KeptLines(tmp_path / "logs" / "web.log").handle(logging.makeLogRecord({"msg": "x"}))


def test_commands_that_people_type_keep_no_log(tmp_path: Path) -> None:
    assert set(handlers(tmp_path, ["manage.py", "worker", "--end-with-stdin"])) == {"console", "kept"}
    assert set(handlers(tmp_path, ["manage.py", "doctor"])) == set(handlers(tmp_path, ["manage.py"])) == {"console"}
