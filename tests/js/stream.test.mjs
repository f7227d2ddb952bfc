import assert from "node:assert/strict";
import { test } from "node:test";
import { openStream, socketUrl } from "../../static/js/stream.js";
import { fakeClock, fakeSockets } from "./fakes.mjs";

function setUp({ hello = () => ({ type: "follow" }) } = {}) {
  const clock = fakeClock();
  const sockets = fakeSockets();
  const seen = { frames: [], links: [], refused: [] };
  const stream = openStream("ws://here/", {
    hello, Socket: sockets.Socket, wait: clock.later,
    onFrame: (frame) => seen.frames.push(frame), onLink: (state) => seen.links.push(state), onRefused: (code) => seen.refused.push(code),
  });
  return { clock, sockets, seen, stream };
}

test("a stream says where it stands as soon as it opens", () => {
  const { sockets, seen } = setUp({ hello: () => ({ type: "follow", log: 7 }) });
  sockets.last().open();
  assert.deepEqual(sockets.last().sent, [{ type: "follow", log: 7 }]);
  assert.deepEqual(seen.links, ["live"]);
});

test("a broken stream comes back, saying where it stands by then", () => {
  let log = 0;
  const { clock, sockets } = setUp({ hello: () => ({ log }) });
  sockets.last().open();
  log = 42;
  sockets.last().break();
  clock.advance(500);
  sockets.last().open();
  assert.equal(sockets.opened.length, 2);
  assert.deepEqual(sockets.last().sent, [{ log: 42 }]);
});

test("the waits grow from half a second to ten, and start again once frames come", () => {
  const { clock, sockets } = setUp();
  const waits = [];
  const fail = () => {
    sockets.last().break();
    waits.push(clock.pending()[0]);
    clock.advance(10_000);
  };
  for (let time = 0; time < 7; time++) fail();
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  sockets.last().open();
  sockets.last().say({ type: "log" });
  fail();
  assert.equal(waits.at(-1), 500);
});

test("a page that may not watch does not knock again", () => {
  for (const code of [4401, 4403, 4404]) {
    const { clock, sockets, seen } = setUp();
    sockets.last().break(code);
    assert.deepEqual(clock.pending(), []);
    assert.deepEqual(seen.refused, [code]);
    assert.equal(seen.links.at(-1), "off");
  }
});

test("a closed stream stays closed", () => {
  const { clock, sockets, stream } = setUp();
  stream.close();
  clock.advance(60_000);
  assert.equal(sockets.opened.length, 1);
});

test("nothing is sent into a socket that is not open", () => {
  const { sockets, stream } = setUp();
  stream.send({ type: "follow" });
  assert.deepEqual(sockets.last().sent, []);
});

test("the socket's address follows the page's", () => {
  assert.equal(socketUrl("/ws/a/", "http://127.0.0.1:8600/sessions/a/"), "ws://127.0.0.1:8600/ws/a/");
  assert.equal(socketUrl("/ws/a/", "https://host/sessions/a/"), "wss://host/ws/a/");
});
