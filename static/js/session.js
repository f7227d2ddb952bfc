// The session page: one feed, shown by the fields, the charts and the console.
import { createCharts, plotlyReady } from "./charts.js";
import { coalesce } from "./coalesce.js";
import { createConsole } from "./console.js";
import { logCursor } from "./cursor.js";
import { applySession, isMoving, tick } from "./fields.js";
import { percent } from "./format.js";
import { createHistograms } from "./histograms.js";
import { createLink } from "./link.js";
import { createRefresh } from "./refresh.js";
import { createResources, createResourceStore, split } from "./resources.js";
import { createStore } from "./series.js";
import { createSorting } from "./sortable.js";
import { openStream, socketUrl } from "./stream.js";

const REFRESH_MS = 1_000;
const CHECKPOINTS_MS = 30_000;
const EARLIER = "… earlier lines are in the whole log\n";
const AFTER_END_MS = [3_000, 10_000, 30_000]; // files are hashed and the report is built a moment later

const root = document.querySelector("[data-session]");
const live = JSON.parse(document.getElementById("live").textContent);
const store = createStore();
const taken = createResourceStore();
// The console begins with what the server put on the page: those bytes are read again, as HTML keeps neither
// carriage returns nor colours.
const cursor = logCursor(live.log.attempt, live.log.offset);
const printed = createConsole(root.querySelector("[data-console]"));
const refresh = createRefresh();
const refreshSoon = coalesce(refresh, { delay: REFRESH_MS });
const refreshFiles = coalesce(refresh, { delay: CHECKPOINTS_MS });
createSorting();
const known = { root, session: live.session, at: performance.now() };
let pointsCursor = live.points.cursor;
let stateCursor = -1;
let { marks } = live;
let charts = null;
let resources = null;
let shown = false; // whether the console shows what the feed brought

function onLog(frame) {
  const news = cursor.take(frame);
  if (news.fresh) clear("");
  if (news.kind === "gap") stream.send(follow());
  if (news.kind !== "new") return;
  if (!shown) clear(live.log.offset > 0 ? EARLIER : "");
  if (news.skipped > 0) printed.append(EARLIER);
  printed.append(news.text);
}

function clear(notice) {
  shown = true;
  printed.reset();
  if (notice) printed.append(notice);
}

function onState(frame) {
  if (frame.cursor < stateCursor) return;
  stateCursor = frame.cursor;
  const before = known.session;
  Object.assign(known, { session: frame.session, at: performance.now() });
  applySession(root, frame.session);
  entitle();
  marks = frame.marks;
  charts?.setMarks(marks);
  const same = before.state === frame.session.state && before.alarm === frame.session.alarm;
  // What has ended changes seldom, and then in what the server renders: an evaluation, a look into a model.
  if (!same || !isMoving(frame.session)) refreshSoon();
  if (!same && !isMoving(frame.session)) AFTER_END_MS.forEach((delay) => setTimeout(refresh, delay));
}

function onPoints(frame) {
  pointsCursor = frame.cursor;
  const [trained, used] = split(frame.series);
  const changed = store.add(trained);
  charts?.draw(changed);
  resources?.draw(taken.add(used));
  if (changed.size) refreshFiles();
}

function entitle() {
  const { session } = known;
  const front = isMoving(session) ? percent(session.progress) : session.state;
  document.title = `${front} · ${session.run_id} · MENTOR`;
}

const follow = () => ({ type: "follow", ...cursor.where(), points: pointsCursor });

const reload = () => location.reload();
const HANDLERS = { log: onLog, state: onState, points: onPoints, gone: reload };

printed.follow(true);
const [trained, used] = split(live.points.series);
store.add(trained);
taken.add(used);

const stream = openStream(socketUrl(live.socket), {
  hello: follow,
  onFrame: (frame) => HANDLERS[frame.type]?.(frame),
  onLink: createLink(),
  onRefused: reload,
});

plotlyReady(document.querySelector("[data-plotly]")).then((plotly) => {
  charts = createCharts(root, { store, plotly });
  charts.setMarks(marks);
  resources = createResources(root, { store: taken, plotly });
  createHistograms(root, { plotly });
});
setInterval(() => tick([known]), 1_000);
entitle();

root.addEventListener("click", (event) => {
  const button = event.target.closest("[data-axis]");
  if (!button) return;
  root.querySelectorAll("[data-axis]").forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
  charts?.setAxis(button.dataset.axis);
});

root.querySelector("[data-smoothing]")?.addEventListener("input", (event) => charts?.setSmoothing(Number(event.target.value)));
