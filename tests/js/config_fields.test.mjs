import assert from "node:assert/strict";
import { test } from "node:test";
import { createFiller } from "../../static/js/config_fields.js";

const form = () => ({ env_path: { type: "text", value: "" }, resume: { type: "checkbox", checked: false } });

test("what a configuration says is filled in, and goes with it", () => {
  const elements = form();
  const fill = createFiller(elements, new Set());
  fill({ env_path: "/builds/Ball", resume: true, nothing: "x" });
  assert.deepEqual([elements.env_path.value, elements.resume.checked], ["/builds/Ball", true]);
  fill({ env_path: "", resume: false });
  assert.deepEqual([elements.env_path.value, elements.resume.checked], ["", false]);
});

test("what a person typed or what was there stays", () => {
  const elements = form();
  elements.env_path.value = "/mine";
  createFiller(elements, new Set())({ env_path: "/builds/Ball" });
  assert.equal(elements.env_path.value, "/mine");
  createFiller(elements, new Set(["resume"]))({ resume: true });
  assert.equal(elements.resume.checked, false);
});
