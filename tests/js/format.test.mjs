import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as format from "../../static/js/format.js";

const cases = JSON.parse(readFileSync(new URL("format_cases.json", import.meta.url), "utf-8"));
const functions = { ...format, state_label: format.stateLabel };

for (const [name, pairs] of Object.entries(cases)) {
  test(`${name} reads as the server writes it`, () => {
    for (const [value, text] of pairs) assert.equal(functions[name](value), text, `${name}(${value})`);
  });
}

test("a reward that is no number says so", () => {
  assert.equal(format.reward(NaN), "NaN");
});
