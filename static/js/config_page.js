// The text of the configuration on the start form: the editor, what is found in it, its common settings, texts to begin with.
import { createEditor } from "./config_editor.js";
import { sentence } from "./config_context.js";
import { summary } from "./config_findings.js";
import { createCommonForm } from "./config_form.js";
import { createUpgrade } from "./config_upgrade.js";

const root = document.querySelector("[data-config]");
const form = root.closest("form");
const part = (name) => root.querySelector(`[data-config-${name}]`);
const urls = root.dataset;

async function ask(address, body) {
  const headers = { Accept: "application/json" };
  if (body) Object.assign(headers, { "Content-Type": "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value });
  const answer = await fetch(address, body ? { method: "POST", headers, body: JSON.stringify(body) } : { headers }).catch(() => null);
  const seen = await answer?.json().catch(() => null);
  if (!answer?.ok || !seen) throw new Error(seen?.detail ?? "The server does not answer.");
  return seen;
}

function say(text) {
  part("said").textContent = text;
}

const trying = (work) => (...given) => work(...given).then(() => say(""), (error) => say(error.message));

function start(cm, schema) {
  let known = [];
  let version = "";
  const common = createCommonForm(part("common"), { onChange: trying(write) });
  const editor = createEditor(form.elements.config_text, cm, { schema, names: () => known, onRest: trying(look), onKey: tell });
  const upgrade = createUpgrade(part, { ask: (body) => ask(urls.upgrade, body), text: editor.text, take: (text) => editor.begin(text), trying });
  root.setAttribute("data-ready", "");

  async function look(text) {
    if (!text.trim()) upgrade.look(text, {});
    if (!text.trim()) return show(text, { findings: [] }, []);
    const found = await ask(urls.validate, { config: text, version });
    await upgrade.look(text, found);
    const groups = found.format === schema.version ? (await ask(urls.common, { config: text }).catch(() => null))?.groups : null;
    if (text === editor.text()) show(text, found, groups);
    if (part("compare").value) await compare();
  }

  function show(text, { findings }, groups) {
    editor.mark(findings);
    part("summary").textContent = text.trim() ? summary(findings) : "";
    if (groups) common.show(groups);
    part("form").hidden = !groups?.length;
  }

  async function write(path, value) {
    const text = editor.text();
    const changed = await ask(urls.common, { config: text, change: { path, value } });
    if (text !== editor.text()) throw new Error("The text was changed meanwhile; change the setting again.");
    editor.replace(changed.config);
    common.show(changed.groups);
  }

  async function compare() {
    const { preset, kept, session } = part("compare").selectedOptions[0].dataset;
    const other = preset ? { preset } : kept ? { kept: Number(kept) } : session ? { session } : null;
    part("differences").hidden = !other;
    if (!other) return;
    const { results } = await ask(urls.compare, { config: editor.text(), ...other });
    part("rows").replaceChildren(...results.map(row));
    part("same").hidden = results.length > 0;
    part("table").hidden = results.length === 0;
  }

  function row({ path, before, now, kind }) {
    const line = document.createElement("tr");
    for (const [words, mono] of [[path, true], [before, true], [now, true], [kind, false]]) {
      const cell = line.insertCell();
      cell.textContent = words;
      if (mono) cell.className = "mono";
    }
    return line;
  }

  async function begin(select) {
    const { preset, kept, session } = select.selectedOptions[0].dataset;
    select.value = "";
    if (preset) editor.begin((await ask(urls.presets)).results.find((one) => one.name === preset).config);
    if (kept) editor.begin((await ask(`${urls.library}${kept}/`)).config);
    if (session) editor.begin((await ask(urls.sessions.replace("RUN", encodeURIComponent(session)))).used);
  }

  async function keep() {
    const { name, version } = await ask(urls.library, { name: part("name").value, config: editor.text() });
    part("kept").textContent = `Kept as ${name}, version ${version}.`;
  }

  part("name").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    part("keep").click();
  });
  form.addEventListener("trained-in", ({ detail }) => {
    known = detail.behaviors;
    const other = detail.version !== version;
    version = detail.version;
    if (other) trying(look)(editor.text());
  });
  form.addEventListener("open-text", (event) => editor.begin(event.detail));
  part("keep").addEventListener("click", trying(keep));
  part("begin").addEventListener("change", (event) => trying(begin)(event.target));
  part("compare").addEventListener("change", trying(compare));
  // What was chosen before the editor was loaded.
  if (part("begin").value) part("begin").dispatchEvent(new Event("change"));
}

function tell(key) {
  part("help").textContent = key ? `${key.name}: ${key.help} ${sentence(key)}` : "";
}

// Without the editor the text area stays what it is.
const [cm, schema] = await Promise.all([import(urls.editor), ask(urls.schema)]);
start(cm, schema);
