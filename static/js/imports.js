// The page of imports: asks the server for its own rendering while somebody works on one, and picks a folder.
import { createPicker } from "./picker.js";
import { createRefresh } from "./refresh.js";

const LOOK_MS = 1_000;

// Asks again as long as the page says that something is under way, and a few times after: a click in another window counts.
export function keepFresh({ refresh, isOpen, every = (task) => setInterval(task, LOOK_MS), idle = 10 }) {
  let waited = 0;
  return every(async () => {
    waited = isOpen() ? idle : waited + 1;
    if (waited < idle) return;
    waited = 0;
    await refresh();
  });
}

const list = globalThis.document?.querySelector("#imports");
if (list) {
  keepFresh({ refresh: createRefresh(), isOpen: () => document.querySelector("#imports").dataset.open === "yes" });
  const dialog = document.querySelector("[data-picker]");
  const button = document.querySelector("[data-browse]");
  if (dialog && button) {
    const picker = createPicker(dialog, { address: button.dataset.browse });
    const field = document.querySelector("#id_folder");
    button.addEventListener("click", () => picker.open({ start: field.value && `${field.value}/`, onPick: (path) => (field.value = path) }));
  }
}
