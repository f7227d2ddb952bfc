// What Plotly draws of stitched series: a line per behavior, faintly what was trained again, and the seams.
export const COLOURS = 6;
const FAINT = 0.35;
const MANY_SEAMS = 4;

// What was trained again lies faintly beside the line that took its place. Values with a `unit` { format, suffix }
// say it wherever they are written.
export function traces(series, { axis, palette, small, unit = null }) {
  const start = beginning(series);
  const x = (one) => (axis === "time" ? one.wall_times.map((time) => (time - start) / 60) : one.steps);
  const faint = series.flatMap((one, index) => (one.replaced ?? []).map((part) => ({
    type: "scatter", mode: "lines", x: x(part), y: part.values, opacity: FAINT, showlegend: false, hoverinfo: "skip",
    line: { color: palette.series[index % COLOURS], width: small ? 1.2 : 1.6 },
  })));
  const lines = series.map(axis === "time" ? apart : (one) => one).map((one, index) => ({
    type: "scatter",
    name: escaped(one.behavior),
    mode: one.steps.length < 3 ? "markers" : "lines",
    x: x(one),
    y: one.values,
    line: { color: palette.series[index % COLOURS], width: small ? 1.6 : 2.2 },
    marker: { color: palette.series[index % COLOURS], size: 6 },
    hovertemplate: `%{y:${unit?.format ?? ".4g"}}${unit?.suffix ?? ""}<extra>${escaped(one.behavior)}</extra>`,
  }));
  return [...lines, ...faint];
}

// Over time, nothing joins two attempts: a gap stands for the hours between them.
function apart(one) {
  const gapped = { ...one, steps: [...one.steps], values: [...one.values], wall_times: [...one.wall_times] };
  for (const { time } of one.seams ?? []) {
    const at = gapped.wall_times.indexOf(time);
    if (at > 0) [gapped.steps, gapped.values, gapped.wall_times].forEach((column) => column.splice(at, 0, column === gapped.values ? null : column[at]));
  }
  return gapped;
}

// A line down the chart where an attempt took over, named once: at the first of its behaviors.
export function seams(series, { axis, palette, small }) {
  const start = beginning(series);
  const first = new Map();
  for (const { attempt, step, time } of series.flatMap((one) => one.seams ?? [])) {
    const x = axis === "time" ? (time - start) / 60 : step;
    first.set(attempt, Math.min(x, first.get(attempt) ?? x));
  }
  const words = first.size > MANY_SEAMS ? String : (attempt) => `attempt ${attempt}`;
  const shapes = [...first.values()].map((x) => ({ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, layer: "below", line: { color: palette.text, width: 1, dash: "dot" } }));
  const annotations = small ? [] : [...first].map(([attempt, x]) => ({ x, y: 1, yref: "paper", text: words(attempt), showarrow: false, xanchor: "left", yanchor: "top", xshift: 2, font: { size: 11, color: palette.text } }));
  return { shapes, annotations };
}

// Of everything that is drawn, so that nothing lies before it.
const beginning = (series) => Math.min(...series.flatMap((one) => [one, ...(one.replaced ?? [])]).map((one) => one.wall_times[0]));

// Plotly reads a few tags in names; nothing of a behavior's name may become one.
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("%{", "% {");
