import assert from "node:assert/strict";
import { test } from "node:test";

import { figure, grid, joined } from "../../static/js/histograms.js";

const palette = { series: ["blue"], grid: "grey", text: "black", raised: "white", font: "sans" };

test("a bucket is spread over the rows that it covers", () => {
  const { y, z } = grid([[[0, 2, 4], [2, 4, 12]]], 4);
  assert.deepEqual(y, [0.5, 1.5, 2.5, 3.5]);
  assert.deepEqual(z, [[0.125], [0.125], [0.375], [0.375]]);
});

test("histograms with other edges share one grid", () => {
  const { z } = grid([[[0, 1, 1]], [[1, 2, 5]]], 2);
  assert.deepEqual(z, [[1, 0], [0, 1]]);
});

test("a bucket without a width is in one row, and one value is a row of its own", () => {
  assert.deepEqual(grid([[[0, 0, 1], [1, 1, 1]]], 2).z, [[0.5], [0.5]]);
  assert.deepEqual(grid([[[3, 3, 7]]], 2).z, [[1], [0]]);
});

test("nothing counted and edges that are no numbers are left out", () => {
  assert.deepEqual(grid([[], [[0, 1, 0]]]), { y: [], z: [] });
  assert.deepEqual(grid([[[null, 1, 4], [0, 1, 4]]], 1).z, [[0.5]]);
});

test("a later attempt wins from its first step on", () => {
  const one = { behavior: "Ball", tag: "reward", attempt: 1, steps: [1, 2, 3], buckets: ["a", "b", "c"] };
  const two = { behavior: "Ball", tag: "reward", attempt: 2, steps: [2, 3], buckets: ["d", "e"] };
  assert.deepEqual(joined([two, one]), [{ behavior: "Ball", tag: "reward", steps: [1, 2, 3], buckets: ["a", "d", "e"] }]);
});

test("the figure is a heatmap over the steps", () => {
  const [[trace]] = figure({ steps: [10, 20], buckets: [[[0, 1, 1]], [[0, 1, 1]]] }, palette);
  assert.deepEqual([trace.type, trace.x], ["heatmap", [10, 20]]);
});
