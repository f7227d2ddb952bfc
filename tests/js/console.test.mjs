import assert from "node:assert/strict";
import { test } from "node:test";
import { createConsole } from "../../static/js/console.js";
import { levelOf, lineNodes } from "../../static/js/console_lines.js";
import { fakeClock, fakePage, fakeRoot } from "./fakes.mjs";

function fakeView() {
  const shown = [];
  return {
    shown,
    text: () => shown.flatMap((chunk) => chunk.lines.map((line) => line.text)),
    grow: (chunk) => { if (!shown.includes(chunk)) shown.push(chunk); },
    drop: (chunk) => { shown.splice(shown.indexOf(chunk), 1); return 50; },
    mark(words) { this.words = words; },
    show(match) { this.match = match; },
    clear: () => { shown.length = 0; },
  };
}

function setUp(options = {}) {
  const clock = fakeClock();
  const root = fakeRoot();
  const view = fakeView();
  const live = createConsole(root, { later: (callback) => clock.later(callback, 16), now: clock.now, view, ...options });
  return { clock, live, view, part: (name) => root.parts[`data-console-${name}`] };
}

test("the first lines are shown at once, the next within a frame", () => {
  const { clock, live, view } = setUp();
  live.append("one\n");
  assert.deepEqual(view.text(), ["one"]);
  live.append("two\n");
  live.append("three\n");
  assert.deepEqual(view.text(), ["one"]);
  clock.advance(16);
  assert.deepEqual(view.text(), ["one", "two", "three"]);
});

test("following keeps the end in view", () => {
  const { live, part } = setUp();
  part("screen").height = 5000;
  live.append("one\n");
  assert.equal(part("screen").scrollTop, 5000);
});

test("scrolling up ends following, the end begins it again", () => {
  const { live, part } = setUp();
  const screen = part("screen");
  screen.height = 5000;
  live.append("one\n");
  screen.scrollTop = 3000;
  screen.fire("scroll");
  assert.equal(part("follow").getAttribute("aria-pressed"), "false");
  screen.scrollTop = 4900;
  screen.fire("scroll");
  assert.equal(part("follow").getAttribute("aria-pressed"), "true");
});

test("a reader who does not follow stays where he reads while lines leave at the top", () => {
  const { clock, live, part } = setUp({ limit: 400 });
  live.append("line\n".repeat(400));
  live.follow(false);
  part("screen").scrollTop = 500;
  clock.advance(20);
  live.append("line\n".repeat(250));
  clock.advance(20);
  assert.equal(part("screen").scrollTop, 450);
});

test("a pause counts what comes and shows it afterwards, once", () => {
  const { clock, live, view, part } = setUp();
  live.append("one\n");
  part("pause").fire("click");
  live.append("two\nthree\n");
  clock.advance(50);
  assert.deepEqual(view.text(), ["one"]);
  assert.equal(part("pause-text").textContent, "Go on (2 new)");
  part("pause").fire("click");
  assert.deepEqual(view.text(), ["one", "two", "three"]);
  assert.equal(part("pause-text").textContent, "Pause");
});

test("a long pause does not gather without end", () => {
  const { clock, live, view, part } = setUp({ limit: 200 });
  part("pause").fire("click");
  for (let time = 0; time < 100; time++) live.append(`line ${time}\n`.repeat(50));
  clock.advance(50);
  assert.equal(part("pause-text").textContent, "Go on (5,000 new)");
  part("pause").fire("click");
  assert.equal(view.text().length, 200);
  assert.equal(view.text().at(-1), "line 99");
});

test("search shows the newest place first and goes round", () => {
  const { live, view, part } = setUp();
  live.append("step 1\nstep 2\nstep 3\n");
  live.find("STEP");
  assert.equal(view.match.row, 2);
  assert.equal(part("found").textContent, "3 of 3");
  live.step(1);
  assert.equal(view.match.row, 0);
  live.step(-1);
  assert.equal(view.match.row, 2);
});

test("a place that was found stays the shown one while lines come", () => {
  const { clock, live, part } = setUp();
  live.append("step 1\nstep 2\n");
  live.find("step");
  live.append("step 3\n");
  clock.advance(1000);
  assert.equal(part("found").textContent, "2 of 3");
});

test("a further attempt begins with an empty screen and no colour of the last one", () => {
  const { clock, live, view } = setUp();
  live.append("\u001b[31mred\n");
  live.reset();
  clock.advance(20);
  live.append("new\n");
  assert.deepEqual(view.text(), ["new"]);
  assert.equal(view.shown[0].lines[0].spans, null);
});

test("what looks like markup is shown as text", () => {
  const evil = "<img src=x onerror=alert(1)>";
  const nodes = lineNodes(fakePage, [{ text: evil, spans: [[0, 4, "sgr-red"]], level: "error" }], { wanted: "onerror" });
  assert.equal(nodes[0].textContent, evil);
  assert.deepEqual(nodes[0].nodes.map((node) => (typeof node === "string" ? "text" : node.tag)), ["span", "text", "mark", "text"]);
});

test("plain lines become one piece of text", () => {
  const plain = [{ text: "one" }, { text: "two" }];
  assert.deepEqual(lineNodes(fakePage, plain), ["one\ntwo\n"]);
});

test("warnings and errors are known by how they begin", () => {
  assert.equal(levelOf("[WARNING] old"), "warning");
  assert.equal(levelOf("Traceback (most recent call last):"), "error");
  assert.equal(levelOf("mlagents_envs.exception.UnityTimeOutException: no answer"), "error");
  assert.equal(levelOf("[INFO] no error here"), "");
});
