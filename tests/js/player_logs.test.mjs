import assert from "node:assert/strict";
import { test } from "node:test";
import { createPlayerLogs } from "../../static/js/player_logs.js";
import { fakeClock } from "./fakes.mjs";

const settle = () => new Promise((done) => setImmediate(done));

// A log as the API hands it out, worker by worker.
function setUp(texts) {
  const clock = fakeClock();
  const asked = [];
  const server = { texts, attempt: 1, ended: false, busy: true, up: true };
  const shown = { workers: [], worker: null, text: "" };
  const logs = createPlayerLogs({
    async fetchPart(query) {
      asked.push(query);
      if (!server.up) return null;
      const workers = Object.keys(server.texts).map(Number);
      const worker = query.worker ?? workers[0] ?? null;
      const text = server.texts[worker] ?? "";
      const start = query.after === undefined ? Math.max(0, text.length - query.limit) : query.after <= text.length ? query.after : 0;
      const part = text.slice(start, start + query.limit);
      return { attempt: server.attempt, workers, worker, offset: start, next_offset: start + part.length, text: part, ended: server.ended };
    },
    show: (workers, worker) => Object.assign(shown, { workers, worker }),
    printed: { append: (text) => { shown.text += text; }, reset: () => { shown.text = ""; } },
    busy: () => server.busy,
    later: clock.later,
    away: () => false,
  });
  const pass = async (by) => { clock.advance(by); await settle(); await settle(); };
  return { logs, server, shown, asked, pass };
}

test("there are no tabs until a build writes a log", async () => {
  const { logs, server, shown, pass } = setUp({});
  await logs.look();
  assert.deepEqual(shown.workers, []);
  server.texts = { 0: "one\n", 1: "" };
  await pass(15_000);
  assert.deepEqual(shown.workers, [0, 1]);
});

test("a log that is shown is followed, and not read when the console is", async () => {
  const { logs, server, shown, asked, pass } = setUp({ 0: "one\n" });
  await logs.look();
  await logs.choose(0);
  assert.equal(shown.text, "one\n");
  await pass(15_000);
  server.texts[0] += "two\n";
  await pass(2_000);
  assert.equal(shown.text, "one\ntwo\n");
  await logs.choose(null);
  await pass(2_000);
  const before = asked.length;
  await pass(14_000);
  assert.equal(asked.length, before);
});

test("a long log begins with its end", async () => {
  const { logs, shown } = setUp({ 0: "x\n".repeat(200_000) });
  await logs.choose(0);
  assert.match(shown.text, /^… earlier lines/);
  assert.ok(shown.text.length < 140_000);
});

test("a further attempt begins with an empty screen", async () => {
  const { logs, server, shown, pass } = setUp({ 0: "one\ntwo\n" });
  await logs.look();
  await logs.choose(0);
  Object.assign(server, { attempt: 2, texts: { 0: "new\n" } });
  await pass(15_000);
  assert.equal(shown.text, "new\n");
});

test("a log that has ended is not asked for again and again", async () => {
  const { logs, server, asked, pass } = setUp({ 0: "one\n" });
  Object.assign(server, { ended: true, busy: false });
  await logs.look();
  await logs.choose(0);
  await pass(15_000);
  const before = asked.length;
  for (let time = 0; time < 5; time++) await pass(2_000);
  assert.equal(asked.length, before);
});

test("a server that is away costs nothing but time", async () => {
  const { logs, server, shown, pass } = setUp({ 0: "one\n" });
  server.up = false;
  await logs.look();
  server.up = true;
  await pass(15_000);
  assert.deepEqual(shown.workers, [0]);
});
