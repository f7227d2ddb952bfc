// A dialog that walks the folders the server lets one see, and gives back the path of a file; of a folder, where the
// dialog has a button to take it.
export function createPicker(dialog, { address, fetcher = (...all) => fetch(...all) }) {
  const part = (name) => dialog.querySelector(`[data-picker-${name}]`);
  let parent = null;
  let here = "";
  let picked = () => {};

  async function list(folder) {
    const answer = await fetcher(`${address}?${new URLSearchParams(folder ? { folder } : {})}`, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) return folder ? list("") : empty("The folders cannot be read.");
    const seen = await answer.json();
    parent = seen.parent;
    here = seen.folder;
    part("folder").textContent = seen.folder;
    part("up").disabled = parent === null;
    const rows = [...seen.folders.map((one) => entry(one, "folder")), ...seen.files.map((one) => entry(one, "file"))];
    if (!rows.length) return empty("Nothing to choose in this folder.");
    part("entries").replaceChildren(...rows);
    rows[0].focus();
  }

  function entry({ name, path }, kind) {
    const button = dialog.ownerDocument.createElement("button");
    Object.assign(button, { type: "button", textContent: name });
    button.dataset.kind = kind;
    button.addEventListener("click", () => (kind === "folder" ? list(path) : choose(path)));
    return button;
  }

  function choose(path) {
    dialog.close();
    picked(path);
  }

  function empty(text) {
    const line = dialog.ownerDocument.createElement("p");
    line.className = "empty slim";
    line.textContent = text;
    part("entries").replaceChildren(line);
  }

  function open({ start, onPick }) {
    picked = onPick;
    dialog.showModal();
    list(folderOf(start));
  }

  part("close").addEventListener("click", () => dialog.close());
  part("take")?.addEventListener("click", () => choose(here));
  part("up").addEventListener("click", () => list(parent ?? ""));
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  return { open };
}

export function folderOf(path) {
  const cut = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return cut > 0 ? path.slice(0, cut) : "";
}
