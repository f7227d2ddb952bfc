"""A report: one file that tells of a session without the server, without the internet and without a script."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from reports import services
from reports.contexts import Curve, Line, Seam
from reports.figures import figure
from reports.models import Report
from reports.svg import line_chart, short
from reports.tasks import build_report
from sessions.domain.states import State
from sessions.metrics.events import Point
from sessions.models import Artifact, Attempt, TrainingSession
from sessions.services import points, starting
from tests.factories import CONFIG, make_session

REWARD = "Environment/Cumulative Reward"
HOSTILE = "</script><script>alert('x')</script><img src=x onerror=alert(1)><!--\"'&"
VOID = {"meta", "link", "img", "br", "input", "hr"}


@dataclass
class Page(HTMLParser):
    """A page as a browser would take it apart: elements with their attributes, and the text of each kind of element."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []

    @classmethod
    def of(cls, text: str) -> Page:
        page = cls()
        page.feed(text)
        page.close()
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]][-1] += data

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def charts(self) -> dict[str, list[dict[str, Any]]]:
        place = [attributes.get("id") for attributes in self.named("script")].index("charts")
        found: dict[str, list[dict[str, Any]]] = json.loads(self.texts["script"][place])
        return found


@pytest.fixture
def session(ada: User, home: Path) -> TrainingSession:
    """A session that has ended, with two behaviors, points, a model and overrides."""
    config = CONFIG + b"  Wall:\n    max_steps: 500\n"
    overrides = {"behaviors.Ball.max_steps": 7777}
    session = make_session(
        owner=ada, run_id="ball", config=config, overrides=overrides, name="My ball", state=State.COMPLETED
    )
    attempt = session.attempts.get()
    for number, behavior in enumerate(("Ball", "Wall")):
        rewards = [Point(REWARD, step * 100, 1e9 + step, step / 2 + number) for step in range(20)]
        losses = [Point("Losses/Value Loss", step * 100, 1e9 + step, 1 / (step + 1)) for step in range(20)]
        points.append(attempt, behavior, [*rewards, *losses])
    add_file(session, home, "Ball.onnx", final=True)
    return session


def add_file(session: TrainingSession, home: Path, name: str, **columns: Any) -> None:
    path = home / "runs/ball/results/ball" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"model")
    Artifact.objects.create(
        session=session, path=name, behavior="Ball", kind="onnx", size=5, modified_ns=0, sha256="ab" * 32, **columns
    )


def page_of(session: TrainingSession) -> Page:
    session.refresh_from_db()
    return Page.of(services.build(session).path.read_text(encoding="utf-8"))


def test_nothing_is_fetched_from_anywhere(session: TrainingSession) -> None:
    page = page_of(session)
    assert [one for one in page.elements if "src" in one[1] or one[0] in {"link", "iframe", "object", "base"}] == []
    outward = [one["href"] for one in page.named("a") if re.match(r"[a-z]+:|//", one.get("href", ""))]
    assert [re.sub(r"^http://[^/]+", "", link) for link in outward] == ["/sessions/ball/"]
    assert not re.search(r"@import|url\(\s*['\"]?(?!data:)", "".join(page.texts["style"]))


def test_the_session_page_is_linked_at_the_address_that_is_served(session: TrainingSession, settings: Settings) -> None:
    settings.MENTOR = {**settings.MENTOR, "MENTOR_HOST": "training.local", "MENTOR_PORT": 9123}
    assert "http://training.local:9123/sessions/ball/" in [one.get("href") for one in page_of(session).named("a")]


def test_the_curves_are_inside_with_every_point(session: TrainingSession) -> None:
    charts = page_of(session).charts
    assert set(charts) == {"reward", "Losses/Value Loss"}
    ball, wall = charts["reward"]
    assert (ball["name"], ball["x"], ball["y"]) == ("Ball", list(range(0, 2000, 100)), [n / 2 for n in range(20)])
    assert (wall["name"], wall["y"][0]) == ("Wall", 1.0)


def test_a_value_that_is_no_number_is_a_gap(session: TrainingSession) -> None:
    points.append(session.attempts.get(), "Ball", [Point(REWARD, 2000, 1e9, float("nan"))])
    assert page_of(session).charts["reward"][0]["y"][-1] is None


def test_without_a_script_there_is_a_line_per_behavior_and_a_legend(session: TrainingSession) -> None:
    page = page_of(session)
    lines = page.named("polyline")
    assert len(lines) == 4  # two behaviors, reward and loss
    assert [len(one["points"].split()) for one in lines] == [20] * 4
    assert {"Ball", "Wall"} <= {text.strip() for text in page.texts["li"]}
    assert {one["aria-label"] for one in page.named("svg")} == {"Cumulative reward by step", "Losses/Value Loss"}


def test_statistics_name_each_behavior_with_its_rewards(session: TrainingSession) -> None:
    session.behaviors.filter(name="Ball").update(step=1900, seen=True)
    session.behaviors.filter(name="Wall").update(step=450, seen=True)
    cells = [text.strip() for text in page_of(session).texts["td"]]
    ball = cells[cells.index("Ball") : cells.index("Wall")]
    assert ball[2:6] == ["9.250", "9.500", "9.500", "0.000"]
    assert ball[6] == "1,900 steps"


def test_both_configurations_and_the_command_are_kept(session: TrainingSession) -> None:
    shown = page_of(session).texts["pre"]
    assert any("--run-id=ball" in text for text in shown)
    assert any("7777" in text for text in shown)
    assert bytes(session.config_given).decode() in shown


def test_a_configuration_that_was_used_as_given_is_shown_once(ada: User, home: Path) -> None:
    page = page_of(make_session(owner=ada, run_id="ball", state=State.FAILED))
    assert [text for text in page.texts["pre"] if "behaviors:" in text] == [CONFIG.decode()]


@pytest.mark.parametrize("name", ["Ball/Ball-500.onnx", "My Ball 100%.onnx", "a#b?c.onnx", "ü&<b>.onnx"])
def test_files_are_linked_from_where_the_report_lies(session: TrainingSession, home: Path, name: str) -> None:
    add_file(session, home, name)
    report = services.build(session).path
    links = [one["href"] for one in Page.of(report.read_text(encoding="utf-8")).named("a")]
    files = [(report.parent / unquote(link)).resolve() for link in links if not link.startswith("http")]
    assert (home / "runs/ball/results/ball" / name).resolve() in files
    assert all(path.read_bytes() == b"model" for path in files)
    assert all("#" not in link and "?" not in link for link in links)


def test_a_file_that_is_gone_is_not_linked(session: TrainingSession) -> None:
    Artifact.objects.update(present=False)
    assert "Nothing was saved." in [text.strip() for text in page_of(session).texts["p"]]


def test_nothing_a_session_named_gets_out_of_its_place(session: TrainingSession, ada: User) -> None:
    expected = [tag for tag, _ in page_of(session).elements]
    TrainingSession.objects.update(
        name=HOSTILE, explanation=HOSTILE, config_used=HOSTILE.encode(), config_given=f"{HOSTILE}2".encode()
    )
    session.behaviors.filter(name="Ball").update(name=HOSTILE)
    Attempt.objects.update(command=["mlagents-learn", HOSTILE])
    Artifact.objects.update(path=f"{HOSTILE}.onnx", sha256=HOSTILE[:64])
    session.trainer.version = HOSTILE[:50]
    session.trainer.save()
    for series in session.attempts.get().series.filter(behavior="Ball"):
        series.behavior = HOSTILE
        series.tag = HOSTILE if series.tag != REWARD else REWARD
        series.save()
    page = page_of(session)
    assert "img" not in {tag for tag, _ in page.elements}
    assert len(page.named("script")) == expected.count("script")
    assert HOSTILE in page.charts
    assert HOSTILE in {trace["name"] for trace in page.charts["reward"]}
    assert HOSTILE in page.texts["pre"]
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


def test_a_session_without_points_has_a_report_too(ada: User, home: Path) -> None:
    page = page_of(make_session(owner=ada, run_id="ball", state=State.FAILED))
    assert page.charts == {"reward": []}
    assert page.named("polyline") == []
    assert any("no reward to show" in text for text in page.texts["p"])


def test_attempts_are_listed_when_there_are_several(session: TrainingSession) -> None:
    assert "Attempts" not in page_of(session).texts["h2"]
    begun = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)
    Attempt.objects.create(
        session=session, number=2, cookie="x", state="failed", exit_code=3, started_at=begun, ended_at=begun
    )
    page = page_of(session)
    assert "Attempts" in page.texts["h2"]
    assert {"3", "2024-05-01 12:00:00"} <= {text.strip() for text in page.texts["td"]}


def test_building_again_replaces_the_report(session: TrainingSession, home: Path) -> None:
    first = services.build(session)
    session.name = "Renamed"
    session.save()
    again = services.build(session)
    assert (again.pk, again.title) == (first.pk, "Renamed")
    assert [path.name for path in (home / "reports").iterdir()] == ["ball.html"]
    assert again.size == again.path.stat().st_size


def test_the_task_after_a_session_builds_its_report(session: TrainingSession) -> None:
    build_report(session.pk)
    assert Report.objects.get().path.is_file()
    build_report(999)
    assert Report.objects.count() == 1


def test_a_served_report_is_in_a_sandbox_of_its_own(client: Client, ada: User, session: TrainingSession) -> None:
    report = services.build(session)
    client.force_login(ada)
    answer = client.get(f"/reports/{report.pk}/")
    assert answer.content == report.path.read_bytes()
    policy = answer.headers["Content-Security-Policy"]
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";")}
    assert "allow-same-origin" not in rules["sandbox"]
    assert rules["default-src"] == ["'none'"]
    assert "connect-src" not in rules


def test_a_report_is_kept_by_downloading_it(client: Client, ada: User, session: TrainingSession) -> None:
    report = services.build(session)
    client.force_login(ada)
    answer = client.get(f"/reports/{report.pk}/download/")
    assert b"".join(answer.streaming_content) == report.path.read_bytes()  # type: ignore[attr-defined]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="ball.html"'


def test_the_page_of_a_session_builds_and_lists_its_report(client: Client, ada: User, session: TrainingSession) -> None:
    client.force_login(ada)
    answer = client.post("/reports/build/ball/")
    report = Report.objects.get()
    assert answer.headers["Location"] == f"/reports/{report.pk}/"
    for address in ("/sessions/ball/", "/reports/"):
        assert f'href="/reports/{report.pk}/"' in client.get(address).content.decode()
    assert client.get("/reports/build/ball/").status_code == 405


def test_who_may_not_see_the_session_does_not_see_its_report(
    client: Client, cyd: User, session: TrainingSession
) -> None:
    report = services.build(session)
    client.force_login(cyd)
    for address in (f"/reports/{report.pk}/", f"/reports/{report.pk}/download/"):
        assert client.get(address).status_code == 404
    assert client.post("/reports/build/ball/").status_code == 404
    assert list(client.get("/reports/").context["reports"]) == []
    assert client.get("/api/reports/").json() == {"results": []}


def test_a_report_whose_file_is_gone_is_missing(client: Client, ada: User, session: TrainingSession) -> None:
    report = services.build(session)
    report.path.unlink()
    client.force_login(ada)
    assert client.get(f"/reports/{report.pk}/").status_code == 404
    assert client.get("/reports/").status_code == 200


@pytest.mark.parametrize(
    "values",
    [[5.0], [5.0, 5.0], [0.0, 0.0], [-1e30, 1e30], [1e-30, 2e-30], [None, 1.0, None], [1e16, 1e16 + 2]],
)
def test_a_picture_stays_within_its_frame_whatever_the_values(values: list[float | None]) -> None:
    picture = line_chart([Curve("Ball", REWARD, list(range(len(values))), values)], label="a & b")
    (line,) = Page.of(picture).named("polyline")
    places = [tuple(map(float, place.split(","))) for place in line["points"].split()]
    assert len(places) == len([value for value in values if value is not None])
    assert all(0 <= x <= 900 and 0 <= y <= 320 for x, y in places)
    assert picture.count("<text") < 40


RESUMED = Curve(
    "Ball", REWARD, [100, 200, 250], [1.0, 2.0, 2.5], replaced=[Line([200, 300, 400], [2.0, 9.0, None])],
    seams=[Seam(2, 250)],
)  # fmt: skip


def test_a_picture_shows_the_seam_and_faintly_what_was_trained_again() -> None:
    picture = Page.of(line_chart([RESUMED, Curve("Wall", REWARD, [100], [0.0])], label="x"))
    faint, ball, _ = picture.named("polyline")
    assert (faint["class"], ball["class"]) == ("series replaced", "series")
    assert faint["style"] == ball["style"]
    assert len(faint["points"].split()) == 2
    (seam,) = (line for line in picture.named("line") if line["class"] == "seam")
    assert seam["x1"] == ball["points"].split()[-1].split(",")[0]
    assert "attempt 2" in picture.texts["text"]


def test_the_figure_has_the_lines_first_and_says_where_attempts_took_over() -> None:
    ball, wall, faint = figure([RESUMED, Curve("Wall", REWARD, [100], [0.0])])
    assert (ball["name"], ball["meta"]) == ("Ball", {"colour": 0, "seams": [[2, 250]]})
    assert (wall["meta"], "name" in faint) == ({"colour": 1, "seams": []}, False)
    assert (faint["x"], faint["meta"]["colour"]) == ([200, 300, 400], 0)


def test_a_resumed_session_has_its_seam_in_the_report(session: TrainingSession) -> None:
    attempt = starting.new_attempt(session, by="ada", resume=True, force=False)
    points.append(attempt, "Ball", [Point(REWARD, step, 1e9 + step, 3.0) for step in (1500, 1600)])
    page = page_of(session)
    ball = page.charts["reward"][0]
    assert (ball["x"][-2:], ball["meta"]["seams"]) == ([1500, 1600], [[2, 1500]])
    assert any(line.get("class") == "seam" for line in page.named("line"))


@pytest.mark.parametrize("curves", [[], [Curve("Ball", REWARD, [], [])], [Curve("Ball", REWARD, [1], [None])]])
def test_without_any_value_there_is_no_picture(curves: list[Curve]) -> None:
    assert line_chart(curves, label="x") == ""


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (0.25, "0.25"), (999, "999"), (40_000, "40k"), (-2_500_000, "-2.5M"), (3e9, "3G")],
)
def test_an_axis_writes_large_numbers_short(number: float, text: str) -> None:
    assert short(number) == text
