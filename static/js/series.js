// The points of a page: what the page came with and what the feed added, once each, by tag and behavior.
const MOST_POINTS = 4_000;
const COLUMNS = ["steps", "values", "wall_times"];
const DRAWN = [...COLUMNS, "seconds"]; // of training: without the pauses between attempts

export function createStore() {
  const parts = new Map(); // "tag\0behavior" -> Map(attempt -> { steps, values, wall_times })
  const spans = new Map(); // attempt -> { begin, end }, of all that it wrote

  // Returns the tags that got points.
  function add(series) {
    const changed = new Set();
    for (const one of series) {
      if (!extend(partOf(one), one)) continue;
      changed.add(one.tag);
      widen(spans, one.attempt, one.wall_times);
    }
    return changed;
  }

  function partOf({ tag, behavior, attempt }) {
    const key = `${tag}\0${behavior}`;
    if (!parts.has(key)) parts.set(key, new Map());
    const attempts = parts.get(key);
    if (!attempts.has(attempt)) attempts.set(attempt, { steps: [], values: [], wall_times: [] });
    return attempts.get(attempt);
  }

  function tags() {
    return [...new Set([...parts.keys()].map((key) => key.split("\0")[0]))].sort();
  }

  // [{ behavior, steps, values, wall_times, seconds, replaced, seams }], stitched from the attempts.
  function get(tag) {
    const zeros = zerosOf(spans);
    return [...parts]
      .filter(([key]) => key.startsWith(`${tag}\0`))
      .map(([key, attempts]) => ({ behavior: key.split("\0")[1], ...joined(attempts, zeros) }))
      .sort((a, b) => a.behavior.localeCompare(b.behavior));
  }

  return { add, get, tags };
}

function extend(part, { steps, values, wall_times: times }) {
  const last = part.steps.length - 1;
  let from = 0;
  if (last >= 0) while (from < steps.length && known(part, last, steps[from], times[from])) from += 1;
  if (from === steps.length) return false;
  for (let at = from; at < steps.length; at++) {
    part.steps.push(steps[at]);
    part.values.push(values[at]);
    part.wall_times.push(times[at]);
  }
  if (part.steps.length > MOST_POINTS) thin(part);
  return true;
}

// Within one attempt steps and time only grow, so what is not later was seen before.
const known = (part, last, step, time) => step <= part.steps[last] && time <= part.wall_times[last];

// Every second point of the older half goes; the newest stay whole.
function thin(part) {
  const half = part.steps.length / 2;
  const keep = (_, at) => at >= half || at % 2 === 0;
  for (const name of COLUMNS) part[name] = part[name].filter(keep);
}

function widen(spans, attempt, times) {
  const span = spans.get(attempt) ?? { begin: times[0], end: times[0] };
  spans.set(attempt, { begin: Math.min(span.begin, times[0]), end: Math.max(span.end, times.at(-1)) });
}

// From which moment the seconds of training are counted in each attempt: it goes on where the one before it left off.
function zerosOf(spans) {
  const zeros = new Map();
  let passed = 0;
  for (const [attempt, { begin, end }] of [...spans].sort(([a], [b]) => a - b)) {
    zeros.set(attempt, begin - passed);
    passed += end - begin;
  }
  return zeros;
}

// A later attempt wins from its first step on. What it trained again is kept beside the line, each from the last point
// that stayed; a seam is where an attempt took over.
function joined(attempts, zeros) {
  let line = slice({ steps: [], values: [], wall_times: [], seconds: [] });
  const replaced = [];
  const seams = [];
  for (const [attempt, stored] of [...attempts].sort(([a], [b]) => a - b)) {
    if (!stored.steps.length) continue;
    const part = { ...stored, seconds: stored.wall_times.map((time) => time - zeros.get(attempt)) };
    const cut = line.steps.findIndex((step) => step >= part.steps[0]);
    if (cut >= 0) replaced.push(slice(line, Math.max(0, cut - 1)));
    if (line.steps.length) seams.push({ attempt, step: part.steps[0], time: part.wall_times[0], seconds: part.seconds[0] });
    if (cut >= 0) line = slice(line, 0, cut);
    for (const name of DRAWN) line[name] = line[name].concat(part[name]);
  }
  return { ...line, replaced, seams };
}

const slice = (part, from, to) => Object.fromEntries(DRAWN.map((name) => [name, part[name].slice(from, to)]));
