// One group of inputs per behavior of the configuration; what was typed stays as long as its behavior does.
const OPTIONS = ["max_steps", "learning_rate"];

export function showBehaviors(form, behaviors) {
  const box = form.querySelector("[data-overrides]");
  const groups = new Map([...box.querySelectorAll("[data-override]")].map((group) => [group.dataset.override, group]));
  const wanted = behaviors.map((behavior) => fill(groups.get(behavior.name) ?? blank(form), behavior));
  const same = wanted.length === box.children.length && wanted.every((group, index) => box.children[index] === group);
  if (!same) box.replaceChildren(...wanted);
  form.querySelector("[data-behaviors-missing]").hidden = behaviors.length > 0;
}

function blank(form) {
  return form.querySelector("[data-override-row]").content.querySelector("[data-override]").cloneNode(true);
}

function fill(group, behavior) {
  group.dataset.override = behavior.name;
  group.setAttribute("aria-label", behavior.name);
  group.querySelector("[data-name]").textContent = behavior.name;
  group.querySelector("[data-trainer-type]").textContent = behavior.trainer_type ?? "";
  for (const option of OPTIONS) {
    const input = group.querySelector(`[data-option="${option}"]`);
    input.name = `override:${behavior.name}:${option}`;
    input.placeholder = behavior[option] ?? "";
    input.closest(".field").querySelector("[data-errors]").dataset.errors = input.name;
  }
  return group;
}
