// Sorting a table: numbers as numbers, what has no value last, whichever way.
import assert from "node:assert/strict";
import test from "node:test";
import { compare, valueOf } from "../../static/js/sortable.js";

const cell = (text, value) => ({ textContent: text, dataset: value === undefined ? {} : { value } });
const sorted = (cells, descends) => cells.map(valueOf).sort((one, other) => compare(one, other, descends));

test("a cell's own value is sorted by, not what is shown", () => {
  assert.deepEqual(sorted([cell("1,000", "1000"), cell("20", "20"), cell("−3", "-3")], true), [1000, 20, -3]);
});

test("words are in their order, with the numbers in them as numbers", () => {
  assert.deepEqual(sorted([cell("Ball 10"), cell("Ball 9"), cell("Ace")], false), ["Ace", "Ball 9", "Ball 10"]);
});

for (const descends of [true, false]) {
  test(`what has no value comes last, ${descends ? "largest" : "smallest"} first`, () => {
    const values = sorted([cell("–", ""), cell("1", "1"), cell("–", ""), cell("2", "2")], descends);
    assert.deepEqual(values, descends ? [2, 1, null, null] : [1, 2, null, null]);
  });
}
