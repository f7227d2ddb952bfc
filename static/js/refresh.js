// Brings the parts of a page that the server renders up to date: everything marked data-refresh, found again by its id.
export function createRefresh({ page = document, fetcher = (...all) => fetch(...all), parse = parseHtml, address = location.href } = {}) {
  const shown = new Map([...page.querySelectorAll("[data-refresh]")].map((part) => [part.id, part.outerHTML]));
  let busy = false;
  let again = false;

  async function refresh() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      const answer = await fetcher(address, { headers: { Accept: "text/html" } });
      if (answer.ok && !answer.redirected) swap(parse(await answer.text()));
    } catch {
      // The server is away; the next change of state asks again.
    }
    busy = false;
    if (again) {
      again = false;
      await refresh();
    }
  }

  function swap(fresh) {
    for (const part of fresh.querySelectorAll("[data-refresh]")) {
      const old = page.getElementById(part.id);
      if (!old || shown.get(part.id) === part.outerHTML) continue;
      shown.set(part.id, part.outerHTML);
      keepOpen(old, part);
      old.replaceWith(part);
    }
  }

  return refresh;
}

// What a person has opened stays open; each has a name of its own in data-opened.
function keepOpen(old, part) {
  const names = new Set([...old.querySelectorAll("details[data-opened][open]")].map((one) => one.dataset.opened));
  for (const one of part.querySelectorAll("details[data-opened]")) one.open = names.has(one.dataset.opened);
}

const parseHtml = (text) => new DOMParser().parseFromString(text, "text/html");
