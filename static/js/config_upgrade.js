// What would make a configuration of an older ML-Agents one of today: the difference, and taking it.

// The lines of a unified difference with what each is: added, removed, context, or the place of a part.
export function kindsOf(difference) {
  // The first two lines name what is compared.
  return difference.split("\n").slice(2).filter((line) => line).map((line) => ({ line, kind: { "+": "added", "-": "removed", "@": "place" }[line[0]] ?? "same" }));
}

// `part` finds elements of the page; `ask` asks the server, `take` replaces the text of the editor.
export function createUpgrade(part, { ask, text, take, trying, page = document }) {
  let made = null;
  let beside = [];

  async function look(config, { upgraded = null, format = "" }) {
    part("upgrade").hidden = upgraded === null;
    part("beside-shown").hidden = format !== "0.16 or older";
    if (upgraded === null) return;
    const found = await ask({ config, beside });
    if (config !== text()) return;
    made = found.upgraded;
    part("take").disabled = made === null;
    part("upgrade-said").textContent = made === null ? found.findings.filter((one) => one.line === null).map((one) => `${one.message} ${one.hint}`).join(" ") : "";
    part("lines").replaceChildren(...kindsOf(found.difference).map(row));
  }

  function row({ line, kind }) {
    const made = page.createElement("div");
    made.className = kind;
    made.textContent = line || " ";
    return made;
  }

  async function add(event) {
    beside = await Promise.all([...event.target.files].map(async (file) => ({ name: file.name, config: await file.text() })));
    await look(text(), { upgraded: "", format: "0.16 or older" });
  }

  part("beside").addEventListener("change", trying(add));
  part("take").addEventListener("click", () => {
    if (made === null) return;
    take(made);
    beside = [];
    part("beside").value = "";
  });
  return { look };
}
