import assert from "node:assert/strict";
import { test } from "node:test";
import { createRefresh } from "../../static/js/refresh.js";

function refreshed(answers, opened = [], closed = []) {
  const parts = new Map([["files", { id: "files", outerHTML: "<old>" }]]);
  const page = {
    querySelectorAll: () => [...parts.values()],
    getElementById: (id) => ({ replaceWith: (part) => parts.set(id, part), querySelectorAll: () => opened }),
  };
  const fetcher = async () => ({ ok: true, redirected: false, text: async () => answers.shift() });
  const parse = (text) => ({ querySelectorAll: () => [{ id: "files", outerHTML: text, querySelectorAll: () => closed }] });
  return { parts, refresh: createRefresh({ page, fetcher, parse, address: "/" }) };
}

test("a part that the server renders anew is replaced, one that is the same is left alone", async () => {
  const { parts, refresh } = refreshed(["<old>", "<new>"]);
  const before = parts.get("files");
  await refresh();
  assert.equal(parts.get("files"), before);
  await refresh();
  assert.equal(parts.get("files").outerHTML, "<new>");
});

test("asking again while an answer is under way asks once more, not many times", async () => {
  const answers = ["<a>", "<b>", "<c>"];
  const { parts, refresh } = refreshed(answers);
  await Promise.all([refresh(), refresh(), refresh()]);
  assert.equal(parts.get("files").outerHTML, "<b>");
  assert.equal(answers.length, 1);
});

test("what a person has opened stays open", async () => {
  const folds = ["a", "b"].map((opened) => ({ dataset: { opened }, open: false }));
  const { refresh } = refreshed(["<new>"], [{ dataset: { opened: "b" } }], folds);
  await refresh();
  assert.deepEqual(folds.map((one) => one.open), [false, true]);
});
