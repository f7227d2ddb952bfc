// What Plotly draws of stitched series: a line per behavior, faintly what was trained again, and the seams.
import { smoothed } from "./smoothing.js";

export const COLOURS = 6;
const FAINT = 0.35;
const MANY_SEAMS = 4;
const MARK_ROWS = 5;
const COLUMNS = ["steps", "values", "wall_times", "seconds"];

// Where a point lies on each horizontal axis. A clock is that of the reader; Plotly would show UTC.
const AXES = {
  steps: ({ steps }) => steps,
  time: ({ seconds }) => seconds.map((second) => second / 60),
  clock: ({ wall_times: times }) => times.map(local),
};

// What was trained again lies faintly beside the line that took its place, and so does a line beside the smoothed one.
// Values with a `unit` { format, suffix } say it wherever they are written.
export function traces(series, { axis, palette, small, unit = null, smoothing = 0 }) {
  const x = AXES[axis];
  const colour = (index) => palette.series[index % COLOURS];
  const faintly = (one, index) => ({
    type: "scatter", mode: "lines", x: x(one), y: one.values, opacity: FAINT, showlegend: false, hoverinfo: "skip",
    line: { color: colour(index), width: small ? 1.2 : 1.6 },
  });
  const lines = series.map(axis === "steps" ? (one) => one : apart);
  const drawn = lines.map((one, index) => ({
    type: "scatter",
    name: escaped(one.behavior),
    mode: one.steps.length < 3 ? "markers" : "lines",
    x: x(one),
    y: smoothing > 0 ? smoothed(one.values, smoothing) : one.values,
    line: { color: colour(index), width: small ? 1.6 : 2.2 },
    marker: { color: colour(index), size: 6 },
    hovertemplate: `%{y:${unit?.format ?? ".4g"}}${unit?.suffix ?? ""}<extra>${escaped(one.behavior)}</extra>`,
  }));
  const behind = smoothing > 0 ? lines.map(faintly) : [];
  return [...drawn, ...behind, ...series.flatMap((one, index) => (one.replaced ?? []).map((part) => faintly(part, index)))];
}

// Over time, nothing joins two attempts: a gap stands for the hours between them, or for what was trained again.
function apart(one) {
  const gapped = { ...one };
  for (const { time } of one.seams ?? []) {
    const at = gapped.wall_times.indexOf(time);
    if (at <= 0) continue;
    for (const name of COLUMNS) if (gapped[name]) gapped[name] = [...gapped[name].slice(0, at), name === "values" ? null : gapped[name][at], ...gapped[name].slice(at)];
  }
  return gapped;
}

// A line down the chart where an attempt took over, named once: at the first of its behaviors.
export function seams(series, { axis, palette, small }) {
  const first = new Map();
  for (const { attempt, step, time, seconds } of series.flatMap((one) => one.seams ?? [])) {
    const [x] = AXES[axis]({ steps: [step], wall_times: [time], seconds: [seconds] });
    first.set(attempt, first.has(attempt) && first.get(attempt) <= x ? first.get(attempt) : x);
  }
  const words = first.size > MANY_SEAMS ? String : (attempt) => `attempt ${attempt}`;
  const shapes = [...first.values()].map((x) => ({ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, layer: "below", line: { color: palette.text, width: 1, dash: "dot" } }));
  const annotations = small ? [] : [...first].map(([attempt, x]) => ({ x, y: 1, yref: "paper", text: words(attempt), showarrow: false, xanchor: "left", yanchor: "top", xshift: 2, font: { size: 11, color: palette.text } }));
  return { shapes, annotations };
}

// A line where something was noticed of the training, with its title in a large chart; titles stand in rows.
export function marked(series, marks, { axis, palette, small }) {
  const placed = marks.map((mark) => ({ ...mark, x: placeOf(mark, series, axis) })).filter(({ x }) => x !== undefined);
  const shapes = placed.map(({ x }) => ({ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, line: { color: palette.warning, width: 1.5, dash: "dash" } }));
  const annotations = small ? [] : placed.map(({ x, title, behavior }, row) => ({
    x, y: 0, yref: "paper", yshift: 16 * (row % MARK_ROWS), text: `⚠ ${escaped(series.length > 1 ? `${behavior}: ${title}` : title)}`, showarrow: false,
    xanchor: "left", yanchor: "bottom", xshift: 3, bgcolor: palette.raised, font: { size: 11, color: palette.warning },
  }));
  return { shapes, annotations };
}

// Over time a mark lies at the point of its behavior that was written then.
function placeOf({ behavior, step, time }, series, axis) {
  if (axis === "steps") return step;
  const one = series.find((each) => each.behavior === behavior) ?? series[0];
  const index = one.wall_times.findIndex((wall) => wall >= time);
  return AXES[axis](one).at(index);
}

// Seconds since 1970 as the date and time of this place, in the text that Plotly and an alphabet both put in order.
function local(seconds) {
  const moment = new Date(1000 * seconds);
  return new Date(moment - 60_000 * moment.getTimezoneOffset()).toISOString().slice(0, -1);
}

// Plotly reads a few tags in names; nothing of a behavior's name may become one.
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("%{", "% {");
