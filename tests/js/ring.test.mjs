import assert from "node:assert/strict";
import { test } from "node:test";
import { CHUNK_LINES, createRing } from "../../static/js/ring.js";

const lines = (count, from = 0) => Array.from({ length: count }, (_, at) => ({ text: `line ${from + at}`, spans: null }));
const held = (ring) => ring.chunks().flatMap((chunk) => chunk.lines.map((line) => line.text));

test("lines are kept in their order", () => {
  const ring = createRing(1000);
  ring.push(lines(3));
  ring.push(lines(2, 3));
  assert.deepEqual(held(ring), ["line 0", "line 1", "line 2", "line 3", "line 4"]);
});

test("the ring keeps at least its limit and at most a chunk more", () => {
  const ring = createRing(1000);
  for (let at = 0; at < 50; at++) ring.push(lines(77, at * 77));
  assert.ok(ring.size() >= 1000 && ring.size() < 1000 + CHUNK_LINES);
  assert.equal(held(ring).at(-1), "line 3849");
  assert.equal(ring.total(), 3850);
});

test("what leaves is told, so that it can leave the page", () => {
  const ring = createRing(400);
  const first = ring.push(lines(CHUNK_LINES)).grown[0];
  const { dropped } = ring.push(lines(400, 200));
  assert.deepEqual(dropped, [first]);
});

test("a flood larger than the ring leaves only its end", () => {
  const ring = createRing(500);
  ring.push(lines(10));
  const { grown } = ring.push(lines(40_000, 10));
  assert.equal(held(ring)[0], "line 39510");
  assert.equal(held(ring).at(-1), "line 40009");
  assert.equal(ring.total(), 40_010);
  assert.equal(grown.reduce((sum, chunk) => sum + chunk.lines.length, 0), 500);
});

test("search finds every place, whatever the case, oldest first, and of too many the newest", () => {
  const ring = createRing();
  ring.push([{ text: "Reward reward" }, { text: "none" }, { text: "REWARD" }]);
  assert.deepEqual(ring.search("reward").map(({ row, start }) => [row, start]), [[0, 0], [0, 7], [2, 0]]);
  assert.deepEqual(ring.search("reward", 2).map(({ row, start }) => [row, start]), [[0, 7], [2, 0]]);
  assert.deepEqual(ring.search(""), []);
});
