import assert from "node:assert/strict";
import { test } from "node:test";
import { layout } from "../../static/js/chart.js";
import { traces } from "../../static/js/traces.js";
import { createResourceStore, createResources, split } from "../../static/js/resources.js";

const CPU = "Resources/CPU";
const palette = { series: ["red", "blue"], grid: "grey", text: "black", raised: "white", font: "sans" };
const part = (wall_times, { attempt = 1, tag = CPU, step = 500 } = {}) =>
  ({ behavior: "", tag, attempt, steps: wall_times.map(() => step), values: wall_times.map((time) => time * 10), wall_times });

class Observer {
  observe() {}
}

// A page with a place for CPU and one for memory, and what is drawn on it.
function setUp(store) {
  const place = (tag, unit) => ({ dataset: { resource: tag, unit }, parentElement: { hidden: true } });
  const places = [place(CPU, "load"), place("Resources/Memory", "size")];
  const panel = { hidden: true, querySelectorAll: () => places };
  const opened = [];
  const chart = (_, options) => {
    const one = { ...options, drawn: 0, draw: () => { one.drawn += 1; } };
    opened.push(one);
    return one;
  };
  const resources = createResources({ querySelector: () => panel }, { store, plotly: {}, page: { addEventListener() {} }, Observer, chart });
  return { panel, places, opened, resources };
}

test("series of the whole attempt are told from those of a behavior", () => {
  const reward = { ...part([1]), behavior: "Ball", tag: "Environment/Cumulative Reward" };
  assert.deepEqual(split([reward, part([2])]), [[reward], [part([2])]]);
});

test("every attempt is a curve of its own, whatever its steps", () => {
  const store = createResourceStore();
  store.add([part([10, 20], { step: 900 }), part([100, 110], { attempt: 2, step: 400 })]);
  assert.deepEqual(store.get(CPU).map((one) => [one.behavior, one.wall_times]), [["Attempt 1", [10, 20]], ["Attempt 2", [100, 110]]]);
});

test("points that are sent again are kept once, and a step that stands still loses none", () => {
  const store = createResourceStore();
  store.add([part([10, 20])]);
  assert.deepEqual([...store.add([part([10, 20])])], []);
  assert.deepEqual([...store.add([part([20, 30])])], [CPU]);
  assert.deepEqual(store.get(CPU)[0].wall_times, [10, 20, 30]);
});

test("the panel appears with the first point, and of its charts those that have one", () => {
  const store = createResourceStore();
  const { panel, places, opened, resources } = setUp(store);
  assert.ok(panel.hidden);
  resources.draw(store.add([part([10])]));
  assert.deepEqual([panel.hidden, ...places.map((one) => one.parentElement.hidden)], [false, false, true]);
  resources.draw(store.add([part([15]), part([15], { tag: "Resources/Something new" })]));
  assert.deepEqual(opened.map((one) => [one.tag, one.axis, one.drawn]), [[CPU, "time", 2]]);
});

test("what the page came with is drawn at once", () => {
  const store = createResourceStore();
  store.add([part([10])]);
  assert.deepEqual(setUp(store).opened.map((one) => one.drawn), [1]);
});

test("values say their unit in the hover and on the axis, over minutes", () => {
  const unit = { format: ",.0f", suffix: " %" };
  const store = createResourceStore();
  store.add([part([60, 90])]);
  const [{ x, hovertemplate }] = traces(store.get(CPU), { axis: "time", palette, small: true, unit });
  assert.deepEqual(x, [0, 0.5]);
  assert.equal(hovertemplate, "%{y:,.0f} %<extra>Attempt 1</extra>");
  const { xaxis, yaxis } = layout({ axis: "time", palette, small: true, many: false, unit });
  assert.deepEqual([xaxis.ticksuffix, yaxis.ticksuffix, yaxis.rangemode], [" min", " %", "tozero"]);
  assert.ok(!("tickformat" in layout({ axis: "steps", palette, small: true, many: false }).yaxis));
});
