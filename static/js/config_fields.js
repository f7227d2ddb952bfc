// Fields of the start form that a configuration speaks of: filled in as long as nobody has touched them.
// `createFiller` returns a function that fills in and tells whether anything changed.

export function createFiller(elements, touched) {
  const filled = new Map();
  return (fields) => {
    const changed = Object.entries(fields).filter(([name, value]) => fill(elements[name], name, value));
    return changed.length > 0;
  };

  function fill(field, name, value) {
    if (!field || touched.has(name)) return false;
    const property = field.type === "checkbox" ? "checked" : "value";
    const before = filled.get(name) ?? (property === "checked" ? false : "");
    if (field[property] !== before || before === value) return false;
    field[property] = value;
    filled.set(name, value);
    return true;
  }
}
