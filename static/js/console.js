// The live console: follows the end, pauses, searches, jumps. `append(text)` takes whole lines.
import { createParser } from "./ansi.js";
import { coalesce, nextFrame } from "./coalesce.js";
import { withLevel } from "./console_lines.js";
import { createSearch } from "./console_search.js";
import { createView } from "./console_view.js";
import { number } from "./format.js";
import { createRing } from "./ring.js";

const LIMIT = 20_000;
const NEAR_PX = 30;

export function createConsole(root, { limit = LIMIT, later = nextFrame, now, view, page } = {}) {
  const part = (name) => root.querySelector(`[data-console-${name}]`);
  const screen = part("screen");
  const ring = createRing(limit);
  let parse = createParser();
  let pending = [];
  let arrived = 0; // lines since the pause
  let paused = false;
  let following = true;
  let lastTop = 0;
  view ??= createView(screen, { page });

  const search = createSearch({ ring, view, onMove: () => follow(false) });
  const draw = coalesce(flush, { delay: 15, later, now });
  const recount = coalesce(() => { search.refresh(); label(); }, { delay: 500, now });

  function append(text) {
    const lines = text.split("\n");
    if (lines.at(-1) === "") lines.pop();
    pending = pending.length ? pending.concat(lines) : lines;
    arrived += lines.length;
    if (pending.length > limit * 2) pending = pending.slice(-limit);
    draw();
  }

  function flush() {
    if (!paused && pending.length) print();
    label();
  }

  function print() {
    const { grown, dropped } = ring.push(pending.map((raw) => withLevel(parse(raw))));
    pending = [];
    grown.forEach(view.grow);
    const lost = dropped.reduce((sum, chunk) => sum + view.drop(chunk, !following), 0);
    if (following) toEnd();
    else if (lost) screen.scrollTop -= lost;
    if (search.active()) recount();
  }

  function label() {
    part("count").textContent = ring.total() ? `${number(ring.total())} lines` : "";
    part("pause-text").textContent = paused ? `Go on (${number(arrived)} new)` : "Pause";
    part("pause").setAttribute("aria-pressed", String(paused));
    part("follow").setAttribute("aria-pressed", String(following));
    part("found").textContent = search.label();
  }

  function toEnd() {
    screen.scrollTop = screen.scrollHeight;
    lastTop = screen.scrollTop;
  }

  function follow(on) {
    following = on;
    if (on) toEnd();
    label();
  }

  function pause(on) {
    paused = on;
    arrived = 0;
    flush();
  }

  function scrolled() {
    const rest = screen.scrollHeight - screen.scrollTop - screen.clientHeight;
    const up = screen.scrollTop < lastTop;
    lastTop = screen.scrollTop;
    if (following && up && rest > NEAR_PX) follow(false);
    else if (!following && !up && rest < NEAR_PX && !search.active()) follow(true);
  }

  function find(text) {
    search.search(text);
    label();
  }

  function step(by) {
    search.step(by);
    label();
  }

  function searchKey(event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    step(event.shiftKey ? -1 : 1);
  }

  function reset() {
    pending = [];
    ring.clear();
    view.clear();
    parse = createParser();
  }

  part("search").addEventListener("input", (event) => find(event.target.value));
  part("search").addEventListener("keydown", searchKey);
  part("previous").addEventListener("click", () => step(-1));
  part("next").addEventListener("click", () => step(1));
  part("pause").addEventListener("click", () => pause(!paused));
  part("follow").addEventListener("click", () => follow(!following));
  part("end").addEventListener("click", () => follow(true));
  screen.addEventListener("scroll", scrolled, { passive: true });

  return { append, reset, pause, follow, find, step };
}
