// The resources panel: what each attempt's processes take of the machine, over minutes. Its series come with the
// others and have no behavior; a chart appears with the first point of its tag.
import { createChart, whenSeen } from "./chart.js";
import { createStore } from "./series.js";

const UNITS = {
  load: { format: ",.0f", suffix: " %" },
  size: { format: ".3~s", suffix: "B" },
  count: { format: ".3~g", suffix: "" },
};

// The series of the trainer's tags, and those of the attempts' resources.
export function split(series) {
  return [series.filter((one) => one.behavior !== ""), series.filter((one) => one.behavior === "")];
}

// A store in which every attempt is a curve of its own: steps say nothing here, so none is cut off by a later one.
export function createResourceStore() {
  const { add, get, tags } = createStore();
  const named = (one) => ({ ...one, behavior: `Attempt ${one.attempt}`, attempt: 1 });
  return { add: (series) => add(series.map(named)), get, tags };
}

export function createResources(root, { store, plotly, page = document, Observer = IntersectionObserver, chart = createChart }) {
  const panel = root.querySelector("[data-resources]");
  const places = new Map([...panel.querySelectorAll("[data-resource]")].map((element) => [element.dataset.resource, element]));
  const charts = new Map();
  const see = whenSeen(Observer);

  function open(tag, element) {
    const opened = chart(element, { store, tag, plotly, small: true, axis: "time", unit: UNITS[element.dataset.unit] });
    charts.set(tag, opened);
    panel.hidden = false;
    element.parentElement.hidden = false;
    see(element, opened);
    return opened;
  }

  function draw(tags) {
    for (const tag of tags) if (places.has(tag)) (charts.get(tag) ?? open(tag, places.get(tag))).draw();
  }

  draw(store.tags());
  page.addEventListener("mentor:theme", () => charts.forEach((one) => one.repaint()));
  return { draw };
}
