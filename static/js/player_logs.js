// Unity's own logs, one tab for each worker beside the console: looked for now and then, followed while one is shown.
const LOOK_MS = 15_000;
const FOLLOW_MS = 2_000;
const LIMIT = 131_072;
const EARLIER = "… earlier lines are in the whole log\n";

// `fetchPart({ worker, after, limit })` gives a part as the API answers it, or null when it cannot be had;
// `show(workers, worker)` draws the tabs; `printed` is a console; `busy()` tells whether the session still trains.
export function createPlayerLogs({ fetchPart, show, printed, busy, later = setTimeout, away = () => document.hidden }) {
  let workers = [];
  let worker = null; // null is the console
  let at = null; // { attempt, next, ended } of the worker that is shown
  let looked = false;
  let turn = 0; // an answer to what was asked before another tab was chosen comes too late

  async function look() {
    if (!away()) await (worker === null ? find() : read());
    later(look, worker === null ? LOOK_MS : FOLLOW_MS);
  }

  async function find() {
    if (looked && !busy()) return;
    const part = await fetchPart({ after: 0, limit: 1 });
    if (!part) return;
    looked = true;
    offer(part.workers);
  }

  function offer(found) {
    if (found.join() === workers.join()) return;
    workers = found;
    show(workers, worker);
  }

  async function read() {
    const mine = turn;
    for (let more = !at?.ended || busy(); more;) {
      const part = await fetchPart({ worker, after: at?.next, limit: LIMIT });
      if (!part || mine !== turn) return;
      offer(part.workers);
      more = take(part);
    }
  }

  // Returns whether there is more at once.
  function take(part) {
    const anew = at !== null && (part.attempt !== at.attempt || part.offset < at.next);
    if (anew) printed.reset();
    if (at === null && part.offset > 0) printed.append(EARLIER);
    if (part.text) printed.append(part.text.endsWith("\n") || part.ended ? part.text : `${part.text}\n`);
    at = { attempt: part.attempt, next: part.next_offset, ended: part.ended };
    return part.next_offset - part.offset > LIMIT / 2;
  }

  async function choose(chosen) {
    if (chosen === worker) return;
    turn += 1;
    worker = chosen;
    at = null;
    printed.reset();
    show(workers, worker);
    if (worker !== null) await read();
  }

  return { look, choose };
}
