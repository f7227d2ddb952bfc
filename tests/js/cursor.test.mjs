import assert from "node:assert/strict";
import { test } from "node:test";
import { logCursor } from "../../static/js/cursor.js";

const frame = (offset, text, attempt = 1) => ({ attempt, offset, cursor: offset + Buffer.byteLength(text), text });

test("lines are taken once, whatever is sent again", () => {
  const cursor = logCursor(1, 0);
  assert.equal(cursor.take(frame(0, "one\n")).text, "one\n");
  assert.equal(cursor.take(frame(0, "one\n")).kind, "old");
  assert.equal(cursor.take(frame(4, "two\n")).text, "two\n");
  assert.deepEqual(cursor.where(), { attempt: 1, log: 8 });
});

test("of a frame that overlaps only the new bytes are taken, also beyond ASCII", () => {
  const cursor = logCursor(1, 0);
  cursor.take(frame(0, "größe\n"));
  assert.equal(cursor.take(frame(0, "größe\nneu\n")).text, "neu\n");
});

test("an overlap in bytes that were not UTF-8 is asked for again", () => {
  const cursor = logCursor(1, 2);
  assert.equal(cursor.take({ attempt: 1, offset: 0, cursor: 5, text: "\ufffd\n\ufffd\n\n" }).kind, "gap");
});

test("a gap is asked for once, then taken as it is", () => {
  const cursor = logCursor(1, 0);
  assert.equal(cursor.take(frame(100, "late\n")).kind, "gap");
  assert.deepEqual(cursor.where(), { attempt: 1, log: 0 });
  const second = cursor.take(frame(100, "late\n"));
  assert.deepEqual([second.kind, second.text, second.skipped], ["new", "late\n", 100]);
  assert.deepEqual(cursor.where(), { attempt: 1, log: 105 });
});

test("a further attempt begins at its first byte", () => {
  const cursor = logCursor(1, 500);
  const first = cursor.take(frame(0, "again\n", 2));
  assert.deepEqual([first.kind, first.fresh, first.text], ["new", true, "again\n"]);
  assert.deepEqual(cursor.where(), { attempt: 2, log: 6 });
});

test("a further attempt whose beginning is missing is asked for from its first byte", () => {
  const cursor = logCursor(1, 500);
  const answer = cursor.take(frame(50, "middle\n", 2));
  assert.deepEqual([answer.kind, answer.fresh], ["gap", true]);
  assert.deepEqual(cursor.where(), { attempt: 2, log: 0 });
});

test("what an earlier attempt printed is not taken any more", () => {
  assert.equal(logCursor(2, 0).take(frame(0, "old\n", 1)).kind, "old");
});
