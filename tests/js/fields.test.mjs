import assert from "node:assert/strict";
import { test } from "node:test";
import { applySession, isMoving, tick } from "../../static/js/fields.js";

// An element that answers to one selector each.
const root = (found = {}) => ({ dataset: {}, querySelectorAll: (selector) => found[selector] ?? [], querySelector: () => null });

test("elapsed time goes on only while a process may exist", () => {
  const element = { textContent: "" };
  const page = root({ "[data-tick]": [element] });
  tick([{ root: page, session: { state: "running", elapsed_seconds: 60 }, at: 0 }], 5000);
  assert.equal(element.textContent, "1 min 05 s");
  tick([{ root: page, session: { state: "completed", elapsed_seconds: 60 }, at: 0 }], 90_000);
  assert.equal(element.textContent, "1 min 05 s");
  assert.ok(!isMoving({ state: "queued" }));
});

test("what a stopping trainer has left is counted down to nothing", () => {
  const element = { textContent: "" };
  const page = root({ "[data-countdown]": [element] });
  const session = { state: "stopping", elapsed_seconds: null, stopping: { seconds_left: 90.5 } };
  tick([{ root: page, session, at: 1000 }], 31_000);
  assert.equal(element.textContent, "1 min 00 s");
  tick([{ root: page, session, at: 1000 }], 600_000);
  assert.equal(element.textContent, "0 s");
  tick([{ root: page, session: { ...session, stopping: { seconds_left: null } }, at: 0 }], 700_000);
  assert.equal(element.textContent, "0 s");
});

test("a part is shown while it is there, without the sentence of what it does not know", () => {
  const words = { dataset: { field: "words" }, textContent: "" };
  const around = { dataset: { partField: "seconds_left" }, hidden: false };
  const part = { dataset: { part: "stopping" }, hidden: true, querySelectorAll: (selector) => (selector === "[data-field]" ? [words] : [around]) };
  const page = root({ "[data-part]": [part] });
  const session = { state: "stopping", behaviors: [], actions: [], stopping: { words: "It is saving.", seconds_left: null } };
  applySession(page, session);
  assert.deepEqual([part.hidden, words.textContent, around.hidden], [false, "It is saving.", true]);
  applySession(page, { ...session, stopping: { words: "It is saving.", seconds_left: 0 } });
  assert.equal(around.hidden, false);
  applySession(page, { ...session, state: "stopped", stopping: null });
  assert.equal(part.hidden, true);
});
