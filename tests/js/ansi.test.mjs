import assert from "node:assert/strict";
import { test } from "node:test";
import { createParser } from "../../static/js/ansi.js";

const parse = (...lines) => lines.map(createParser()).at(-1);

test("a plain line stays as it is", () => {
  assert.deepEqual(parse("[INFO] a\tb <b>"), { text: "[INFO] a\tb <b>", spans: null });
});

test("colours and weights become classes", () => {
  assert.deepEqual(parse("a \u001b[1;31mred\u001b[0m b"), { text: "a red b", spans: [[2, 5, "sgr-bold sgr-red"]] });
  assert.deepEqual(parse("\u001b[96mcyan\u001b[39m."), { text: "cyan.", spans: [[0, 4, "sgr-cyan"]] });
});

test("a colour lasts until it is taken back, also over lines", () => {
  assert.deepEqual(parse("\u001b[32mone", "two\u001b[0m three"), { text: "two three", spans: [[0, 3, "sgr-green"]] });
});

test("palettes of more colours are passed over without reading their numbers as styles", () => {
  assert.deepEqual(parse("\u001b[38;5;1;4mx\u001b[0m"), { text: "x", spans: [[0, 1, "sgr-underline"]] });
  assert.deepEqual(parse("\u001b[38;2;1;3;4mx\u001b[0m"), { text: "x", spans: null });
});

test("titles, links, clipboards and cursor moves are dropped", () => {
  assert.equal(parse("a\u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007b").text, "alinkb");
  assert.equal(parse("a\u001b]52;c;aGVsbG8=\u001b\\b").text, "ab");
  assert.equal(parse("a\u001b[2J\u001b[10;10Hb\u001b[?25l").text, "ab");
  assert.equal(parse("a\u001bPq#0\u001b\\b\u001b(Bc\u001b").text, "abc");
  assert.equal(parse("a\u009b31mb\u009d0;t\u0007c").text, "abc");
});

test("control characters and direction overrides are dropped", () => {
  assert.equal(parse("a\u0000\u0008\u202eb\u2066c\u007f\u200fd").text, "abcd");
});

test("a carriage return starts the line again", () => {
  assert.equal(parse(" 10%\r 50%\r100%").text, "100%");
  assert.equal(parse("windows\r").text, "windows");
});
