// Moving a waiting session by dragging its row; the buttons of a row do the same without a mouse.
const root = document.querySelector("#queue");
let dragged = null;

const rowOf = (event) => event.target.closest("[data-queue] > tr");

async function move(runId, index) {
  const token = root.querySelector("[name=csrfmiddlewaretoken]").value;
  const body = new URLSearchParams({ index });
  const answer = await fetch(`/sessions/${encodeURIComponent(runId)}/move/`, { method: "POST", body, headers: { "X-CSRFToken": token } }).catch(() => null);
  if (!answer?.ok) location.reload();
}

root.addEventListener("dragstart", (event) => {
  dragged = rowOf(event);
  if (dragged) event.dataTransfer.effectAllowed = "move";
});

root.addEventListener("dragover", (event) => {
  const over = rowOf(event);
  if (!dragged || !over || over === dragged) return;
  event.preventDefault();
  const { top, height } = over.getBoundingClientRect();
  over[event.clientY < top + height / 2 ? "before" : "after"](dragged);
});

root.addEventListener("drop", (event) => event.preventDefault());

root.addEventListener("dragend", () => {
  if (!dragged) return;
  const index = [...dragged.parentElement.children].indexOf(dragged);
  if (index !== Number(dragged.dataset.index)) move(dragged.dataset.session, index);
  dragged = null;
});
