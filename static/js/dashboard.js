// Dashboard and queue: numbers move by the feed; when other sessions run or wait, or wait in another order, the server's
// own rendering is asked for.
import { coalesce } from "./coalesce.js";
import { applySession, tick } from "./fields.js";
import { createLink } from "./link.js";
import { openStream, socketUrl } from "./stream.js";

const root = document.querySelector("[data-dashboard]");
const known = new Map(); // run id -> { root, session, at }
let seenCursor = -1;
let shape = null;

async function rebuild() {
  const answer = await fetch(root.dataset.dashboard, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  root.replaceChildren(...fresh.body.childNodes);
  apply();
}

const rebuildSoon = coalesce(rebuild, { delay: 1_000 });
const shapeOf = (sessions) => sessions.map(({ run_id, state, held, behaviors }) => `${run_id} ${state === "queued"} ${held} ${behaviors.length}`).join("\n");

function apply() {
  for (const element of root.querySelectorAll("[data-session]")) {
    const entry = known.get(element.dataset.session);
    if (!entry) continue;
    entry.root = element;
    applySession(element, entry.session);
  }
}

function onSessions({ cursor, sessions }) {
  if (cursor < seenCursor) return;
  seenCursor = cursor;
  known.clear();
  for (const session of sessions) known.set(session.run_id, { root: null, session, at: performance.now() });
  const next = shapeOf(sessions);
  const other = next !== shape;
  shape = next;
  apply();
  if (other) rebuildSoon();
}

openStream(socketUrl(root.dataset.socket), {
  // Every connection counts its frames from the beginning.
  hello: () => { seenCursor = -1; },
  onFrame: (frame) => { if (frame.type === "sessions") onSessions(frame); },
  onLink: createLink(),
  onRefused: () => location.reload(),
});
setInterval(() => tick([...known.values()].filter((entry) => entry.root)), 1_000);
