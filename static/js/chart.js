// One chart of one tag, drawn with Plotly from the store: the first news at once, then at most twice a second, and only when seen.
import { coalesce } from "./coalesce.js";

const DRAW_MS = 500;
const COLOURS = 6;
const FAINT = 0.35;
const MANY_SEAMS = 4;

export function createChart(element, { store, tag, plotly, small = false, axis = "steps", unit = null, colours = pageColours, later, now }) {
  let seen = false;
  let stale = false;

  const draw = coalesce(() => {
    if (!seen) stale = true;
    else paint();
  }, { delay: DRAW_MS, later, now });

  function paint() {
    stale = false;
    const series = store.get(tag);
    if (!series.length) return;
    element.classList.add("drawn");
    const palette = colours(element);
    plotly.react(element, traces(series, { axis, palette, small, unit }), { ...layout({ axis, palette, small, unit, many: series.length > 1 }), ...seams(series, { axis, palette, small }) }, {
      displayModeBar: false, responsive: true, doubleClick: "reset",
    });
  }

  function see(visible) {
    seen = visible;
    if (visible && stale) paint();
  }

  function setAxis(name) {
    axis = name;
    stale = true;
    if (seen) paint();
  }

  return { draw, see, setAxis, repaint: () => setAxis(axis) };
}

// What was trained again lies faintly under the line that took its place. Values with a `unit` { format, suffix }
// say it wherever they are written, and begin at nothing.
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

export function layout({ axis, palette, small, many, unit = null }) {
  const lines = { gridcolor: palette.grid, zerolinecolor: palette.grid, linecolor: palette.grid, tickcolor: palette.grid, automargin: true, nticks: small ? 4 : 8 };
  return {
    uirevision: axis,
    height: small ? 176 : 320,
    margin: small ? { l: 36, r: 6, t: 4, b: 24 } : { l: 48, r: 12, t: 8, b: 40 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: palette.font, size: small ? 10 : 12, color: palette.text },
    showlegend: many && !small,
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
    hovermode: "x unified",
    hoverlabel: { bgcolor: palette.raised, bordercolor: palette.grid, font: { color: palette.text } },
    xaxis: { ...lines, rangemode: "tozero", title: small ? undefined : { text: axis === "time" ? "Minutes" : "Steps", standoff: 8 }, hoverformat: axis === "time" ? ".1f" : ",d", ticksuffix: unit ? " min" : "" },
    yaxis: { ...lines, zeroline: true, ...(unit && { tickformat: unit.format, ticksuffix: unit.suffix, rangemode: "tozero" }) },
  };
}

// Tells each chart whether its element is on the screen, or nearly.
export function whenSeen(Observer) {
  const charts = new WeakMap();
  const observer = new Observer((entries) => entries.forEach((entry) => charts.get(entry.target).see(entry.isIntersecting)), { rootMargin: "200px" });
  return (element, chart) => {
    charts.set(element, chart);
    observer.observe(element);
  };
}

export function pageColours(element) {
  const probe = element.ownerDocument.createElement("i");
  probe.hidden = true;
  element.ownerDocument.body.append(probe);
  const read = (name) => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color; };
  const palette = {
    series: Array.from({ length: COLOURS }, (_, index) => read(`series-${index + 1}`)),
    grid: read("line"), text: read("ink-2"), raised: read("raised"),
    font: getComputedStyle(element).fontFamily,
  };
  probe.remove();
  return palette;
}
