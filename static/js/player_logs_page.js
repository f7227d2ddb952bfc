// The tabs above the console of the session page: the trainer's output, and each Unity build's.
import { createConsole } from "./console.js";
import { isMoving } from "./fields.js";
import { createPlayerLogs } from "./player_logs.js";

const root = document.querySelector("[data-consoles]");
const session = root.closest("[data-session]");
const tabs = root.querySelector("[data-console-tabs]");
const player = root.querySelector("[data-player]");
const console_ = root.querySelector("[data-console]:not([data-player])");
const printed = createConsole(player);
printed.follow(true);

async function fetchPart(asked) {
  const query = new URLSearchParams(Object.entries(asked).filter(([, value]) => value !== undefined));
  try {
    const answer = await fetch(`${root.dataset.playerLogs}?${query}`, { headers: { Accept: "application/json" } });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // the server is away; the next look asks again
  }
}

function tab(words, value, worker) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = words;
  button.dataset.worker = value;
  button.setAttribute("role", "tab");
  button.setAttribute("aria-selected", String(value === String(worker ?? "")));
  button.setAttribute("aria-controls", value === "" ? console_.id : player.id);
  button.tabIndex = value === String(worker ?? "") ? 0 : -1;
  return button;
}

function show(workers, worker) {
  const focused = tabs.contains(document.activeElement);
  tabs.hidden = workers.length === 0;
  tabs.replaceChildren(tab("Console", "", worker), ...workers.map((number) => tab(`Player-${number}`, String(number), worker)));
  if (focused) tabs.querySelector("[aria-selected='true']")?.focus();
  player.querySelector("[data-player-title]").textContent = worker === null ? "Player log" : `Player-${worker}.log`;
  player.classList.toggle("away", worker === null);
  console_.classList.toggle("away", worker !== null);
}

const logs = createPlayerLogs({ fetchPart, show, printed, busy: () => isMoving({ state: session.dataset.state }) });

tabs.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-worker]");
  if (button) logs.choose(button.dataset.worker === "" ? null : Number(button.dataset.worker));
});
tabs.addEventListener("keydown", (event) => {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by) return;
  const all = [...tabs.children];
  all[(all.indexOf(document.activeElement) + by + all.length) % all.length].click();
});
logs.look();
