import assert from "node:assert/strict";
import { test } from "node:test";
import { checkEverything, checkNodes, openQuestions } from "../../static/js/preflight.js";

const page = {
  createElement: (name) => ({
    name,
    className: "",
    textContent: "",
    children: [],
    append(...more) { this.children.push(...more); },
  }),
};
const now = async () => {};

test("a check is shown with its level, what was found and what helps", () => {
  const [bad, good] = checkNodes([
    { level: "error", title: "GPU", finding: "There is none.", fix: "Choose cpu." },
    { level: "ok", title: "Disk", finding: "Enough.", fix: "" },
  ], page);
  assert.equal(bad.className, "error");
  assert.deepEqual(bad.children.map((one) => one.textContent ?? one), ["GPU", " ", "There is none.", " ", "Choose cpu."]);
  assert.equal(good.children.length, 3);
});

test("parser and environment are asked again until both have answered", async () => {
  const answers = [{ parser: "waits" }, { parser: "answered", connection: "waits" }, { parser: "answered", connection: "answered" }];
  const shown = [];
  await checkEverything({ ask: async () => answers.shift(), show: (one) => shown.push(one.parser), isCurrent: () => true, wait: now });
  assert.deepEqual(shown, ["waits", "answered", "answered"]);
});

test("asking ends as soon as the form was changed, or the server does not answer", async () => {
  let current = true;
  const shown = [];
  await checkEverything({ ask: async () => ({ parser: "waits" }), show: (one) => { shown.push(one); current = false; }, isCurrent: () => current, wait: now });
  await checkEverything({ ask: async () => null, show: (one) => shown.push(one), isCurrent: () => true, wait: now });
  assert.equal(shown.length, 1);
});

test("what is not asked is said, and what is answered needs no words", () => {
  assert.match(openQuestions({ parser: "unasked", connection: "waits" }), /not asked.*for a moment/);
  assert.equal(openQuestions({ parser: "answered", connection: "none" }), "");
});
