import assert from "node:assert/strict";
import { test } from "node:test";
import { completionsAt, contextAt, indentAfter, keyAt, outline, sentence } from "../../static/js/config_context.js";

const key = (name, kind, more = {}) => ({ name, kind, value: kind, default: "", needed: false, choices: [], section: "", outdated: false, help: "", ...more });
const schema = {
  sections: [
    { name: "configuration", title: "A configuration", keys: [key("default_settings", "section", { section: "behavior" }), key("behaviors", "behaviors"), key("environment_parameters", "parameters")] },
    { name: "behavior", title: "A behavior", keys: [key("trainer_type", "trainer", { choices: ["ppo", "sac"] }), key("hyperparameters", "hyperparameters"), key("reward_signals", "signals"), key("max_steps", "steps", { value: "a number of steps", default: "500000", help: "When it ends." }), key("framework", "text", { outdated: true })] },
    { name: "of ppo", title: "ppo", keys: [key("beta", "number")] },
    { name: "of sac", title: "sac", keys: [key("tau", "number")] },
    { name: "extrinsic", title: "Extrinsic", keys: [key("gamma", "number")] },
    { name: "curriculum", title: "Curriculum", keys: [key("curriculum", "curriculum")] },
    { name: "lesson", title: "Lesson", keys: [key("name", "text"), key("value", "sampler"), key("completion_criteria", "section", { section: "criteria" })] },
    { name: "criteria", title: "Criteria", keys: [key("behavior", "text")] },
    { name: "sampler", title: "Sampler", keys: [key("sampler_type", "choice", { choices: ["uniform"] }), key("sampler_parameters", "section")] },
    { name: "uniform", title: "Uniform", keys: [key("min_value", "number")] },
  ],
  hyperparameters: { ppo: "of ppo", sac: "of sac" },
  signals: ["extrinsic"],
  samplers: ["uniform"],
};

// The bar is the cursor.
function offered(text) {
  const position = text.indexOf("|");
  return completionsAt(schema, text.replace("|", ""), position)?.options.map((one) => one.label) ?? [];
}

test("keys are offered by their place in the tree", () => {
  assert.deepEqual(offered("|"), ["default_settings", "behaviors", "environment_parameters"]);
  assert.deepEqual(offered("behaviors:\n  Ball:\n    ma|"), ["trainer_type", "hyperparameters", "reward_signals", "max_steps"]);
  assert.deepEqual(offered("behaviors:\n  |"), [], "a behavior may have any name");
  assert.deepEqual(offered("behaviors:\n  Ball:\n    reward_signals:\n      |"), ["extrinsic"]);
  assert.deepEqual(offered("behaviors:\n  Ball:\n    reward_signals:\n      extrinsic:\n        |"), ["gamma"]);
});

test("what is given already is not offered again, but for the key that is being written", () => {
  const text = "behaviors:\n  Ball:\n    trainer_type: ppo\n    max_steps: 5\n    |\n    reward_signals:\n";
  assert.deepEqual(offered(text), ["hyperparameters"]);
  assert.ok(offered("behaviors:\n  Ball:\n    max|_steps: 5\n").includes("max_steps"));
});

test("hyperparameters are those of the trainer, wherever it is named", () => {
  const text = "behaviors:\n  Ball:\n    hyperparameters:\n      |\n    trainer_type: sac  # off policy\n";
  assert.deepEqual(offered(text), ["tau"]);
  assert.deepEqual(offered("default_settings:\n  trainer_type: sac\nbehaviors:\n  Ball:\n    hyperparameters:\n      |"), ["tau"]);
  assert.deepEqual(offered("behaviors:\n  Ball:\n    hyperparameters:\n      |"), ["beta"]);
});

test("choices are offered as values", () => {
  assert.deepEqual(offered("behaviors:\n  Ball:\n    trainer_type: |"), ["ppo", "sac"]);
  assert.deepEqual(offered("behaviors:\n  Ball:\n    max_steps: |"), []);
});

test("lessons and samplers know their keys, with their lists indented or not", () => {
  const head = "environment_parameters:\n  size:\n    curriculum:\n";
  assert.deepEqual(offered(`${head}      - |`), ["name", "value", "completion_criteria"]);
  assert.deepEqual(offered(`${head}    - name: One\n      |`), ["value", "completion_criteria"]);
  assert.deepEqual(offered(`${head}    - name: One\n      value: 1\n    - |`), ["name", "value", "completion_criteria"]);
  assert.deepEqual(offered("environment_parameters:\n  size:\n    sampler_type: uniform\n    sampler_parameters:\n      |"), ["min_value"]);
});

test("nothing is offered in a comment", () => {
  assert.deepEqual(offered("behaviors: # a|"), []);
});

test("a section is written with its next line, a value with a blank", () => {
  const { options } = completionsAt(schema, "behaviors:\n  Ball:\n    ", 24);
  assert.equal(options.find((one) => one.label === "reward_signals").apply, "reward_signals:\n      ");
  assert.equal(options.find((one) => one.label === "max_steps").apply, "max_steps: ");
});

test("the key of a line is known anywhere on it", () => {
  const text = "behaviors:\n  Ball:\n    max_steps: 5  # few\n";
  for (const position of [19, 24, text.length - 1]) assert.deepEqual(keyAt(schema, text, position)?.path, ["behaviors", "Ball", "max_steps"], String(position));
  assert.equal(keyAt(schema, text, 12), null, "the name of a behavior is nobody's setting");
  assert.equal(sentence(keyAt(schema, text, 24)), "A number of steps. Default: 500000.");
});

test("quotes, blank lines, comments and broken lines do not lose the place", () => {
  const text = "behaviors:\n\n  # mine\n  \"My Ball\":\n\n    trainer_type: [\n    max_steps: 5\n";
  assert.deepEqual(outline(text).map((one) => one.path.join(".")), ["behaviors", "behaviors.My Ball", "behaviors.My Ball.trainer_type", "behaviors.My Ball.max_steps"]);
});

test("any text has a context at every position", () => {
  const text = "- - a: b\n?x\n\t- : :\n\"a: {b: [c}\n   --- é😀: 1\n";
  for (let position = 0; position <= text.length; position += 1) contextAt(text, position);
  assert.ok(outline(text));
});

test("a line goes on where the one before began, and deeper after a key without a value", () => {
  assert.deepEqual(["", "a: 1", "  a: 1", "  a:", "  a:  # mine", "  - a: 1", "- a:", "   "].map(indentAfter), [0, 0, 2, 4, 4, 4, 4, 3]);
});

test("long lines take no time", () => {
  const text = `a${" ".repeat(100_000)}b\n${"- ".repeat(2000)}\n"${"x:".repeat(50_000)}`;
  const begun = performance.now();
  contextAt(text, text.length);
  assert.ok(performance.now() - begun < 1000);
});

test("names of behaviors are offered from the environment and from the text", () => {
  const at = (text, known) => completionsAt(schema, text.replace("|", ""), text.indexOf("|"), known)?.options.map((one) => [one.label, one.apply]);
  assert.deepEqual(at("behaviors:\n  |", ["Ball", "Ворота"]), [["Ball", "Ball:\n    "], ["Ворота", '"Ворота":\n    ']]);
  assert.equal(at("behaviors:\n  Ball:\n    max_steps: 5\n  |", ["Ball"]), undefined, "what is there is not offered again");
  const criteria = "behaviors:\n  Ball:\n    max_steps: 5\nenvironment_parameters:\n  x:\n    curriculum:\n      - name: a\n        completion_criteria:\n          behavior: |";
  assert.deepEqual(at(criteria, ["Goal"]).map(([label]) => label), ["Ball", "Goal"]);
});
