// Shows a session's values in the elements that name them: data-field, inside data-session or data-behavior.
import { duration, load, number, percent, reward, size, speed, stateLabel } from "./format.js";

const FORMATS = { duration, load, number, percent, reward, size, speed };

function show(element, value) {
  const format = element.dataset.format;
  if (format === "bar") element.value = value ?? 0;
  else if (format === "state") {
    element.dataset.state = value;
    setText(element, stateLabel(value));
  } else setText(element, format ? FORMATS[format](value) : value ?? "");
}

// Unchanged text is left alone, so that a live region speaks only when there is news.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const setAll = (root, selector, text) => root.querySelectorAll(selector).forEach((element) => setText(element, text));

function applyFields(root, values) {
  const own = (element) => element.closest("[data-behavior], [data-session]") === root;
  if (root.dataset.field in values) show(root, values[root.dataset.field]);
  for (const element of root.querySelectorAll("[data-field]")) {
    if (own(element) && element.dataset.field in values) show(element, values[element.dataset.field]);
  }
}

function behaviorElement(root, name) {
  const known = [...root.querySelectorAll("[data-behavior]")].find((element) => element.dataset.behavior === name);
  if (known) return known;
  const body = root.querySelector("[data-behaviors]");
  const template = root.querySelector("template[data-behavior-row]");
  if (!body || !template) return null;
  const row = template.content.querySelector("[data-behavior]").cloneNode(true);
  row.dataset.behavior = name;
  body.append(row);
  return row;
}

// A part is there or not, and what it does not know is hidden with the sentence around it.
function applyPart(element, part) {
  element.hidden = !part;
  if (!part) return;
  for (const field of element.querySelectorAll("[data-field]")) if (field.dataset.field in part) show(field, part[field.dataset.field]);
  for (const around of element.querySelectorAll("[data-part-field]")) around.hidden = (part[around.dataset.partField] ?? null) === null;
}

export function applySession(root, session) {
  root.dataset.state = session.state;
  applyFields(root, { ...session, ...session.resources });
  for (const behavior of session.behaviors) {
    const element = behaviorElement(root, behavior.name);
    if (element) applyFields(element, behavior);
  }
  for (const element of root.querySelectorAll("[data-part]")) applyPart(element, session[element.dataset.part]);
  for (const element of root.querySelectorAll("[data-action]")) element.hidden = !session.actions.includes(element.dataset.action);
}

const MOVING = ["launching", "starting", "waiting_for_editor", "running", "stopping"];
export const isMoving = (session) => MOVING.includes(session.state);

// Elapsed time and what a stopping trainer has left go on by themselves between two frames. `known` gives { root, session, at } of each session on the page.
export function tick(known, now = performance.now()) {
  for (const { root, session, at } of known) {
    if (!isMoving(session)) continue;
    const passed = (now - at) / 1000;
    if (session.elapsed_seconds !== null) setAll(root, "[data-tick]", duration(session.elapsed_seconds + passed));
    const left = session.stopping?.seconds_left ?? null;
    if (left !== null) setAll(root, "[data-countdown]", duration(left - passed));
  }
}
