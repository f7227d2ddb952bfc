// The common settings as fields beside the text: each shows what the text says, and writes only that.

export function createCommonForm(box, { onChange, page = document }) {
  const made = (tag, properties = {}, ...nodes) => {
    const element = Object.assign(page.createElement(tag), properties);
    element.append(...nodes);
    return element;
  };
  let drawn = "";
  return { show };

  // Fields are made anew only when there are others, so that the one that is typed in stays.
  function show(groups) {
    const shape = JSON.stringify(groups.map(({ name, settings }) => [name, settings.map((one) => [one.name, one.choices])]));
    if (shape !== drawn) box.replaceChildren(...groups.map(group));
    drawn = shape;
    const inputs = [...box.querySelectorAll("[data-setting]")];
    groups.flatMap(({ settings }) => settings).forEach((setting, index) => fill(inputs[index], setting));
  }

  function group({ name, settings }) {
    const title = name === "default_settings" ? "Every behavior (default_settings)" : name;
    return made("fieldset", { className: "stack" }, made("legend", { textContent: title }), made("div", { className: "grid-3" }, ...settings.map((setting) => field(name, setting))));
  }

  function field(behavior, setting) {
    const id = `common-${behavior}-${setting.name}`;
    const input = setting.choices.length ? made("select", {}, made("option", { value: "" }), ...setting.choices.map((word) => made("option", { value: word, textContent: word }))) : made("input", { type: "text", autocomplete: "off" });
    input.id = id;
    input.title = `${setting.help} ${setting.value}`;
    input.dataset.setting = setting.name;
    input.addEventListener("change", (event) => {
      event.stopPropagation();
      if (input.value.trim() && input.value !== input.setting.given) onChange(input.setting.path, input.value.trim());
      else input.value = input.setting.given ?? "";
    });
    return made("div", { className: "field" }, made("label", { htmlFor: id, textContent: setting.name, className: "mono" }), input);
  }

  function fill(input, setting) {
    input.setting = setting;
    if (setting.choices.length) own(input, setting);
    else input.placeholder = setting.otherwise;
    if (input !== page.activeElement || !input.value) input.value = setting.given ?? "";
  }

  // A word that is none of the choices, such as a plugin's trainer, is one of them while it stands in the text.
  function own(select, { given, otherwise, choices }) {
    select.options[0].textContent = otherwise ? `(${otherwise})` : "";
    select.querySelector("[data-own]")?.remove();
    if (given === null || choices.includes(given)) return;
    const option = made("option", { value: given, textContent: given });
    option.dataset.own = "";
    select.append(option);
  }
}
