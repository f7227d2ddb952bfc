"""Files of a session by REST: listed, found by id alone, sent in full or in part, whatever happens to them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions.domain.states import State
from sessions.models import Artifact, TrainingSession
from sessions.selectors.run_files import MOST_FILES
from tests.factories import make_session

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="such files are made on POSIX")
DATA = bytes(range(256)) * 40


@pytest.fixture
def session(ada: User, home: Path) -> TrainingSession:
    session = make_session(owner=ada, run_id="ball", state=State.RUNNING)
    session.attempts.update(results_dir=str(home / "runs/ball/results"))
    return session


@pytest.fixture
def results(session: TrainingSession, home: Path) -> Path:
    folder = home / "runs/ball/results/ball"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def api(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def write(path: Path, data: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def listed(api: Client) -> dict[str, dict[str, Any]]:
    answer = api.get("/api/sessions/ball/files/")
    assert answer.status_code == 200
    return {one["name"]: one for one in answer.json()["results"]}


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_everything_a_run_wrote_is_listed_and_told_apart(api: Client, results: Path, home: Path) -> None:
    for name in (
        "configuration.yaml", "Ball.onnx", "Ball/Ball-500.pt", "Ball/events.out.tfevents.1.h.2.0", "Ball/demo.demo",
        "run_logs/Player-0.log", "run_logs/timers.json", "run_logs/training_status.json", "a/b/film.MP4", "x.csv", "x",
    ):  # fmt: skip
        write(results / name, b"four")
    for name in ("console.log", "config.yaml", "spec.json", "shim.lock", "claim.json"):
        write(home / "runs/ball/attempts/1" / name)
    kinds = {name: one["kind"] for name, one in listed(api).items()}
    assert kinds == {
        "results/configuration.yaml": "configuration",
        "attempts/1/config.yaml": "configuration",
        "results/run_logs/training_status.json": "status",
        "results/run_logs/timers.json": "timers",
        "attempts/1/console.log": "console",
        "results/run_logs/Player-0.log": "player_log",
        "results/a/b/film.MP4": "video",
        "results/Ball/demo.demo": "demonstration",
        "results/x.csv": "csv",
        "results/Ball.onnx": "model",
        "results/Ball/Ball-500.pt": "checkpoint",
        "results/Ball/events.out.tfevents.1.h.2.0": "events",
        "results/x": "other",
    }
    assert listed(api)["results/x"]["size"] == 4


def test_each_file_is_found_by_its_id_and_nothing_by_a_path(api: Client, results: Path) -> None:
    write(results / "notes.txt", b"hello")
    url = listed(api)["results/notes.txt"]["url"]
    answer = api.get(url)
    assert body(answer) == b"hello"
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    for key in ("notes.txt", "0" * 32, "..", "%2e%2e", "results%2fnotes.txt"):
        assert api.get(f"/api/sessions/ball/files/{key}/").status_code == 404


def test_an_id_of_one_session_opens_nothing_in_another(api: Client, results: Path, ada: User, home: Path) -> None:
    write(results / "notes.txt")
    other = make_session(owner=ada, run_id="other", state=State.RUNNING)
    other.attempts.update(results_dir=str(home / "runs/other/results"))
    write(home / "runs/other/results/other/notes.txt")
    key = listed(api)["results/notes.txt"]["id"]
    assert api.get(f"/api/sessions/other/files/{key}/").status_code == 404


def test_who_may_not_see_the_session_finds_no_file_of_it(client: Client, results: Path, ada: User, cyd: User) -> None:
    write(results / "notes.txt")
    client.force_login(ada)
    url = listed(client)["results/notes.txt"]["url"]
    client.force_login(cyd)
    for address in (url, "/api/sessions/ball/files/", "/api/sessions/ball/player-logs/"):
        assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    ("name", "content_type", "attachment"),
    [
        ("film.mp4", "video/mp4", False),
        ("film.webm", "video/webm", False),
        ("film.gif", "image/gif", False),
        ("timers.json", "text/plain; charset=utf-8", False),
        ("page.html", "application/octet-stream", True),
        ("drawing.svg", "application/octet-stream", True),
        ("Ball.onnx", "application/octet-stream", True),
        ("noending", "application/octet-stream", True),
    ],
)
def test_only_text_and_films_are_shown_in_place(
    api: Client, results: Path, name: str, content_type: str, attachment: bool
) -> None:
    write(results / name, b"<script>alert(1)</script>")
    answer = api.get(listed(api)[f"results/{name}"]["url"])
    assert answer.headers["Content-Type"] == content_type
    assert answer.headers["Content-Disposition"].startswith("attachment" if attachment else "inline")
    assert body(answer) == b"<script>alert(1)</script>"


def test_a_film_can_be_wound_forward(api: Client, results: Path) -> None:
    write(results / "film.mp4", DATA)
    url = listed(api)["results/film.mp4"]["url"]
    whole = api.get(url)
    assert (whole.status_code, whole.headers["Accept-Ranges"], len(body(whole))) == (200, "bytes", len(DATA))
    part = api.get(url, headers={"range": "bytes=100-199"})
    assert (part.status_code, part.headers["Content-Range"]) == (206, f"bytes 100-199/{len(DATA)}")
    assert part.headers["Content-Length"] == "100"
    assert body(part) == DATA[100:200]
    assert body(api.get(url, headers={"range": "bytes=-7"})) == DATA[-7:]
    beyond = api.get(url, headers={"range": f"bytes={len(DATA)}-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(DATA)}")
    several = api.get(url, headers={"range": "bytes=0-1,4-5"})
    assert (several.status_code, len(body(several))) == (200, len(DATA))


def test_a_download_goes_on_only_with_the_same_file(api: Client, results: Path) -> None:
    path = write(results / "film.mp4", DATA)
    url = listed(api)["results/film.mp4"]["url"]
    first = api.get(url)
    assert body(first) == DATA
    for validator in (first.headers["ETag"], first.headers["Last-Modified"]):
        part = api.get(url, headers={"range": "bytes=5-", "if-range": validator})
        assert (part.status_code, body(part)) == (206, DATA[5:])
    path.write_bytes(DATA + b"more")
    answer = api.get(url, headers={"range": "bytes=5-", "if-range": first.headers["ETag"]})
    assert (answer.status_code, body(answer)) == (200, DATA + b"more")


def test_head_tells_the_size_and_sends_nothing(api: Client, results: Path) -> None:
    write(results / "film.mp4", DATA)
    answer = api.head(listed(api)["results/film.mp4"]["url"], headers={"range": "bytes=0-1"})
    assert (answer.status_code, answer.headers["Content-Length"]) == (200, str(len(DATA)))
    assert body(answer) == b""


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, 300), length=st.integers(1, 300))
def test_every_part_is_those_bytes_of_the_file(api: Client, results: Path, start: int, length: int) -> None:
    write(results / "film.gif", DATA[:300])
    answer = api.get(listed(api)["results/film.gif"]["url"], headers={"range": f"bytes={start}-{start + length - 1}"})
    assert body(answer) == (DATA[:300][start : start + length] if start < 300 else b"")
    assert answer.status_code == (206 if start < 300 else 416)


def test_models_are_sent_in_parts_too(api: Client, session: TrainingSession, results: Path) -> None:
    write(results / "Ball.onnx", DATA)
    made = Artifact.objects.create(
        session=session, path="Ball.onnx", behavior="Ball", kind="onnx", size=len(DATA), modified_ns=1
    )
    answer = api.get(f"/api/sessions/ball/artifacts/{made.pk}/", headers={"range": "bytes=1-2"})
    assert (answer.status_code, body(answer)) == (206, DATA[1:3])
    assert answer.headers["Content-Disposition"] == 'attachment; filename="Ball.onnx"'
    assert answer.headers["Content-Type"] == "application/octet-stream"


def test_a_file_that_grows_is_sent_as_long_as_it_was(api: Client, results: Path) -> None:
    path = write(results / "run_logs/Player-0.log", b"one\n")
    answer = api.get(listed(api)["results/run_logs/Player-0.log"]["url"])
    with path.open("ab") as file:
        file.write(b"two\n")
    assert body(answer) == b"one\n"


def test_a_file_that_shrinks_is_never_taken_for_whole(api: Client, results: Path) -> None:
    path = write(results / "big.bin", b"x" * 3_000_000)
    answer = api.get(listed(api)["results/big.bin"]["url"])
    os.truncate(path, 10)
    with pytest.raises(Exception, match="too early"):
        body(answer)


def test_a_file_that_is_gone_is_missing(api: Client, results: Path) -> None:
    path = write(results / "notes.txt")
    url = listed(api)["results/notes.txt"]["url"]
    path.unlink()
    answer = api.get(url)
    assert (answer.status_code, answer.json()["code"]) == (404, "missing")


@needs_posix
def test_links_pipes_and_sockets_are_no_files(api: Client, results: Path, home: Path) -> None:
    secret = write(home / "secret.txt", b"secret")
    (results / "link.txt").symlink_to(secret)
    (results / "folder").symlink_to(home)
    os.mkfifo(results / "pipe.log")
    assert listed(api) == {}


@needs_posix
def test_a_file_that_becomes_a_link_or_a_pipe_is_not_followed_and_nobody_waits(
    api: Client, session: TrainingSession, results: Path, home: Path
) -> None:
    secret = write(home / "secret.txt", b"secret")
    path = write(results / "Ball.onnx")
    made = Artifact.objects.create(session=session, path="Ball.onnx", behavior="B", kind="onnx", size=1, modified_ns=1)
    path.unlink()
    path.symlink_to(secret)
    assert api.get(f"/api/sessions/ball/artifacts/{made.pk}/").status_code == 404
    path.unlink()
    os.mkfifo(path)
    assert api.get(f"/api/sessions/ball/artifacts/{made.pk}/").status_code == 404


@needs_posix
@pytest.mark.parametrize("name", [b"\xff\xfe.txt", b"a\nb.txt", "\u202etxt.exe".encode(), b"'\"<img src=x>.txt"])
def test_names_of_any_hostility_are_listed_and_served(api: Client, results: Path, name: bytes) -> None:
    write(results / os.fsdecode(name), b"here")
    ((shown, one),) = listed(api).items()
    assert not {"\n", "\u202e"} & set(shown)
    json.dumps(shown).encode("utf-8")
    answer = api.get(one["url"])
    assert body(answer) == b"here"
    assert "\n" not in answer.headers["Content-Disposition"]


def test_a_tree_without_end_is_listed_as_far_as_the_limit(api: Client, results: Path) -> None:
    for number in range(MOST_FILES + 5):
        (results / f"{number}.txt").touch()
    answer = api.get("/api/sessions/ball/files/").json()
    assert (len(answer["results"]), answer["complete"]) == (MOST_FILES, False)
    deep = results / "/".join(["d"] * 60)
    deep.mkdir(parents=True)
    write(deep / "x.txt")
    assert len(listed(api)) == MOST_FILES


def test_a_session_that_never_started_has_no_files(api: Client, ada: User, home: Path) -> None:
    make_session(owner=ada, run_id="ball")
    assert listed(api) == {}


def test_a_player_log_is_read_from_its_end_and_then_on(api: Client, results: Path) -> None:
    path = write(results / "run_logs/Player-0.log", b"one\ntwo\nthr")
    write(results / "run_logs/Player-1.log", b"other\n")
    url = "/api/sessions/ball/player-logs/"
    first = api.get(url).json()
    assert (first["attempt"], first["workers"], first["worker"], first["ended"]) == (1, [0, 1], 0, False)
    assert (first["offset"], first["next_offset"], first["text"]) == (0, 8, "one\ntwo\n")
    assert api.get(url, {"limit": 7}).json()["text"] == "two\n"
    with path.open("ab") as file:
        file.write(b"ee\n")
    assert api.get(url, {"worker": 0, "after": 8}).json()["text"] == "three\n"
    assert api.get(url, {"worker": 1}).json()["text"] == "other\n"
    assert api.get(url, {"worker": 2}).status_code == 404
    assert api.get(url, {"worker": -1}).status_code == 400


def test_a_log_that_begins_anew_is_read_from_its_beginning(api: Client, results: Path) -> None:
    write(results / "run_logs/Player-0.log", b"new\n")
    part = api.get("/api/sessions/ball/player-logs/", {"worker": 0, "after": 5000}).json()
    assert (part["offset"], part["text"]) == (0, "new\n")


def test_the_last_line_of_a_log_comes_when_the_session_has_ended(
    api: Client, session: TrainingSession, results: Path
) -> None:
    write(results / "run_logs/Player-0.log", b"one\ntwo")
    session.attempts.update(state=State.COMPLETED.value)
    part = api.get("/api/sessions/ball/player-logs/", {"after": 0}).json()
    assert (part["text"], part["ended"]) == ("one\ntwo", True)


def test_without_a_build_there_is_no_player_log(api: Client, results: Path) -> None:
    part = api.get("/api/sessions/ball/player-logs/").json()
    assert (part["workers"], part["worker"], part["text"]) == ([], None, "")


@needs_posix
def test_a_player_log_that_is_a_pipe_or_leads_away_is_none(api: Client, results: Path, home: Path) -> None:
    (results / "run_logs").mkdir()
    os.mkfifo(results / "run_logs/Player-0.log")
    (results / "run_logs/Player-1.log").symlink_to(write(home / "secret.txt"))
    assert api.get("/api/sessions/ball/player-logs/").json()["workers"] == []
    (results / "run_logs").rename(home / "elsewhere")
    write(home / "elsewhere/Player-3.log")
    (results / "run_logs").symlink_to(home / "elsewhere")
    assert api.get("/api/sessions/ball/player-logs/").json()["workers"] == []
