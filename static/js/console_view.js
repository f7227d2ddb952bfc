// The chunks of a console on the page. Matches are marked only in chunks that are seen, so that a search stays quick.
import { lineNodes } from "./console_lines.js";

export function createView(screen, { page = document, Observer = IntersectionObserver } = {}) {
  const shown = new Map(); // chunk -> { element, rows, wanted }
  const chunkOf = new WeakMap();
  const seen = new Set();
  let wanted = "";
  let now = null;

  const observer = new Observer((entries) => {
    for (const entry of entries) {
      const chunk = chunkOf.get(entry.target);
      if (!entry.isIntersecting) seen.delete(chunk);
      else if (shown.has(chunk)) {
        seen.add(chunk);
        if (shown.get(chunk).wanted !== wanted) paint(chunk);
      }
    }
  }, { root: screen });

  function paint(chunk) {
    const place = shown.get(chunk);
    place.wanted = wanted;
    place.rows = chunk.lines.length;
    place.element.replaceChildren(...lineNodes(page, chunk.lines, { wanted, now: now?.chunk === chunk ? now : null }));
  }

  function add(chunk) {
    const element = page.createElement("div");
    element.className = "chunk";
    const place = { element, rows: 0, wanted };
    shown.set(chunk, place);
    chunkOf.set(element, chunk);
    screen.append(element);
    observer.observe(element);
    return place;
  }

  function grow(chunk) {
    const place = shown.get(chunk) ?? add(chunk);
    const first = place.rows;
    place.rows = chunk.lines.length;
    place.element.append(...lineNodes(page, chunk.lines.slice(first), { wanted: place.wanted, first }));
  }

  // Returns how many pixels left the top of the screen when `measured`.
  function drop(chunk, measured) {
    const place = shown.get(chunk);
    if (!place) return 0;
    const height = measured ? place.element.offsetHeight : 0;
    observer.unobserve(place.element);
    place.element.remove();
    shown.delete(chunk);
    seen.delete(chunk);
    return height;
  }

  function mark(words) {
    wanted = words.toLowerCase();
    now = null;
    seen.forEach(paint);
  }

  function show(match) {
    const before = now?.chunk;
    now = match;
    for (const chunk of new Set([before, match.chunk])) if (shown.has(chunk)) paint(chunk);
    const place = shown.get(match.chunk);
    if (!place) return;
    if (!seen.has(match.chunk)) screen.scrollTop += place.element.getBoundingClientRect().top - screen.getBoundingClientRect().top;
    const found = place.element.querySelector("mark.now");
    if (!found) return;
    const [box, frame] = [found.getBoundingClientRect(), screen.getBoundingClientRect()];
    if (box.top < frame.top + 20 || box.bottom > frame.bottom - 20) screen.scrollTop += box.top - frame.top - screen.clientHeight / 2;
    if (box.right > frame.right || box.left < frame.left) screen.scrollLeft += box.left - frame.left - screen.clientWidth / 3;
  }

  function clear() {
    observer.disconnect();
    shown.clear();
    seen.clear();
    now = null;
    screen.replaceChildren();
  }

  return { grow, drop, mark, show, clear };
}
