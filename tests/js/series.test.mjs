import assert from "node:assert/strict";
import { test } from "node:test";
import { createStore } from "../../static/js/series.js";

const REWARD = "Environment/Cumulative Reward";
const part = (steps, { attempt = 1, behavior = "Ball", tag = REWARD, start = 0 } = {}) =>
  ({ behavior, tag, attempt, steps, values: steps.map((step) => step / 10), wall_times: steps.map((step) => start + step) });

test("points that are sent again are kept once", () => {
  const store = createStore();
  store.add([part([1, 2, 3])]);
  assert.deepEqual([...store.add([part([2, 3])])], []);
  assert.deepEqual([...store.add([part([3, 4])])], [REWARD]);
  assert.deepEqual(store.get(REWARD)[0].steps, [1, 2, 3, 4]);
});

test("a resumed attempt replaces what it trained again", () => {
  const store = createStore();
  store.add([part([10, 20, 30]), part([20, 25, 40], { attempt: 2, start: 100 })]);
  assert.deepEqual(store.get(REWARD)[0].steps, [10, 20, 25, 40]);
});

test("what was trained again is kept from the last point that stayed, and the seam is known", () => {
  const store = createStore();
  store.add([part([10, 20, 30]), part([20, 25, 40], { attempt: 2, start: 100 }), part([50], { attempt: 3, start: 200 })]);
  const [{ replaced, seams, steps }] = store.get(REWARD);
  assert.deepEqual(replaced.map((one) => one.steps), [[10, 20, 30]]);
  assert.deepEqual(seams, [{ attempt: 2, step: 20, time: 120, seconds: 20 }, { attempt: 3, step: 50, time: 250, seconds: 40 }]);
  assert.deepEqual(steps, [10, 20, 25, 40, 50]);
});

test("an attempt alone has neither", () => {
  const store = createStore();
  store.add([part([10, 20])]);
  const [{ replaced, seams }] = store.get(REWARD);
  assert.deepEqual([replaced, seams], [[], []]);
});

test("behaviors and tags are kept apart", () => {
  const store = createStore();
  store.add([part([1]), part([2], { behavior: "Wall" }), part([3], { tag: "Losses/Policy Loss" })]);
  assert.deepEqual(store.tags(), [REWARD, "Losses/Policy Loss"]);
  assert.deepEqual(store.get(REWARD).map((one) => [one.behavior, one.steps]), [["Ball", [1]], ["Wall", [2]]]);
});

test("a long series loses old points, never its newest", () => {
  const store = createStore();
  for (let step = 1; step <= 12_000; step++) store.add([part([step])]);
  const { steps, values, wall_times: times } = store.get(REWARD)[0];
  assert.ok(steps.length <= 4000);
  assert.deepEqual(steps.slice(-3), [11_998, 11_999, 12_000]);
  assert.equal(steps.length, values.length);
  assert.equal(steps.length, times.length);
});

test("seconds of training leave out the pauses between attempts, the same for every tag", () => {
  const store = createStore();
  store.add([part([10, 20]), part([12, 22], { tag: "Losses/Policy Loss" })]);
  store.add([part([30, 40], { attempt: 2, start: 1000 }), part([50], { attempt: 3, start: 5000 })]);
  assert.deepEqual(store.get(REWARD)[0].seconds, [0, 10, 12, 22, 22]);
  assert.deepEqual(store.get("Losses/Policy Loss")[0].seconds, [2, 12]);
});

test("what was trained again has its own seconds", () => {
  const store = createStore();
  store.add([part([10, 20, 30]), part([20, 25], { attempt: 2, start: 100 })]);
  const [{ seconds, replaced }] = store.get(REWARD);
  assert.deepEqual(seconds, [0, 20, 25]);
  assert.deepEqual(replaced[0].seconds, [0, 10, 20]);
});
