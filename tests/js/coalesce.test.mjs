import assert from "node:assert/strict";
import { test } from "node:test";
import { coalesce } from "../../static/js/coalesce.js";
import { fakeClock } from "./fakes.mjs";

test("the first news is told at once, a flood once per interval, the last news always", () => {
  const clock = fakeClock();
  const told = [];
  const ask = coalesce(() => told.push(clock.now()), { delay: 100, later: clock.later, now: clock.now });
  for (let time = 0; time < 25; time++) {
    ask();
    clock.advance(10);
  }
  clock.advance(1000);
  ask();
  assert.deepEqual(told, [0, 100, 200, 300, 1250]);
});
