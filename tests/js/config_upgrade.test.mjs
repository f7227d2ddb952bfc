import assert from "node:assert/strict";
import { test } from "node:test";
import { kindsOf } from "../../static/js/config_upgrade.js";

test("each line of a difference is added, removed, the same, or tells its place", () => {
  const difference = "--- configuration\n+++ configuration, upgraded\n@@ -1,3 +1,3 @@\n a: 1\n-b: 2\n+b: 3\n \n";
  assert.deepEqual(kindsOf(difference), [
    { line: "@@ -1,3 +1,3 @@", kind: "place" },
    { line: " a: 1", kind: "same" },
    { line: "-b: 2", kind: "removed" },
    { line: "+b: 3", kind: "added" },
    { line: " ", kind: "same" },
  ]);
  assert.deepEqual(kindsOf(""), []);
});

test("an item of a list that was taken away is no head of a difference", () => {
  assert.deepEqual(kindsOf("--- a\n+++ b\n@@ -1 +0 @@\n---\n").map((one) => one.kind), ["place", "removed"]);
});
