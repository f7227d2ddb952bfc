// A printed line as plain text and the styled parts in it. Only colours and weights are kept, as names of classes;
// every other escape sequence, control character and direction override is dropped.
const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const WEIGHTS = { 1: "bold", 2: "dim", 3: "italic", 4: "underline" };
const UNDO = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"] };
/* eslint-disable no-control-regex */
const ODD = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const SEQUENCE = /\u001b\[([0-9;:]*)m|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/g;
const CONTROL = new RegExp(ODD.source, "g");

export function createParser() {
  let style = { colour: "", marks: new Set() };

  const names = () => [...style.marks, style.colour].filter(Boolean).map((name) => `sgr-${name}`).join(" ");

  function apply(code) {
    if (code === 0) style = { colour: "", marks: new Set() };
    else if (WEIGHTS[code]) style.marks.add(WEIGHTS[code]);
    else if (UNDO[code]) UNDO[code].forEach((mark) => style.marks.delete(mark));
    else if (code >= 30 && code <= 37) style.colour = COLOURS[code - 30];
    else if (code >= 90 && code <= 97) style.colour = COLOURS[code - 90];
    else if (code === 39) style.colour = "";
  }

  function applyAll(codes) {
    const parts = codes.split(/[;:]/).map(Number);
    for (let at = 0; at < parts.length; at++) {
      if (parts[at] === 38 || parts[at] === 48) at += parts[at + 1] === 5 ? 2 : 4; // palettes of 256 or more colours
      else apply(parts[at]);
    }
  }

  // Returns { text, spans: [[start, end, classes]] | null }.
  return function parse(raw) {
    const kept = overwritten(raw);
    if (!ODD.test(kept) && !names()) return { text: kept, spans: null };
    const spans = [];
    let text = "";
    const add = (part) => {
      const clean = part.replace(CONTROL, "");
      if (clean && names()) spans.push([text.length, text.length + clean.length, names()]);
      text += clean;
    };
    let end = 0;
    for (const match of kept.matchAll(SEQUENCE)) {
      add(kept.slice(end, match.index));
      if (match[1] !== undefined) applyAll(match[1] || "0");
      end = match.index + match[0].length;
    }
    add(kept.slice(end));
    return { text, spans: spans.length ? spans : null };
  };
}

// A carriage return starts the line again, as progress bars do.
function overwritten(raw) {
  const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
  const start = line.lastIndexOf("\r");
  return start < 0 ? line : line.slice(start + 1);
}
