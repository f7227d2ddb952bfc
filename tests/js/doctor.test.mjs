import assert from "node:assert/strict";
import { test } from "node:test";
import { waitForTheRest } from "../../static/js/doctor.js";

function pageWith(part) {
  return { querySelector: (wanted) => (wanted === "#findings[data-late]" ? part : null) };
}

function latePart() {
  const part = { shown: null, querySelector: () => ({ href: "/doctor/?patient" }), replaceWith(fresh) { this.shown = fresh; } };
  return part;
}

const parse = () => ({ querySelector: () => "everything" });

test("what was late is asked for once and takes the place of what was shown", async () => {
  const part = latePart();
  const asked = [];
  const fetcher = async (address) => { asked.push(address); return { ok: true, text: async () => "" }; };
  await waitForTheRest({ page: pageWith(part), fetcher, parse });
  assert.deepEqual(asked, ["/doctor/?patient"]);
  assert.equal(part.shown, "everything");
});

test("a page that knows everything asks nothing", async () => {
  await waitForTheRest({ page: pageWith(null), fetcher: () => assert.fail("it asked"), parse });
});

test("a server that is away, or asks for a sign-in, changes nothing", async () => {
  const part = latePart();
  await waitForTheRest({ page: pageWith(part), fetcher: async () => { throw new TypeError("away"); }, parse });
  await waitForTheRest({ page: pageWith(part), fetcher: async () => ({ ok: true, redirected: true, text: async () => "" }), parse });
  assert.equal(part.shown, null);
});
