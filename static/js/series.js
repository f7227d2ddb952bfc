// The points of a page: what the page came with and what the feed added, once each, by tag and behavior.
const MOST_POINTS = 4_000;

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

  // [{ behavior, steps, values, wall_times }]; a later attempt replaces what it trained again.
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
  for (const name of ["steps", "values", "wall_times"]) part[name] = part[name].filter(keep);
}

function joined(attempts) {
  const all = { steps: [], values: [], wall_times: [] };
  for (const [, part] of [...attempts].sort(([a], [b]) => a - b)) {
    const cut = all.steps.findIndex((step) => step >= part.steps[0]);
    for (const name of Object.keys(all)) all[name] = (cut < 0 ? all[name] : all[name].slice(0, cut)).concat(part[name]);
  }
  return all;
}
