// The chart area of a session: the reward in front, every other tag as a small chart that appears with its first point.
import { createChart, whenSeen } from "./chart.js";

const OTHER = "Other";
const HIDDEN = /_hist(\/|$)/;

export function createCharts(root, { store, plotly, page = document, Observer = IntersectionObserver }) {
  const more = root.querySelector("[data-more-charts]");
  const grid = root.querySelector("[data-multiples]");
  const charts = new Map();
  const see = whenSeen(Observer);
  let axis = "steps";
  let smoothing = 0;
  let marks = [];

  function open(tag, element, small) {
    const chart = createChart(element, { store, tag, plotly, small, axis });
    chart.setSmoothing(smoothing);
    chart.setMarks(marksOf(tag));
    charts.set(tag, chart);
    see(element, chart);
    return chart;
  }

  function addSmall(tag) {
    const [group, ...rest] = tag.split("/");
    const figure = page.createElement("figure");
    const title = page.createElement("h3");
    const element = page.createElement("div");
    title.textContent = rest.join("/") || tag;
    element.className = "chart";
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", tag);
    figure.append(title, element);
    place(figure, rest.length ? group : OTHER);
    more.hidden = false;
    more.querySelector("[data-more-count]").textContent = String(charts.size);
    return open(tag, element, true);
  }

  // Groups keep the order in which their first tag came; tags without a group stand last.
  function place(figure, group) {
    const members = [...grid.children].filter((child) => child.dataset.group === group);
    figure.dataset.group = group;
    if (members.length) return members.at(-1).after(figure);
    const heading = page.createElement("h2");
    heading.textContent = group;
    heading.dataset.group = group;
    const last = group === OTHER ? null : [...grid.children].find((child) => child.dataset.group === OTHER) ?? null;
    grid.insertBefore(heading, last);
    grid.insertBefore(figure, last);
  }

  function draw(tags) {
    for (const tag of tags) if (!HIDDEN.test(tag)) (charts.get(tag) ?? addSmall(tag)).draw();
  }

  function setAxis(name) {
    axis = name;
    charts.forEach((chart) => chart.setAxis(axis));
  }

  function setSmoothing(weight) {
    smoothing = weight;
    charts.forEach((chart) => chart.setSmoothing(smoothing));
  }

  // The chart in front shows whatever was noticed, each other one what its own curve told.
  const marksOf = (tag) => marks.filter((mark) => tag === front.dataset.chart || tag === mark.tag);

  function setMarks(all) {
    if (JSON.stringify(all) === JSON.stringify(marks)) return;
    marks = all;
    charts.forEach((chart, tag) => chart.setMarks(marksOf(tag)));
  }

  const front = root.querySelector("[data-chart]");
  open(front.dataset.chart, front, false);
  draw(store.tags());
  page.addEventListener("mentor:theme", () => charts.forEach((chart) => chart.repaint()));
  return { draw, setAxis, setSmoothing, setMarks };
}

// Plotly comes by its own script, so that the feed need not wait for it.
export function plotlyReady(script) {
  return new Promise((resolve) => {
    if (window.Plotly) resolve(window.Plotly);
    else script.addEventListener("load", () => resolve(window.Plotly));
  });
}
