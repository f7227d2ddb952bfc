// The distributions panel: a heatmap of each series of histograms, asked for when the panel is opened.
import { pageColours } from "./chart.js";

const ROWS = 40;

// The histograms of a series as one grid: the middle of each row, and the share of all values that lies in it.
export function grid(buckets, rows = ROWS) {
  const filled = buckets.flat().filter(([left, right, count]) => count > 0 && left !== null && right !== null);
  if (!filled.length) return { y: [], z: [] };
  const low = filled.reduce((least, [left]) => Math.min(least, left), Infinity);
  const high = filled.reduce((most, [, right]) => Math.max(most, right), -Infinity);
  const size = (high - low || 1) / rows;
  const y = Array.from({ length: rows }, (_, row) => low + (row + 0.5) * size);
  const columns = buckets.map((one) => shares(one, { low, size, rows }));
  return { y, z: y.map((_, row) => columns.map((column) => column[row])) };
}

function shares(buckets, { low, size, rows }) {
  const column = new Array(rows).fill(0);
  const total = buckets.reduce((sum, [, , count]) => sum + Math.max(0, count ?? 0), 0);
  const rowOf = (value) => Math.min(rows - 1, Math.max(0, Math.floor((value - low) / size)));
  for (const [left, right, count] of buckets) {
    if (!(count > 0) || left === null || right === null) continue;
    const [first, last] = [rowOf(left), rowOf(right)];
    for (let row = first; row <= last; row += 1) {
      const covered = Math.min(right, low + (row + 1) * size) - Math.max(left, low + row * size);
      column[row] += (count / total) * (right > left ? Math.max(0, covered) / (right - left) : Number(row === first));
    }
  }
  return column;
}

// Attempts of a behavior one after another: a later one wins from its first step on.
export function joined(series) {
  const byName = new Map();
  for (const one of [...series].sort((a, b) => a.attempt - b.attempt)) {
    const name = `${one.behavior}\n${one.tag}`;
    const before = byName.get(name) ?? { behavior: one.behavior, tag: one.tag, steps: [], buckets: [] };
    const kept = before.steps.filter((step) => step < one.steps[0]).length;
    byName.set(name, {
      ...before,
      steps: [...before.steps.slice(0, kept), ...one.steps],
      buckets: [...before.buckets.slice(0, kept), ...one.buckets],
    });
  }
  return [...byName.values()];
}

export function figure({ steps, buckets }, palette) {
  const { y, z } = grid(buckets);
  const lines = { gridcolor: palette.grid, zerolinecolor: palette.grid, linecolor: palette.grid, automargin: true };
  const trace = {
    type: "heatmap", x: steps, y, z, showscale: false, zmin: 0,
    colorscale: [[0, palette.raised], [1, palette.series[0]]],
    hovertemplate: "step %{x:,d}, %{y:.3g}: %{z:.0%}<extra></extra>",
  };
  const layout = {
    height: 240, margin: { l: 48, r: 12, t: 8, b: 40 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: palette.font, size: 12, color: palette.text },
    xaxis: { ...lines, title: { text: "Steps", standoff: 8 } }, yaxis: lines,
  };
  return [[trace], layout];
}

export function createHistograms(root, { plotly, page = document, load = (url) => fetch(url).then((answer) => answer.json()), colours = pageColours }) {
  const panel = root.querySelector("[data-histograms]");
  const place = panel.querySelector("[data-histogram-charts]");
  const drawn = [];

  async function draw() {
    const { series } = await load(panel.dataset.histograms);
    const tags = [...new Set(series.map((one) => one.tag))];
    const found = await Promise.all(tags.map((tag) => load(`${panel.dataset.histograms}?tag=${encodeURIComponent(tag)}`)));
    panel.querySelector("[data-histogram-none]").hidden = tags.length > 0;
    place.replaceChildren();
    drawn.length = 0;
    for (const one of joined(found.flatMap((answer) => answer.series))) add(one);
  }

  function add(one) {
    const box = page.createElement("figure");
    const title = page.createElement("h3");
    const element = page.createElement("div");
    title.textContent = `${one.tag.replace(/_hist(\/.*)?$/, "")} · ${one.behavior}`;
    element.className = "chart";
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", `Distribution of ${title.textContent} over the steps`);
    box.append(title, element);
    place.append(box);
    drawn.push(() => plotly.react(element, ...figure(one, colours(element)), { displayModeBar: false, responsive: true }));
    drawn.at(-1)();
  }

  panel.addEventListener("toggle", () => panel.open && draw());
  page.addEventListener("mentor:theme", () => drawn.forEach((paint) => paint()));
  return { draw };
}
