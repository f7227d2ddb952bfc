// A classic script, first in <head>, so that the first paint already has the colours that were chosen.
(() => {
  const root = document.documentElement;
  const key = "mentor-theme";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => { try { return localStorage.getItem(key); } catch { return null; } };
  const shown = () => root.dataset.theme || (system.matches ? "dark" : "light");
  const tell = () => document.dispatchEvent(new Event("mentor:theme"));

  function choose(theme) {
    root.dataset.theme = theme;
    try { localStorage.setItem(key, theme); } catch { /* private windows keep nothing */ }
    tell();
  }

  root.dataset.js = "";
  if (["light", "dark"].includes(stored())) root.dataset.theme = stored();
  system.addEventListener("change", tell);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-theme-toggle]")) choose(shown() === "dark" ? "light" : "dark");
  });
})();
