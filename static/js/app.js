// On every page: times in the reader's own zone, copying, menus that close.
import { ago } from "./format.js";

function relative(root = document) {
  for (const element of root.querySelectorAll("time[data-relative]")) {
    const moment = new Date(element.dateTime);
    element.textContent = ago((Date.now() - moment) / 1000);
    element.title = moment.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
  }
}

async function copy(button) {
  const before = [...button.childNodes];
  await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent);
  button.textContent = "Copied";
  setTimeout(() => button.replaceChildren(...before), 1_500);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
  for (const menu of document.querySelectorAll("details.confirm[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.confirm[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

relative();
setInterval(() => relative(), 30_000);
