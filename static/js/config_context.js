// Where one stands in a YAML that is being written: its keys by indentation, also while it cannot be read as a whole.

const LINE = /^(\s*)((?:- +)*)(?:(["']?)([^\s"'#{}[\],&*!|>%@`-][^:#]*?|-?[^\s:#]+?)\3 ?:(?=\s|$))?(\s*)(.*)$/;

// Every key of a text: its path, where it stands, and the word that is its value.
export function outline(text) {
  const entries = [];
  const stack = [];
  let start = 0;
  for (const line of text.split("\n")) {
    if (line.trim() && !line.trimStart().startsWith("#")) step(stack, line, start, entries);
    start += line.length + 1;
  }
  return entries;
}

function step(stack, line, start, entries) {
  const [, blanks, dashes, , key, , value] = LINE.exec(line);
  items(stack, blanks, dashes);
  if (key === undefined) return;
  const indent = blanks.length + dashes.length;
  drop(stack, indent);
  stack.push({ indent, name: key });
  const from = start + line.indexOf(key, indent);
  entries.push({ path: names(stack), from, to: from + key.length, value: plain(value) });
}

function items(stack, blanks, dashes) {
  for (const { index } of dashes.matchAll("-")) item(stack, blanks.length + index);
}

function item(stack, indent) {
  while (stack.length && stack.at(-1).indent > indent) stack.pop();
  const before = stack.at(-1)?.item && stack.at(-1).indent === indent ? stack.pop() : null;
  stack.push({ indent, name: before ? String(Number(before.name) + 1) : "0", item: true });
}

function drop(stack, indent) {
  while (stack.length && stack.at(-1).indent >= indent) stack.pop();
}

const names = (stack) => stack.map((one) => one.name);
const plain = (value) => value.replace(/(^|\s)#.*$/, "").trim().replace(/^(["'])(.*)\1$/, "$2");
const same = (one, other) => one.length === other.length && one.every((name, index) => name === other[index]);

// What is being written at a position: a key in the section `path`, or the value of the key `path`.
export function contextAt(text, position) {
  const start = text.lastIndexOf("\n", position - 1) + 1;
  const written = text.slice(start, position);
  if (/(^|\s)#/.test(written)) return null;
  const [, blanks, dashes, , key, , value] = LINE.exec(written);
  const stack = [];
  const entries = [];
  for (const line of text.slice(0, start).split("\n")) {
    if (line.trim() && !line.trimStart().startsWith("#")) step(stack, line, 0, entries);
  }
  if (key !== undefined) {
    step(stack, written, start, entries);
    return { kind: "value", path: names(stack), from: position - value.length, word: value };
  }
  items(stack, blanks, dashes);
  const indent = blanks.length + dashes.length;
  drop(stack, indent);
  return { kind: "key", path: names(stack), from: start + indent, word: value, indent };
}

// The keys that may stand in the section at a path, or null where any name may.
export function keysAt(schema, path, valueOf) {
  let place = { sections: ["configuration"] };
  for (let depth = 0; depth < path.length && place; depth += 1) place = within(schema, place, path.slice(0, depth + 1), valueOf);
  if (place?.names) return place.names.map((name) => ({ name, kind: "section", value: "a section", choices: [], help: section(schema, name)?.title ?? "" }));
  return place?.sections ? place.sections.flatMap((name) => section(schema, name)?.keys ?? []) : null;
}

const section = (schema, name) => schema.sections.find((one) => one.name === name);

function within(schema, place, path, valueOf) {
  const name = path.at(-1);
  if (place.any) return { sections: place.any };
  if (place.names) return place.names.includes(name) ? { sections: [name] } : null;
  const key = place.sections.flatMap((one) => section(schema, one)?.keys ?? []).find((one) => one.name === name);
  return key ? inside(schema, key, path.slice(0, -1), valueOf) : null;
}

function inside(schema, key, around, valueOf) {
  const beside = (name) => valueOf([...around, name]);
  if (key.name === "sampler_parameters") return { sections: [beside("sampler_type")] };
  switch (key.kind) {
    case "section": return { sections: [key.section] };
    case "behaviors": return { any: ["behavior"] };
    case "parameters": return { any: ["curriculum", "sampler"] };
    case "sampler": return { sections: ["sampler"] };
    case "curriculum": return { any: ["lesson"] };
    case "signals": return { names: schema.signals };
    case "hyperparameters": {
      const trainer = beside("trainer_type") ?? valueOf(["default_settings", "trainer_type"]);
      return { sections: [schema.hyperparameters[trainer] ?? schema.hyperparameters.ppo] };
    }
    default: return null;
  }
}

const reader = (entries) => (path) => entries.find((entry) => same(entry.path, path))?.value;

// The key that a position's line speaks of, with its path, or null.
export function keyAt(schema, text, position) {
  const entries = outline(text);
  const start = text.lastIndexOf("\n", position - 1) + 1;
  const end = (text.indexOf("\n", position) + 1 || text.length + 1) - 1;
  const entry = entries.find(({ from }) => from >= start && from <= end);
  const key = entry && keysAt(schema, entry.path.slice(0, -1), reader(entries))?.find((one) => one.name === entry.path.at(-1));
  return key ? { ...key, path: entry.path, from: entry.from, to: entry.to } : null;
}

// What could be written at a position: keys that are not there yet, or the words that a value may be. `known` are names of
// behaviors that were seen in the environment.
export function completionsAt(schema, text, position, known = []) {
  const context = contextAt(text, position);
  if (!context) return null;
  const entries = outline(text);
  const valueOf = reader(entries);
  if (context.kind === "value") {
    const key = keysAt(schema, context.path.slice(0, -1), valueOf)?.find((one) => one.name === context.path.at(-1));
    const words = key?.name === "behavior" ? [...new Set([...behaviorsIn(entries), ...known])] : (key?.choices ?? []);
    return words.length ? { from: context.from, options: words.map((word) => ({ label: word, type: "enum", apply: written(word) })) } : null;
  }
  const own = entries.find((entry) => entry.from === context.from)?.path.at(-1);
  const given = new Set(entries.filter((entry) => same(entry.path.slice(0, -1), context.path)).map((entry) => entry.path.at(-1)));
  if (same(context.path, ["behaviors"])) {
    const names = known.filter((name) => !given.has(name) || name === own);
    return names.length ? { from: context.from, options: names.map((name) => behavior(name, context.indent)) } : null;
  }
  const keys = (keysAt(schema, context.path, valueOf) ?? []).filter((key) => !key.outdated && (!given.has(key.name) || key.name === own));
  return keys.length ? { from: context.from, options: keys.map((key) => option(key, context.indent)) } : null;
}

const behaviorsIn = (entries) => entries.filter(({ path }) => path.length === 2 && path[0] === "behaviors").map(({ path }) => path[1]);

// A name that YAML would read otherwise stands in quotes.
const written = (name) => (/^[A-Za-z0-9_][\w ./-]*$/.test(name) && /[A-Za-z]/.test(name) ? name : JSON.stringify(name));

function behavior(name, indent) {
  return { label: name, type: "namespace", info: "Seen in this environment.", apply: `${written(name)}:\n${" ".repeat(indent + 2)}` };
}

const HOLDERS = ["section", "behaviors", "parameters", "signals", "hyperparameters", "curriculum"];

function option(key, indent) {
  const holds = HOLDERS.includes(key.kind);
  const apply = holds ? `${key.name}:\n${" ".repeat(indent + 2)}` : `${key.name}: `;
  return { label: key.name, type: holds ? "namespace" : "property", detail: key.default ?? "", info: `${key.help} ${sentence(key)}`.trim(), apply };
}

// How far the line after one that ends here is indented: under a key without a value further than beside one with it.
export function indentAfter(written) {
  const indent = /^\s*(?:- +)*/.exec(written)[0].length;
  return indent + (/:\s*(#.*)?$/.test(written) ? 2 : 0);
}

// Type, range and default in a few words.
export function sentence({ value, default: otherwise, needed }) {
  if (needed) return `${capital(value)}; must be given.`;
  return otherwise ? `${capital(value)}. Default: ${otherwise}.` : `${capital(value)}.`;
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
