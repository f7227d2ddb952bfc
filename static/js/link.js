// Says whether the page is live.
const WORDS = { live: "Live", reconnecting: "Reconnecting", off: "Not connected" };

export function createLink(page = document) {
  const element = page.querySelector("[data-link]");
  return (state) => {
    if (!element) return;
    element.dataset.link = state;
    element.querySelector("[data-link-text]").textContent = WORDS[state];
  };
}
