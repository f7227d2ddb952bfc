import assert from "node:assert/strict";
import { test } from "node:test";
import { leastChange, placesOf, summary } from "../../static/js/config_findings.js";

const TEXT = "behaviors:\n  Ball:\n    max_step: 5\n";
const finding = (line, column, more = {}) => ({ line, column, severity: "error", message: "Wrong.", hint: "", ...more });
const marked = (text, ...at) => placesOf([finding(...at)], text).map(({ from, to }) => text.slice(from, to))[0];

test("a finding marks the word at its line and column", () => {
  assert.equal(marked(TEXT, 3, 5), "max_step");
  assert.equal(marked(TEXT, 3, 15), "5");
  assert.equal(marked("a: 'two words' # x", 1, 4), "'two words'");
  assert.equal(marked("😀é: bad", 1, 5), "bad", "whole characters are counted");
});

test("a finding about the whole, or outside of the text, stands within it", () => {
  for (const at of [[null, null], [99, 99], [3, 99], [4, 1]]) {
    const [{ from, to }] = placesOf([finding(...at)], TEXT);
    assert.ok(from >= 0 && from <= to && to <= TEXT.length, String(at));
  }
});

test("the hint goes with the message", () => {
  assert.equal(placesOf([finding(1, 1, { hint: "Did you mean it?" })], TEXT)[0].message, "Wrong. Did you mean it?");
});

test("the least change is the value alone", () => {
  assert.deepEqual(leastChange("a: 10\nb: 2\n", "a: 150\nb: 2\n"), { from: 4, to: 4, insert: "5" });
  for (const [before, after] of [["", "x"], ["x", ""], ["aa", "a"], ["a", "aa"], ["same", "same"]]) {
    const { from, to, insert } = leastChange(before, after);
    assert.equal(before.slice(0, from) + insert + before.slice(to), after);
  }
});

test("findings are counted in words", () => {
  assert.equal(summary([]), "No findings.");
  assert.equal(summary([finding(1, 1), finding(1, 1), finding(1, 1, { severity: "warning" })]), "2 errors, 1 warning");
});
