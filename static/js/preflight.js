// The checks before a start: a list with what was found, and a button that has parser and environment asked too.
const AGAIN_MS = 1000;
const MOST_TURNS = 90;
const PARSER = {
  unasked: "The trainer's own parser was not asked yet.",
  waits: "The trainer's own parser is reading the configuration…",
};
const CONNECTION = {
  unasked: "The environment was not asked for its behaviors yet.",
  waits: "The environment is started for a moment, to read its behaviors…",
};

function piece(page, name, text, className = "") {
  const element = page.createElement(name);
  element.textContent = text;
  element.className = className;
  return element;
}

export function checkNodes(checks, page = document) {
  return checks.map(({ level, title, finding, fix }) => {
    const item = page.createElement("li");
    item.className = level;
    const parts = [piece(page, "b", title), " ", piece(page, "span", finding)];
    item.append(...parts, ...(fix ? [" ", piece(page, "span", fix, "quiet")] : []));
    return item;
  });
}

export function openQuestions({ parser, connection }) {
  return [PARSER[parser], CONNECTION[connection]].filter(Boolean).join(" ");
}

// Asks until parser and environment have answered, or until `isCurrent` says that something else is wanted by now.
export async function checkEverything({ ask, show, isCurrent, wait = (ms) => new Promise((go) => setTimeout(go, ms)) }) {
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    const answer = await ask();
    if (!answer || !isCurrent()) return;
    show(answer);
    if (answer.parser !== "waits" && answer.connection !== "waits") return;
    await wait(AGAIN_MS);
    if (!isCurrent()) return;
  }
}
