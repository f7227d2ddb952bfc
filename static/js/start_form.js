// The start form: asks the server what would be started after each change, and shows its answer beside the fields.
import { optionNodes } from "./command.js";
import { createFiller } from "./config_fields.js";
import { showBehaviors } from "./overrides.js";
import { createPicker } from "./picker.js";
import { checkEverything, checkNodes, openQuestions } from "./preflight.js";

const REST_MS = 300;
const SOURCES = { path: "config_path", file: "config_file", text: "config_text" };

const form = document.querySelector("[data-start-form]");
const part = (name) => form.querySelector(`[data-${name}]`);
const touched = new Set("bound" in form.dataset ? ["run_id"] : []);
const fillFields = createFiller(form.elements, touched);
let timer = 0;
let asked = 0;

function chooseSource(chosen) {
  for (const box of form.querySelectorAll("[data-source]")) {
    const active = box.dataset.source === chosen;
    box.toggleAttribute("data-chosen", active);
    box.querySelectorAll("input, textarea, button").forEach((control) => { control.disabled = !active; });
  }
  for (const button of form.querySelectorAll("[data-choose-source]")) {
    button.setAttribute("aria-pressed", String(button.dataset.chooseSource === chosen));
  }
}

function sourceInUse() {
  const filled = Object.keys(SOURCES).find((source) => form.elements[SOURCES[source]]?.value);
  const wrong = Object.keys(SOURCES).find((source) => form.querySelector(`[data-errors="${SOURCES[source]}"]`)?.textContent.trim());
  return filled ?? wrong ?? "path";
}

function previewSoon() {
  clearTimeout(timer);
  timer = setTimeout(preview, REST_MS);
}

async function send(address) {
  const body = new FormData(form);
  const headers = { "X-CSRFToken": body.get("csrfmiddlewaretoken"), Accept: "application/json" };
  const answer = await fetch(address, { method: "POST", body, headers }).catch(() => null);
  return answer?.ok ? answer.json() : null;
}

async function preview() {
  const turn = ++asked;
  const seen = await send(form.dataset.preview);
  if (turn !== asked) return;
  if (seen) show(seen);
  else say("The server does not answer; the command cannot be shown.");
}

async function checkAll() {
  await preview();
  const turn = asked;
  checkEverything({ ask: () => send(form.dataset.preflight), show: showChecks, isCurrent: () => turn === asked });
}

function showChecks({ checks = [], parser = "none", connection = "none" }) {
  part("checks").replaceChildren(...checkNodes(checks));
  part("checks-shown").hidden = !checks.length;
  part("open-questions").textContent = openQuestions({ parser, connection });
}

function show(seen) {
  const { command, errors = {}, notices = [], behaviors = [], suggested_run_id: suggestion, fields = {} } = seen;
  showChecks(seen);
  form.dispatchEvent(new CustomEvent("trained-in", { detail: { behaviors: seen.known_behaviors ?? [], version: seen.trainer_version ?? "" } }));
  part("command").replaceChildren(...optionNodes(command ?? ""));
  part("command-shown").hidden = !command;
  part("command-missing").hidden = Boolean(command);
  part("notices").replaceChildren(...notices.map(note));
  say((errors.__all__ ?? []).join(" "));
  if (behaviors.length || touched.has("config_text") || touched.has("config_path")) showBehaviors(form, behaviors);
  for (const place of form.querySelectorAll("[data-errors]")) {
    if (touched.has(place.dataset.errors)) place.textContent = (errors[place.dataset.errors] ?? []).join(" ");
  }
  offerToMend(seen.to_mend ?? "");
  suggest(suggestion);
  if (fillFields(fields)) previewSoon();
}

// What is wrong with a file is mended in the editor, and the file stays as it is.
function offerToMend(text) {
  part("to-mend").hidden = !text;
  part("to-mend").onclick = () => {
    for (const name of ["config_path", "config_file"]) form.elements[name].value = "";
    chooseSource("text");
    form.dispatchEvent(new CustomEvent("open-text", { detail: text }));
  };
}

function suggest(name) {
  const field = form.elements.run_id;
  if (!name || touched.has("run_id") || field.value === name) return;
  field.value = name;
  previewSoon();
}

function note(text) {
  const element = document.createElement("p");
  element.className = "note warn small";
  element.textContent = text;
  return element;
}

function say(text) {
  part("problems").textContent = text;
}

function changed(event) {
  if (!event.target.name) return;
  touched.add(event.target.name);
  previewSoon();
}

function pick(name, path) {
  form.elements[name].value = path;
  touched.add(name);
  previewSoon();
}

const picker = createPicker(document.querySelector("[data-picker]"), { address: form.dataset.browseUrl });

form.addEventListener("input", changed);
form.addEventListener("change", changed);
form.addEventListener("click", (event) => {
  const source = event.target.closest("[data-choose-source]");
  const browse = event.target.closest("[data-browse]");
  if (source) {
    chooseSource(source.dataset.chooseSource);
    previewSoon();
  }
  if (browse) picker.open({ start: form.elements[browse.dataset.browse].value, onPick: (path) => pick(browse.dataset.browse, path) });
});

// Shown in place, so that a file that was chosen stays chosen.
form.addEventListener("submit", (event) => {
  const wanted = event.submitter?.value;
  if (wanted !== "review" && wanted !== "check") return;
  event.preventDefault();
  new FormData(form).forEach((_, name) => touched.add(name));
  if (wanted === "check") checkAll();
  else preview();
});

chooseSource(sourceInUse());
if (Object.values(SOURCES).some((name) => form.elements[name]?.value)) preview();
