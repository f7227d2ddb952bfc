// Console lines as nodes: plain lines become one piece of text, styled or found parts get elements. Only text is ever set.
import { places } from "./ring.js";

const ERROR = /^(\[ERROR\]|Traceback \(most recent|\s*[\w.]*(Error|Exception|Interrupt)(:|$))/;
const WARNING = /^(\[WARNING\]|\s*[\w.]*Warning:|.{0,300}: \w*Warning: )/;

export function levelOf(text) {
  if (ERROR.test(text)) return "error";
  return WARNING.test(text) ? "warning" : "";
}

export const withLevel = (line) => ({ ...line, level: levelOf(line.text) });

// `now` is { row, start } of the match that is shown, or null; `first` is the row of lines[0].
export function lineNodes(page, lines, { wanted = "", now = null, first = 0 } = {}) {
  const nodes = [];
  let plain = "";
  lines.forEach((line, index) => {
    const marks = wanted ? places(line.text, wanted) : [];
    if (!marks.length && !line.spans && !line.level) {
      plain += `${line.text}\n`;
      return;
    }
    if (plain) nodes.push(plain);
    plain = "\n";
    const at = now && now.row === first + index ? now.start : -1;
    nodes.push(lineNode(page, line, marks, wanted.length, at));
  });
  if (plain) nodes.push(plain);
  return nodes;
}

function lineNode(page, line, marks, length, at) {
  const element = page.createElement("span");
  if (line.level) element.className = line.level;
  for (const { start, end, style, mark } of pieces(line, marks, length)) {
    const text = line.text.slice(start, end);
    if (!style && mark < 0) {
      element.append(text);
      continue;
    }
    const part = page.createElement(mark < 0 ? "span" : "mark");
    part.className = [style, mark >= 0 && mark === at ? "now" : ""].filter(Boolean).join(" ");
    part.textContent = text;
    element.append(part);
  }
  return element;
}

function pieces(line, marks, length) {
  const spans = line.spans ?? [];
  const cuts = new Set([0, line.text.length]);
  for (const [start, end] of spans) cuts.add(start).add(end);
  for (const start of marks) cuts.add(start).add(start + length);
  const edges = [...cuts].filter((cut) => cut <= line.text.length).sort((a, b) => a - b);
  return edges.slice(0, -1).map((start, index) => ({
    start,
    end: edges[index + 1],
    style: spans.find(([from, to]) => from <= start && start < to)?.[2] ?? "",
    mark: marks.find((from) => from <= start && start < from + length) ?? -1,
  }));
}
