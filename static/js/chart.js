// One chart of one tag, drawn with Plotly from the store: the first news at once, then at most twice a second, and only when seen.
import { coalesce } from "./coalesce.js";
import { COLOURS, marked, seams, traces } from "./traces.js";

const DRAW_MS = 500;

export function createChart(element, { store, tag, plotly, small = false, axis = "steps", unit = null, colours = pageColours, later, now }) {
  let seen = false;
  let stale = false;
  let smoothing = 0;
  let marks = [];

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
    const lines = [seams(series, { axis, palette, small }), marked(series, marks, { axis, palette, small })];
    plotly.react(element, traces(series, { axis, palette, small, unit, smoothing }), {
      ...layout({ axis, palette, small, unit, many: series.length > 1 }),
      shapes: lines.flatMap(({ shapes }) => shapes),
      annotations: lines.flatMap(({ annotations }) => annotations),
    }, {
      displayModeBar: false, responsive: true, doubleClick: "reset",
    });
  }

  function see(visible) {
    seen = visible;
    if (visible && stale) paint();
  }

  function repaint() {
    stale = true;
    if (seen) paint();
  }

  function setAxis(name) {
    axis = name;
    repaint();
  }

  function setSmoothing(weight) {
    smoothing = weight;
    repaint();
  }

  function setMarks(all) {
    marks = all;
    repaint();
  }

  return { draw, see, setAxis, setSmoothing, setMarks, repaint };
}

const TITLES = { steps: "Steps", time: "Minutes of training", clock: "Date and time" };
const HOVERS = { steps: ",d", time: ".1f", clock: "%d %b %Y, %H:%M:%S" };

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
    xaxis: {
      ...lines, type: axis === "clock" ? "date" : "linear", rangemode: "tozero", title: small ? undefined : { text: TITLES[axis], standoff: 8 },
      hoverformat: HOVERS[axis], ticksuffix: unit ? " min" : "",
    },
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
    grid: read("line"), text: read("ink-2"), raised: read("raised"), warning: read("tone-waiting"),
    font: getComputedStyle(element).fontFamily,
  };
  probe.remove();
  return palette;
}
