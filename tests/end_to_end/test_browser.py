"""What a person sees: from the sign-in link to the report, in a real browser, with and without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from mentor_site.options import BASE_DIR
from tests.browsing import ARGUMENTS, find_browser
from tests.end_to_end.practice import GRANTED
from tests.running import RunningMentor, eventually, running_mentor
from tests.sessions.domain.configuration.old_examples import FLAT_PPO, SAMPLERS_0_16

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Route

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CONFIG = (BASE_DIR / "sessions" / "trainers" / "demo.yaml").read_text(encoding="utf-8")
TELL_VIOLATIONS = """document.addEventListener("securitypolicyviolation",
    (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));"""
HOSTILE = (
    "'\"><img src=nowhere onerror=alert(1)></textarea></title></style></script><script>alert(2)</script>"
    "<svg onload=alert(3)>{{ 7|add:7 }}${7*7}<!-- ]]> \x1b[31m <a href=javascript:alert(4)>x</a>"
)
CHART = """() => document.querySelector("[data-chart]").data?.[0]?.x.length ?? 0"""
SEEN = """() => [
    document.querySelector("[data-field=step]").textContent,
    document.querySelector("[data-chart]").data[0].x.length,
    document.querySelector("[data-console-screen]").textContent.length,
]"""
WAIT_MS = 20_000


@dataclass
class Visitor:
    """A browser of its own cookies, and everything in it that should not happen."""

    context: BrowserContext
    page: Page
    troubles: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self.context.add_init_script(TELL_VIOLATIONS)
        self.page.on("console", lambda message: self._note(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.on("dialog", self._dismiss)

    def _dismiss(self, dialog: Dialog) -> None:
        self._note(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _note(self, text: str) -> None:
        self.troubles.append(f"{self.page.url}: {text}")

    def text(self, selector: str) -> str:
        return self.page.locator(selector).first.inner_text()

    def waits_for(self, selector: str, text: str, *, seconds: float = 20.0) -> None:
        """Wait until the element shows a text, without asking for the page again."""
        self.page.locator(selector).filter(has_text=text).first.wait_for(state="visible", timeout=seconds * 1000)


@pytest.fixture(scope="module")
def mentor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMentor]:
    with running_mentor(tmp_path_factory.mktemp("home") / "var") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def cookies(mentor: RunningMentor, browser: Browser) -> Any:
    """Those of the administrator, who came in by the printed link."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(mentor.link)
    assert page.url == f"{mentor.url}/"
    page.goto(mentor.link)
    assert page.url != f"{mentor.url}/", "the link works once"
    state = context.storage_state()
    context.close()
    return state


def visit(browser: Browser, cookies: Any, *, javascript: bool = True) -> Visitor:
    context = browser.new_context(storage_state=cookies, java_script_enabled=javascript)
    context.set_default_timeout(WAIT_MS)
    visitor = Visitor(context, context.new_page())
    visitor.listen()
    return visitor


@pytest.fixture
def visitor(browser: Browser, cookies: Any) -> Iterator[Visitor]:
    visitor = visit(browser, cookies)
    yield visitor
    visitor.context.close()
    assert visitor.troubles == []


@pytest.fixture
def plain(browser: Browser, cookies: Any) -> Iterator[Visitor]:
    """A visitor whose browser has no JavaScript."""
    visitor = visit(browser, cookies, javascript=False)
    yield visitor
    visitor.context.close()
    assert visitor.troubles == []


def start(mentor: RunningMentor, run_id: str, **changes: object) -> None:
    body = {"run_id": run_id, "config": CONFIG, "trainer": "practice", **changes}
    answer = mentor.ask("POST", "sessions/", body)
    assert answer.get("state") in GRANTED, answer


def test_a_visitor_notices_what_must_not_happen(mentor: RunningMentor, browser: Browser, cookies: Any) -> None:
    visitor = visit(browser, cookies)
    visitor.page.goto(mentor.url)
    visitor.page.evaluate("(html) => document.body.insertAdjacentHTML('beforeend', html)", HOSTILE)
    visitor.page.evaluate("() => { setTimeout(() => alert(5)); }")
    eventually(lambda: visitor.page.evaluate("1") and len(visitor.troubles) >= 3, what="troubles")
    visitor.context.close()
    text = "\n".join(visitor.troubles)
    assert "policy: script-src" in text
    assert "dialog: 5" in text


def test_a_training_from_the_form_to_its_report(mentor: RunningMentor, visitor: Visitor) -> None:
    page = visitor.page
    page.goto(f"{mentor.url}/start/")
    page.get_by_role("button", name="Write").click()
    page.get_by_role("textbox", name="YAML text").fill(CONFIG)
    page.get_by_label("Trainer", exact=True).select_option("practice")
    page.get_by_text("More options").click()
    page.get_by_label("Environment arguments").fill("--steps-per-second=2500")
    page.get_by_label("Run id").fill("from-the-form")
    visitor.waits_for("[data-command]", "--run-id=from-the-form")
    assert "--steps-per-second=2500" in visitor.text("[data-command]")
    assert mentor.ask("GET", "sessions/")["count"] == 0, "nothing is stored by showing the command"
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(f"{mentor.url}/sessions/from-the-form/")
    watch_it_move(page)
    page.get_by_role("button", name="Stop and save").click()
    visitor.waits_for(".head .state", "stopped")
    visitor.waits_for("[data-field=explanation]", "Ball.onnx")
    visitor.waits_for("#files", "final")
    page.locator("#reports a", has_text="Report").first.click()
    visitor.waits_for("body", "from-the-form")


def watch_it_move(page: Page) -> None:
    """The step, the chart and the console go on while the page stays the same."""
    page.evaluate("() => { window.same = true; }")
    eventually(lambda: page.evaluate(CHART) >= 2, what="the first points")
    before = page.evaluate(SEEN)
    eventually(lambda: all(was != now for was, now in zip(before, page.evaluate(SEEN), strict=True)), what="movement")
    assert page.evaluate("() => window.same")


def test_pages_are_complete_without_javascript(mentor: RunningMentor, plain: Visitor) -> None:
    reader = plain.page
    start(mentor, "no-script", overrides={"behaviors.Ball.max_steps": 4008}, env_args=["--steps-per-second=0"])
    mentor.wait_for("no-script", "completed")
    reader.goto(f"{mentor.url}/sessions/no-script/")
    assert reader.locator("[data-field=step]").first.inner_text() == "4,008"
    assert "Exported" in reader.locator("#console [data-console-screen]").inner_text()
    assert reader.locator("#curves table td").count() > 0
    assert reader.get_by_role("button", name="Pause").count() == 0, "what needs JavaScript is not offered"
    reader.goto(f"{mentor.url}/sessions/")
    assert "no-script" in reader.locator("main").inner_text()


def test_the_start_form_works_without_javascript(mentor: RunningMentor, plain: Visitor) -> None:
    reader = plain.page
    before = mentor.ask("GET", "sessions/")["count"]
    reader.goto(f"{mentor.url}/start/")
    reader.get_by_label("YAML text").fill("behaviors: [")
    reader.get_by_label("Run id").fill("by-hand")
    reader.get_by_label("Trainer", exact=True).select_option("practice")
    reader.get_by_role("button", name="Show the command").click()
    assert reader.locator("#id_config_text_error").inner_text().strip(), "a sentence at its field"
    assert "422" in plain.troubles.pop()
    reader.get_by_label("YAML text").fill(CONFIG)
    reader.get_by_role("button", name="Show the command").click()
    assert "--run-id=by-hand" in reader.locator("[data-command]").inner_text()
    assert mentor.ask("GET", "sessions/")["count"] == before
    reader.get_by_role("button", name="Start").click()
    assert reader.url == f"{mentor.url}/sessions/by-hand/"
    mentor.ask("POST", "sessions/by-hand/kill/")


def test_a_configuration_is_written_in_the_editor(mentor: RunningMentor, visitor: Visitor) -> None:
    page = visitor.page
    schemas: list[Route] = []
    page.route("**/api/configs/schema/", lambda route: schemas.append(route))
    page.goto(f"{mentor.url}/start/")
    page.get_by_role("button", name="Write").click()
    text = page.locator("#id_config_text")
    page.get_by_label("Begin with").select_option("SAC")
    eventually(lambda: page.evaluate("1") and schemas, what="the question for what the editor knows")
    schemas[0].continue_()  # who was faster than the editor is heard all the same
    visitor.waits_for("[data-config-summary]", "No findings.")
    assert "trainer_type: sac" in text.input_value()
    page.get_by_text("Common settings").click()
    page.get_by_label("hidden_units").fill("64")
    page.keyboard.press("Tab")
    eventually(lambda: "hidden_units: 64\n" in text.input_value(), what="the setting in the text")
    assert "# the Behavior Name in Unity" in text.input_value(), "comments stay"
    editor = page.get_by_role("textbox", name="YAML text")
    editor.press("Control+End")
    editor.press_sequentially("    time_hrizon: 5")
    visitor.waits_for("[data-config-summary]", "1 error")
    visitor.waits_for(".cm-lintRange-error", "time_hrizon")
    editor.press("Enter")
    editor.press_sequentially("thr")
    visitor.waits_for(".cm-completionLabel", "threaded")
    visitor.waits_for(".cm-completionInfo", "best off with self-play")
    visitor.waits_for(".cm-lintRange-error", "thr")
    # By mouse: the editor passes an Enter in the list's first 75 ms on to the text, for those who type on.
    page.get_by_role("option", name="threaded").click()
    eventually(lambda: text.input_value().endswith("    time_hrizon: 5\n    threaded: "), what="the key in the text")


def test_an_old_configuration_is_upgraded_on_the_page(mentor: RunningMentor, visitor: Visitor, tmp_path: Path) -> None:
    page, old, samplers = visitor.page, tmp_path / "old.yaml", tmp_path / "samplers.yaml"
    old.write_text(FLAT_PPO, encoding="utf-8")
    samplers.write_text(SAMPLERS_0_16, encoding="utf-8")
    page.goto(f"{mentor.url}/start/")
    page.get_by_role("button", name="Upload").click()
    page.set_input_files("#id_config_file", old)
    visitor.waits_for("[data-errors=config_file]", "written for ML-Agents 0.16 or older")
    page.get_by_role("button", name="Mend it in the editor").click()
    visitor.waits_for("[data-config-lines]", "+behaviors:")
    page.set_input_files("[data-config-beside]", samplers)
    visitor.waits_for("[data-config-lines]", "+environment_parameters:")
    page.get_by_role("button", name="Take the upgrade").click()
    page.locator("[data-config-upgrade]").wait_for(state="hidden")
    assert "environment_parameters:\n  mass:\n" in page.locator("#id_config_text").input_value()
    page.get_by_label("Compare with").select_option("PPO")
    visitor.waits_for("[data-config-rows]", "behaviors.Roller.max_steps")


def test_what_others_wrote_is_shown_and_never_executed(mentor: RunningMentor, visitor: Visitor) -> None:
    start(mentor, "hostile", notes=HOSTILE, tags=[HOSTILE[:50]], env_args=["--steps-per-second=100"])
    log = mentor.home / "runs" / "hostile" / "attempts" / "1" / "console.log"
    eventually(log.exists, what="the console")
    visitor.page.goto(f"{mentor.url}/sessions/hostile/")
    with log.open("a", encoding="utf-8") as file:
        file.write(f"live {HOSTILE}\n")
    visitor.waits_for("#console [data-console-screen]", "live '\"><img src=nowhere")
    visitor.waits_for("#about", HOSTILE[:40])
    visitor.waits_for("#about .tag", HOSTILE[:40])
    for address in ("", "sessions/", "sessions/hostile/"):
        visitor.page.goto(f"{mentor.url}/{address}")
        visitor.waits_for("main", "hostile")
        assert visitor.page.locator("img[src=nowhere], svg[onload], script:not([src], [type])").count() == 0
    visitor.page.goto(f"{mentor.url}/sessions/?{urlencode({'text': HOSTILE})}")
    assert visitor.page.locator("input[name=text]").input_value() == HOSTILE
    mentor.ask("POST", "sessions/hostile/stop/")
    mentor.wait_for("hostile", "stopped", "failed")
    page_of_report(mentor, visitor, "hostile")


def page_of_report(mentor: RunningMentor, visitor: Visitor, run_id: str) -> None:
    """Read the report as a file, where no policy of a server protects its reader."""
    file = mentor.home / "reports" / f"{run_id}.html"
    eventually(file.exists, what="the report")
    visitor.page.goto(file.as_uri())
    visitor.waits_for("body", run_id)
