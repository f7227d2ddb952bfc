import assert from "node:assert/strict";
import { test } from "node:test";
import { optionNodes } from "../../static/js/command.js";
import { folderOf } from "../../static/js/picker.js";
import { fakePage } from "./fakes.mjs";

test("a command keeps every character and is broken only between options", () => {
  const nodes = optionNodes("mlagents-learn a.yaml --run-id=x --force", fakePage);
  const texts = nodes.map((node) => (typeof node === "string" ? node : node.textContent));
  assert.deepEqual(texts, ["mlagents-learn a.yaml", " ", "--run-id=x", " ", "--force"]);
});

test("the picker opens where the field points, on any system", () => {
  assert.equal(folderOf("/home/ada/ball.yaml"), "/home/ada");
  assert.equal(folderOf("C:\\proj\\ball.yaml"), "C:\\proj");
  assert.equal(folderOf(""), "");
});
