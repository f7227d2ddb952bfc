// Findings of the server as parts of a text, and the least change from one text to another.

// Lines and columns count from 1; a finding without a line is about the whole and stands at the beginning.
export function placesOf(findings, text) {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return findings.map(({ line, column, severity, message, hint }) => {
    const start = starts[Math.min(line ?? 1, starts.length) - 1];
    const end = (text.indexOf("\n", start) + 1 || text.length + 1) - 1;
    const from = Math.min(start + characters(text.slice(start, end), (column ?? 1) - 1), end);
    return { from, to: line ? from + word(text.slice(from, end)) : from, severity, message: hint ? `${message} ${hint}` : message };
  });
}

// The server counts whole characters, JavaScript halves of those beyond the first 65,536.
const characters = (line, count) => [...line].slice(0, count).join("").length;

function word(rest) {
  const found = /^(["'])(?:(?!\1).)*\1|^[^\s:,{}[\]#]+/.exec(rest);
  return found ? found[0].length : rest.trimEnd().length;
}

export function leastChange(before, after) {
  const most = Math.min(before.length, after.length);
  let from = 0;
  while (from < most && before[from] === after[from]) from += 1;
  let tail = 0;
  while (tail < most - from && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  return { from, to: before.length - tail, insert: after.slice(from, after.length - tail) };
}

export function summary(findings) {
  const errors = findings.filter((one) => one.severity === "error").length;
  const warnings = findings.length - errors;
  const count = (number, one) => (number ? [`${number} ${one}${number === 1 ? "" : "s"}`] : []);
  return [...count(errors, "error"), ...count(warnings, "warning")].join(", ") || "No findings.";
}
