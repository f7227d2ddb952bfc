"""The start form: what will be started is shown before it is; what is wrong is told at its field."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from sessions.models import Attempt, SessionEvent, TrainingSession
from tests.factories import CONFIG, make_mlagents_trainer, make_practice_trainer, make_session, make_user

pytestmark = pytest.mark.usefixtures("home")
HEADERS = {"accept": "application/json"}


@pytest.fixture
def page(client: Client, ada: User) -> Client:
    make_practice_trainer()
    client.force_login(ada)
    return client


@pytest.fixture
def opened(tmp_path: Path, settings: Settings) -> Path:
    """A folder that is open to users, with a configuration, a folder and things that are not shown."""
    folder = tmp_path / "open"
    (folder / "below").mkdir(parents=True)
    for name in ("ball.yaml", "Wall.YML", "plan.json", "notes.txt", ".hidden.yaml", "below/deep.yaml"):
        (folder / name).write_bytes(CONFIG)
    settings.MENTOR = {**settings.MENTOR, "MENTOR_FOLDERS": [folder]}
    return folder


def fields(**changes: Any) -> dict[str, Any]:
    """The form as a browser sends it, right unless changed."""
    return {"run_id": "ball-1", "mode": "executable", "trainer": "practice", "config_text": CONFIG.decode(), **changes}


def upload(data: bytes = CONFIG, name: str = "uploaded.yaml") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="application/yaml")


def sentence_at(field: str, content: bytes) -> str:
    """What the page says below a field."""
    found = re.search(rf'data-errors="{field}"[^>]*>(.*?)</p>', content.decode(), re.S)
    assert found, f"there is no place for the sentences of {field}"
    return html.unescape(found[1]).strip()


def command_on(content: bytes) -> str:
    found = re.search(r"data-command>(.*?)</pre>", content.decode(), re.S)
    assert found
    return html.unescape(re.sub(r"<[^>]+>", "", found[1]))


def test_the_form_offers_a_run_id_that_is_free_and_the_usable_trainers(page: Client, ada: User) -> None:
    make_session(owner=ada, run_id="session-1")
    mlagents = make_mlagents_trainer()
    mlagents.problem = "It is gone."
    mlagents.save()
    form = page.get("/start/").context["form"]
    assert form.initial["run_id"] not in TrainingSession.objects.values_list("run_id", flat=True)
    assert [name for name, _ in form.fields["trainer"].choices] == ["", "practice"]


def test_an_address_can_fill_fields_in(page: Client) -> None:
    content = page.get("/start/?run_id=given&config_path=/a/b.yaml&notes=no").content.decode()
    assert 'value="given"' in content
    assert 'value="/a/b.yaml"' in content


@pytest.mark.parametrize("action", ["review", "", "anything"])
def test_a_review_shows_the_command_and_stores_nothing(page: Client, home: Path, action: str) -> None:
    answer = page.post("/start/", fields(action=action, seed="5"))
    assert answer.status_code == 200
    assert "mlagents-learn" in command_on(answer.content)
    assert "--run-id=ball-1" in command_on(answer.content)
    assert "--seed=5" in command_on(answer.content)
    assert not TrainingSession.objects.exists()
    assert not (home / "runs").exists()


def test_what_was_reviewed_is_what_is_started(page: Client) -> None:
    shown = command_on(page.post("/start/", fields(action="review", seed="5", env_args="--level 'a b'")).content)
    answer = page.post("/start/", fields(action="start", seed="5", env_args="--level 'a b'"))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sessions/ball-1/")
    command = Attempt.objects.get().command
    assert command[-3:] == ["--env-args", "--level", "a b"]
    assert all(word in shown for word in command)
    assert SessionEvent.objects.get().who == "ada"


def test_every_field_reaches_the_session(page: Client) -> None:
    page.post(
        "/start/",
        fields(
            action="start", seed="3", width="84", height="60", time_scale="4.5", timeout_wait="30", no_graphics="on",
            priority="7", tags=" a, b c ,,", notes="first\nsecond", device="cpu",
        ),
    )  # fmt: skip
    session = TrainingSession.objects.get()
    assert (session.priority, session.tags, session.notes) == (7, ["a", "b c"], "first\nsecond")
    assert session.options == {
        "seed": 3, "width": 84, "height": 60, "time_scale": 4.5, "timeout_wait": 30, "no_graphics": True,
        "device": "cpu",
    }  # fmt: skip


@pytest.mark.parametrize("source", ["paste", "paste from windows", "upload", "path"])
def test_a_configuration_comes_by_paste_upload_or_path(page: Client, opened: Path, source: str) -> None:
    ways: dict[str, dict[str, Any]] = {
        "paste": {"config_text": CONFIG.decode()},
        "paste from windows": {"config_text": CONFIG.decode().replace("\n", "\r\n")},
        "upload": {"config_text": "", "config_file": upload()},
        "path": {"config_text": "", "config_path": f" {opened / 'ball.yaml'} "},
    }
    assert page.post("/start/", fields(action="start", **ways[source])).status_code == 302
    session = TrainingSession.objects.get()
    assert bytes(session.config_given) == CONFIG
    names = {"upload": "uploaded.yaml", "path": "ball.yaml"}
    assert session.config_name == names.get(source, "config.yaml")


def test_an_uploaded_file_is_kept_byte_for_byte(page: Client) -> None:
    odd = CONFIG.replace(b"\n", b"\r\n") + b"# the end"
    page.post("/start/", fields(action="start", config_text="", config_file=upload(odd)))
    assert bytes(TrainingSession.objects.get().config_given) == odd


def test_overrides_are_typed_per_behavior_or_written_as_lines(page: Client) -> None:
    typed = {"override:Ball:max_steps": "9000", "override:Ball:learning_rate": "", "override:Ball:trainer_type": "sac"}
    lines = "# a comment\n\nbehaviors.Ball.summary_freq = 250\nbehaviors.Ball.learning_rate=0.002"
    content = page.post("/start/", fields(action="review", overrides=lines, **typed)).content.decode()
    assert 'name="override:Ball:max_steps"' in content
    assert 'value="9000"' in content
    page.post("/start/", fields(action="start", overrides=lines, **typed))
    session = TrainingSession.objects.get()
    used = bytes(session.config_used).decode()
    assert {"max_steps: 9000", "summary_freq: 250", "trainer_type: ppo"} <= {line.strip() for line in used.split("\n")}
    assert "0.002" in used
    assert bytes(session.config_given) == CONFIG
    assert session.behaviors.get().max_steps == 9000


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("run_id", {"run_id": ""}),
        ("run_id", {"run_id": "../x"}),
        ("run_id", {"run_id": "x" * 65}),
        ("mode", {"mode": "sideways"}),
        ("trainer", {"trainer": "nobody"}),
        ("config_text", {"config_text": "behaviors: ["}),
        ("config_text", {"config_text": ""}),
        ("config_path", {"config_text": "", "config_path": "/nowhere/ball.yaml"}),
        ("config_path", {"config_text": "", "config_path": "ball.yaml"}),
        ("env_path", {"env_path": "/nowhere/Ball"}),
        ("seed", {"seed": "many"}),
        ("num_envs", {"num_envs": "0"}),
        ("num_envs", {"num_envs": "2"}),
        ("width", {"width": "-3"}),
        ("time_scale", {"time_scale": "nan"}),
        ("env_args", {"env_args": "'unclosed"}),
        ("overrides", {"overrides": "no equals sign"}),
        ("overrides", {"overrides": "behaviors.Nobody.max_steps = 5"}),
        ("overrides", {"override:Ball:max_steps": "-5"}),
        ("priority", {"priority": "5000"}),
        ("initialize_from", {"initialize_from": "nobody"}),
        ("resume", {"resume": "on"}),
    ],
)
@pytest.mark.parametrize("action", ["review", "start"])
def test_wrong_input_has_its_sentence_at_its_field_and_keeps_what_was_typed(
    page: Client, field: str, changes: dict[str, str], action: str
) -> None:
    answer = page.post("/start/", fields(action=action, notes="as typed", **changes))
    assert answer.status_code == 422
    assert sentence_at(field, answer.content).endswith(".")
    assert "as typed" in answer.content.decode()
    assert not TrainingSession.objects.exists()


def test_a_wrong_upload_is_told_at_the_upload(page: Client) -> None:
    for file in (upload(b"behaviors: ["), upload(b"#" * 300_000)):
        answer = page.post("/start/", fields(config_text="", config_file=file, action="start"))
        assert answer.status_code == 422
        assert sentence_at("config_file", answer.content)
    assert not TrainingSession.objects.exists()


def test_a_run_id_that_is_taken_is_told_and_its_session_stays(page: Client, ada: User) -> None:
    make_session(owner=ada, run_id="ball-1", notes="hers")
    answer = page.post("/start/", fields(action="start"))
    assert answer.status_code == 422
    assert TrainingSession.objects.get().notes == "hers"


def test_who_may_not_start_is_told_so_and_starts_nothing(client: Client, ben: User) -> None:
    make_practice_trainer()
    client.force_login(ben)
    for action in ("review", "start"):
        answer = client.post("/start/", fields(action=action))
        assert answer.status_code == 422
        assert "You may not start sessions." in answer.content.decode()
    assert "errors" in client.post("/start/preview/", fields()).json()
    assert not TrainingSession.objects.exists()


def test_what_was_typed_cannot_become_part_of_the_page(page: Client) -> None:
    hostile = '"><script>alert(1)</script>'
    changes = dict.fromkeys(("run_id", "notes", "tags", "overrides", "env_path", "device", "config_path"), hostile)
    config = CONFIG.decode().replace("Ball", "'</pre><script>alert(1)</script>'")
    for answer in (
        page.post("/start/", fields(**changes)),
        page.post("/start/", fields(config_text=config)),
        page.get("/start/", {"run_id": hostile, "config_path": hostile}),
    ):
        assert "<script>alert" not in answer.content.decode()


def test_a_preview_is_what_a_start_would_do_as_json(page: Client) -> None:
    answer = page.post("/start/preview/", fields(**{"override:Ball:max_steps": "77"}), headers=HEADERS).json()
    assert answer["errors"] == {}
    assert "--run-id=ball-1" in answer["command"]
    assert answer["suggested_run_id"].lower().startswith("ball")
    (behavior,) = answer["behaviors"]
    assert (behavior["name"], behavior["max_steps"], behavior["trainer_type"]) == ("Ball", 2000, "ppo")
    assert not TrainingSession.objects.exists()


def test_the_form_shows_the_checks_and_an_error_at_its_field(page: Client) -> None:
    make_mlagents_trainer()
    gail = "    reward_signals:\n      gail:\n        demo_path: /nowhere.demo\n"
    wrong = fields(trainer="mlagents", mode="editor", config_text=CONFIG.decode() + gail)
    answer = page.post("/start/preview/", wrong, headers=HEADERS).json()
    assert "/nowhere.demo" in answer["errors"]["config_text"][0]
    assert "--run-id=ball-1" in answer["command"]
    assert [one["id"] for one in answer["checks"] if one["level"] == "error"] == ["demonstrations"]
    shown = page.post("/start/", {**wrong, "action": "review"})
    assert shown.status_code == 422
    assert '<li class="error"><b>Demonstrations</b>' in shown.content.decode()


def test_everything_is_checked_on_a_button_with_and_without_a_script(page: Client) -> None:
    make_mlagents_trainer()
    asked = fields(trainer="mlagents", mode="editor")
    assert page.post("/start/preview/", asked).json()["parser"] == "unasked"
    assert "was not asked yet" in page.post("/start/", {**asked, "action": "review"}).content.decode()
    assert "could not be asked" in page.post("/start/", {**asked, "action": "check"}).content.decode()
    answer = page.post("/start/preflight/", asked).json()
    assert (answer["errors"], answer["parser"]) == ({}, "answered")
    assert "run_id" in page.post("/start/preflight/", fields(run_id="")).json()["errors"]
    assert page.get("/start/preflight/").status_code == 405


def test_a_preview_reads_the_configuration_whatever_else_is_wrong(page: Client, opened: Path) -> None:
    for source in (
        {"config_file": upload()},
        {"config_path": str(opened / "ball.yaml")},
        {"config_text": CONFIG.decode()},
    ):
        answer = page.post("/start/preview/", {**fields(run_id="", seed="x", config_text=""), **source}).json()
        assert (answer["command"], set(answer["errors"])) == (None, {"run_id", "seed"})
        assert [one["name"] for one in answer["behaviors"]] == ["Ball"]


def test_a_preview_of_an_upload_is_read_twice_without_harm(page: Client) -> None:
    answer = page.post("/start/preview/", fields(config_text="", config_file=upload())).json()
    assert answer["command"] is not None
    assert answer["errors"] == {}


def test_a_preview_without_a_configuration_says_what_is_missing(page: Client) -> None:
    answer = page.post("/start/preview/", fields(config_text="")).json()
    assert (answer["command"], answer["behaviors"], set(answer["errors"])) == (None, [], {"config_text"})
    assert page.get("/start/preview/").status_code == 405


def test_browsing_shows_folders_and_configurations_only(page: Client, opened: Path) -> None:
    listed = page.get("/start/browse/").json()
    assert listed["folder"] == str(opened)
    assert listed["parent"] is None
    assert [one["name"] for one in listed["folders"]] == ["below"]
    assert [one["name"] for one in listed["files"]] == ["ball.yaml", "plan.json", "Wall.YML"]
    below = page.get("/start/browse/", {"folder": listed["folders"][0]["path"]}).json()
    assert (below["parent"], [one["path"] for one in below["files"]]) == (
        str(opened),
        [str(opened / "below" / "deep.yaml")],
    )


@pytest.mark.parametrize(
    ("folder", "status"),
    [
        ("{open}/..", 404),
        ("{open}/below/../..", 404),
        ("/", 404),
        ("/etc", 404),
        ("{open}-beside", 404),
        ("{open}/link", 404),
        ("{open}/nothing", 404),
        ("{open}/ball.yaml", 404),
        ("relative", 400),
        ("//host/share", 400),
        ("\\\\host\\share", 400),
        ("{open}\0", 400),
    ],
)
def test_browsing_stays_inside_the_open_folders(page: Client, opened: Path, folder: str, status: int) -> None:
    (opened.parent / "open-beside").mkdir()
    (opened / "link").symlink_to(opened.parent)
    answer = page.get("/start/browse/", {"folder": folder.format(open=opened)}, headers=HEADERS)
    assert answer.status_code == status
    assert set(answer.json()) == {"code", "detail", "hint", "errors"}


def test_a_link_that_leads_out_is_not_shown_as_a_folder_and_cannot_be_read(
    client: Client, cyd: User, opened: Path
) -> None:
    make_practice_trainer()
    client.force_login(cyd)
    secret = opened.parent / "secret.yaml"
    secret.write_bytes(CONFIG)
    (opened / "link").symlink_to(opened.parent)
    (opened / "way-out.yaml").symlink_to(secret)
    assert [one["name"] for one in client.get("/start/browse/").json()["folders"]] == ["below"]
    for path in (secret, opened / "way-out.yaml", opened / ".." / "secret.yaml", opened / "link" / "secret.yaml"):
        answer = client.post("/start/", fields(action="start", config_text="", config_path=str(path)))
        assert answer.status_code == 422
        assert "not open to you" in sentence_at("config_path", answer.content)
    assert client.post(
        "/start/", fields(action="start", config_text="", config_path=str(opened / "ball.yaml"))
    ).status_code == 302  # fmt: skip


def test_browsing_needs_the_permission_to_start(client: Client, opened: Path, ben: User) -> None:
    client.force_login(ben)
    assert client.get("/start/browse/", headers=HEADERS).status_code == 403
    client.force_login(make_user("dee", "start_session"))
    assert client.get("/start/browse/", headers=HEADERS).status_code == 200
