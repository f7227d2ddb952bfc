// Finding words in a console and stepping through the places. `onMove()` is told before a place is shown.
import { number } from "./format.js";
import { MOST_PLACES } from "./ring.js";

export function createSearch({ ring, view, onMove }) {
  let words = "";
  let matches = [];
  let current = -1;

  // Looks again, as lines come and go; the place that is shown stays the same as long as it is there.
  function refresh() {
    const shown = matches[current];
    matches = ring.search(words);
    const same = (match) => match.chunk === shown.chunk && match.row === shown.row && match.start === shown.start;
    current = shown ? matches.findIndex(same) : -1;
  }

  function step(by) {
    refresh();
    if (!matches.length) return;
    const from = current < 0 && by < 0 ? 0 : current;
    current = (from + by + matches.length) % matches.length;
    onMove();
    view.show(matches[current]);
  }

  function search(text) {
    words = text;
    matches = [];
    current = -1;
    view.mark(words);
    step(-1); // the newest first: what one looks for is usually near the end
  }

  function label() {
    if (!words) return "";
    const all = `${number(matches.length)}${matches.length < MOST_PLACES ? "" : "+"}`;
    return current < 0 ? `${all} found` : `${number(current + 1)} of ${all}`;
  }

  return { search, step, refresh, label, active: () => words !== "" };
}
