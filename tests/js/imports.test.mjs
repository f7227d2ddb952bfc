import assert from "node:assert/strict";
import { test } from "node:test";
import { keepFresh } from "../../static/js/imports.js";

function page({ open }) {
  const state = { open, asked: 0, tick: null };
  keepFresh({ refresh: async () => { state.asked += 1; }, isOpen: () => state.open, every: (task) => (state.tick = task) });
  return state;
}

test("while an import is under way the page is asked for every second", async () => {
  const state = page({ open: true });
  for (let second = 0; second < 5; second += 1) await state.tick();
  assert.equal(state.asked, 5);
});

test("otherwise every ten seconds, as others may import", async () => {
  const state = page({ open: false });
  for (let second = 0; second < 30; second += 1) await state.tick();
  assert.equal(state.asked, 3);
});
