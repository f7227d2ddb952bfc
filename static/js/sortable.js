// Tables marked data-sortable="name": a click on a head sorts by its column, and the order outlives a refresh of the page.
export function createSorting({ page = document, Observer = globalThis.MutationObserver } = {}) {
  const orders = new Map(); // of each table by name: the column and whether it descends

  function prepare() {
    for (const table of page.querySelectorAll("table[data-sortable]:not([data-ready])")) {
      table.dataset.ready = "";
      const heads = [...table.tHead.rows[0].cells];
      heads.forEach((head, column) => {
        if ("unsorted" in head.dataset) return;
        const button = page.createElement("button");
        button.type = "button";
        button.className = "sort";
        button.append(...head.childNodes);
        head.append(button);
        button.addEventListener("click", () => turn(table, column));
      });
      apply(table);
    }
  }

  function turn(table, column) {
    const before = orders.get(table.dataset.sortable);
    orders.set(table.dataset.sortable, { column, descends: before?.column === column ? !before.descends : true });
    apply(table);
  }

  function apply(table) {
    const order = orders.get(table.dataset.sortable);
    if (!order) return;
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (column === order.column) head.setAttribute("aria-sort", order.descends ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, value: valueOf(row.cells[order.column]) }));
    rows.sort((one, other) => compare(one.value, other.value, order.descends));
    body.append(...rows.map(({ row }) => row));
  }

  prepare();
  if (Observer) new Observer(prepare).observe(page.body, { childList: true, subtree: true });
  return { prepare };
}

export function valueOf(cell) {
  const text = cell.dataset.value ?? cell.textContent.trim();
  const number = text === "" ? NaN : Number(text);
  return text === "" ? null : Number.isNaN(number) ? text : number;
}

// What has no value comes last, whichever way it is sorted.
export function compare(one, other, descends) {
  if (one === null || other === null) return (one === null) - (other === null);
  const numbers = typeof one === "number" && typeof other === "number";
  const order = numbers ? one - other : String(one).localeCompare(String(other), undefined, { numeric: true });
  return descends ? -order : order;
}
