import assert from "node:assert/strict";
import { test } from "node:test";
import { isMoving, tick } from "../../static/js/fields.js";

test("elapsed time goes on only while a process may exist", () => {
  const element = { textContent: "" };
  const root = { querySelectorAll: () => [element] };
  tick([{ root, session: { state: "running", elapsed_seconds: 60 }, at: 0 }], 5000);
  assert.equal(element.textContent, "1 min 05 s");
  tick([{ root, session: { state: "completed", elapsed_seconds: 60 }, at: 0 }], 90_000);
  assert.equal(element.textContent, "1 min 05 s");
  assert.ok(!isMoving({ state: "queued" }));
});
