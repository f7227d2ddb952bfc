// The page of a trial: asks the server for its own rendering while settings are measured.
import { keepFresh } from "./imports.js";
import { createRefresh } from "./refresh.js";

if (globalThis.document?.querySelector("#trial")) {
  keepFresh({ refresh: createRefresh(), isOpen: () => document.querySelector("#trial").dataset.open === "yes" });
}
