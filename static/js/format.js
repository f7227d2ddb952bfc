// How values read on pages; sessions/templatetags/mentor.py says the same on the server, tested with the same cases.
export const NOTHING = "–";

const grouped = (value, decimals) =>
  value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
const missing = (value) => value === null || value === undefined;

export const number = (value) => (missing(value) ? NOTHING : grouped(value, 0));

export function reward(value) {
  if (missing(value)) return NOTHING;
  if (!Number.isFinite(Number(value))) return String(value);
  const size = Math.abs(value);
  const decimals = size < 10 ? 3 : size < 100 ? 2 : size < 1000 ? 1 : 0;
  return grouped(Number(value), decimals).replace("-", "−");
}

export function speed(value) {
  return missing(value) ? NOTHING : grouped(value, value >= 100 ? 0 : 1);
}

// Rounded down, so that 100 % means done.
export function percent(value) {
  if (missing(value)) return NOTHING;
  const tenths = Math.floor(value * 1000 + 1e-9);
  return tenths >= 1000 ? "100 %" : `${(tenths / 10).toFixed(1)} %`;
}

// How busy something is: 100 % is one core, or one GPU.
export const load = (value) => (missing(value) ? NOTHING : `${grouped(value, 0)} %`);

const BYTES = ["B", "kB", "MB", "GB", "TB"];

export function size(count) {
  if (missing(count)) return NOTHING;
  let power = 0;
  for (; count >= 1000 && power < BYTES.length - 1; power++) count /= 1000;
  return `${count.toFixed(power ? 1 : 0)} ${BYTES[power]}`;
}

export function duration(seconds) {
  if (missing(seconds)) return NOTHING;
  const whole = Math.max(0, Math.floor(seconds));
  const two = (count) => String(count).padStart(2, "0");
  const [minutes, hours, days] = [60, 3600, 86400].map((length) => Math.floor(whole / length));
  if (minutes === 0) return `${whole} s`;
  if (hours === 0) return `${minutes} min ${two(whole % 60)} s`;
  if (days === 0) return `${hours} h ${two(minutes % 60)} min`;
  return `${days} d ${two(hours % 24)} h`;
}

export function stateLabel(state) {
  const words = state.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const UNITS = [[86400, "day"], [3600, "hour"], [60, "minute"]];

export function ago(seconds) {
  const size = Math.abs(seconds);
  if (size < 45) return "just now";
  for (const [length, unit] of UNITS) {
    const count = Math.max(1, Math.floor(size / length));
    const words = `${count} ${unit}${count === 1 ? "" : "s"}`;
    if (size >= length * 0.75) return seconds > 0 ? `${words} ago` : `in ${words}`;
  }
  return "just now";
}
