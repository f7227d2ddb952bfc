// The points of a page: what the page came with and what the feed added, once each, by tag and behavior.
const MOST_POINTS = 4_000;
const COLUMNS = ["steps", "values", "wall_times"];

export function createStore() {
  const parts = new Map(); // "tag\0behavior" -> Map(attempt -> { steps, values, wall_times })

  // Returns the tags that got points.
  function add(series) {
    const changed = new Set();
    for (const one of series) if (extend(partOf(one), one)) changed.add(one.tag);
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

  // [{ behavior, steps, values, wall_times, replaced, seams }], stitched from the attempts.
  function get(tag) {
    return [...parts]
      .filter(([key]) => key.startsWith(`${tag}\0`))
      .map(([key, attempts]) => ({ behavior: key.split("\0")[1], ...joined(attempts) }))
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

// A later attempt wins from its first step on. What it trained again is kept beside the line, each from the last point
// that stayed; a seam is where an attempt took over.
function joined(attempts) {
  let line = slice({ steps: [], values: [], wall_times: [] });
  const replaced = [];
  const seams = [];
  for (const [attempt, part] of [...attempts].sort(([a], [b]) => a - b)) {
    if (!part.steps.length) continue;
    const cut = line.steps.findIndex((step) => step >= part.steps[0]);
    if (cut >= 0) replaced.push(slice(line, Math.max(0, cut - 1)));
    if (line.steps.length) seams.push({ attempt, step: part.steps[0], time: part.wall_times[0] });
    if (cut >= 0) line = slice(line, 0, cut);
    for (const name of COLUMNS) line[name] = line[name].concat(part[name]);
  }
  return { ...line, replaced, seams };
}

const slice = (part, from, to) => Object.fromEntries(COLUMNS.map((name) => [name, part[name].slice(from, to)]));
