import assert from "node:assert/strict";
import { test } from "node:test";
import { smoothed } from "../../static/js/smoothing.js";

test("without weight nothing changes", () => {
  assert.deepEqual(smoothed([1, 5, null, -3], 0), [1, 5, null, -3]);
});

test("the first point stays and what is level stays level", () => {
  assert.equal(smoothed([7, 0, 0], 0.9)[0], 7);
  for (const value of smoothed([3, 3, 3, 3], 0.97)) assert.ok(Math.abs(value - 3) < 1e-12);
});

test("earlier points count less and less", () => {
  assert.deepEqual(smoothed([0, 1], 0.5), [0, 1 / 1.5]);
  assert.deepEqual(smoothed([4, 0, 0], 0.5), [4, 2 / 1.5, 1 / 1.75]);
});

test("a gap stays a gap and the average goes on behind it", () => {
  assert.deepEqual(smoothed([2, null, 2], 0.5), [2, null, 2]);
  assert.deepEqual(smoothed([], 0.5), []);
});
