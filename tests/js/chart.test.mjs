import assert from "node:assert/strict";
import { test } from "node:test";
import { createChart, layout } from "../../static/js/chart.js";
import { createStore } from "../../static/js/series.js";
import { marked, seams, traces } from "../../static/js/traces.js";
import { fakeClock } from "./fakes.mjs";

const TAG = "Environment/Cumulative Reward";
const palette = { series: ["red", "blue"], grid: "grey", text: "black", raised: "white", font: "sans" };

function setUp() {
  const clock = fakeClock();
  const drawn = [];
  const store = createStore();
  const element = { classList: { add: () => {} } };
  const plotly = { react: (_, data) => drawn.push({ at: clock.now(), last: data[0].x.at(-1) }) };
  const chart = createChart(element, { store, tag: TAG, plotly, colours: () => palette, later: clock.later, now: clock.now });
  const point = (step) => {
    store.add([{ behavior: "Ball", tag: TAG, attempt: 1, steps: [step], values: [1], wall_times: [step] }]);
    chart.draw();
  };
  return { clock, drawn, chart, point };
}

test("the first point is drawn at once, a flood twice a second, the last one always", () => {
  const { clock, drawn, chart, point } = setUp();
  chart.see(true);
  for (let step = 1; step <= 100; step++) {
    point(step);
    clock.advance(10);
  }
  clock.advance(1000);
  assert.deepEqual(drawn.map(({ at }) => at), [0, 500, 1000]);
  assert.equal(drawn.at(-1).last, 100);
});

test("a chart that is not seen is drawn when it is", () => {
  const { clock, drawn, chart, point } = setUp();
  point(1);
  clock.advance(1000);
  assert.deepEqual(drawn, []);
  chart.see(true);
  assert.equal(drawn.length, 1);
  chart.see(false);
  chart.see(true);
  assert.equal(drawn.length, 1);
});

test("time is counted in minutes of training", () => {
  const series = [{ behavior: "a", steps: [1, 2], values: [1, 2], seconds: [0, 60] }, { behavior: "b", steps: [1], values: [1], seconds: [120] }];
  assert.deepEqual(traces(series, { axis: "time", palette }).map(({ x }) => x), [[0, 1], [2]]);
});

test("the clock is that of this place, as Plotly writes dates", () => {
  const [{ x }] = traces([{ behavior: "a", steps: [1], values: [1], wall_times: [1.75e9 + 0.5] }], { axis: "clock", palette });
  const here = new Date(1.75e12 + 500);
  const two = (number) => String(number).padStart(2, "0");
  assert.equal(x[0].slice(0, 13), `${here.getFullYear()}-${two(here.getMonth() + 1)}-${two(here.getDate())}T${two(here.getHours())}`);
  assert.equal(layout({ axis: "clock", palette }).xaxis.type, "date");
  assert.equal(layout({ axis: "steps", palette }).xaxis.type, "linear");
});

test("a smoothed line lies before its own points", () => {
  const one = { behavior: "a", steps: [1, 2, 3], values: [0, 10, null], wall_times: [1, 2, 3], seconds: [0, 1, 2] };
  const [line, points] = traces([one], { axis: "steps", palette, smoothing: 0.5 });
  assert.deepEqual(line.y, [0, 10 / 1.5, null]);
  assert.deepEqual(points.y, one.values);
  assert.equal(points.hoverinfo, "skip");
  assert.equal(traces([one], { axis: "steps", palette }).length, 1);
});

test("axis and smoothing are drawn at once when the chart is seen", () => {
  const { drawn, chart, point } = setUp();
  point(1);
  chart.see(true);
  chart.setAxis("clock");
  chart.setSmoothing(0.9);
  assert.equal(drawn.length, 3);
});

test("a behavior's name is never markup or a template", () => {
  const [{ name, hovertemplate }] = traces([{ behavior: "<b>%{x}", steps: [1], values: [1], wall_times: [1] }], { axis: "steps", palette });
  assert.equal(name, "&lt;b&gt;% {x}");
  assert.ok(hovertemplate.endsWith("<extra>&lt;b&gt;% {x}</extra>"));
});

const RESUMED = { behavior: "a", steps: [1, 2, 3], values: [1, 2, 3], wall_times: [60, 120, 300], seconds: [0, 60, 180],
  replaced: [{ steps: [2, 4], values: [2, 9], wall_times: [120, 240], seconds: [60, 180] }], seams: [{ attempt: 2, step: 3, time: 300, seconds: 180 }] };

test("what was trained again lies faintly behind the lines and says nothing", () => {
  const [line, faint] = traces([RESUMED], { axis: "time", palette });
  assert.deepEqual([line.name, line.x, line.y], ["a", [0, 1, 3, 3], [1, 2, null, 3]], "a gap between the attempts");
  assert.deepEqual(traces([RESUMED], { axis: "clock", palette })[0].y, [1, 2, null, 3]);
  assert.deepEqual(traces([RESUMED], { axis: "steps", palette })[0].y, [1, 2, 3]);
  assert.deepEqual([faint.x, faint.y, faint.showlegend, faint.hoverinfo], [[1, 3], [2, 9], false, "skip"]);
  assert.equal(faint.line.color, line.line.color);
  assert.ok(faint.opacity < 1);
});

test("a seam is a line at its step or its time, named once and not in small charts", () => {
  const other = { ...RESUMED, behavior: "b", replaced: [], seams: [{ attempt: 2, step: 5, time: 360, seconds: 240 }] };
  const at = (axis, small = false) => seams([RESUMED, other], { axis, palette, small });
  assert.deepEqual(at("steps").shapes.map(({ x0, x1 }) => [x0, x1]), [[3, 3]]);
  assert.deepEqual(at("time").shapes.map(({ x0 }) => x0), [3]);
  assert.equal(at("clock").shapes.length, 1);
  assert.deepEqual(at("steps").annotations.map(({ x, text }) => [x, text]), [[3, "attempt 2"]]);
  assert.deepEqual(at("steps", true).annotations, []);
  assert.deepEqual(seams([{ ...RESUMED, seams: [] }], { axis: "steps", palette }), { shapes: [], annotations: [] });
});

const ill = { behavior: "b", tag: TAG, step: 2, time: 120, title: "The reward has <collapsed>" };
const two = [
  { behavior: "a", steps: [1, 2], values: [1, 2], wall_times: [0, 60], seconds: [0, 60] },
  { behavior: "b", steps: [1, 2], values: [1, 2], wall_times: [100, 120], seconds: [5, 65] },
];

test("what was noticed is a line at its step, or at the time of its behavior's point", () => {
  assert.equal(marked(two, [ill], { axis: "steps", palette }).shapes[0].x0, 2);
  assert.equal(marked(two, [ill], { axis: "time", palette }).shapes[0].x0, 65 / 60);
  assert.equal(marked(two, [{ ...ill, behavior: "gone" }], { axis: "time", palette }).shapes[0].x0, 1);
});

test("a large chart says what was noticed, and of whom when there are several", () => {
  assert.equal(marked(two, [ill], { axis: "steps", palette }).annotations[0].text, "⚠ b: The reward has &lt;collapsed&gt;");
  assert.equal(marked(two.slice(1), [ill], { axis: "steps", palette }).annotations[0].text, "⚠ The reward has &lt;collapsed&gt;");
  assert.deepEqual(marked(two, [ill], { axis: "steps", palette, small: true }).annotations, []);
});
