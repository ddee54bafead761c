// Write numbers and foreign text so that people can read them and nothing hides in them.

const WHOLE = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const FIVE = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 5 });
const THREE = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 3 });
// Controls, and characters that are not seen or that turn around what stands beside them.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;
const MARKS = {
  successful: "✓",
  ok: "✓",
  valid: "✓",
  failed: "✕",
  mismatch: "✕",
  refused: "✕",
  invalid: "✕",
  unreadable: "✕",
  interrupted: "◐",
  noisy: "≈",
  unverified: "?",
  "not checked": "?",
  "partly checked": "◐",
  running: "…",
};
const TONES = { "✓": "good", "✕": "bad", "◐": "doubt", "≈": "doubt" };

export function visible(text) {
  return String(text).replace(UNSEEN, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

export function number(value) {
  if (Number.isInteger(value)) return WHOLE.format(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e12)) return value.toExponential(3);
  return FIVE.format(value);
}

export function short(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1);
  return THREE.format(value);
}

export function ratio(value) {
  return value >= 100 ? `${WHOLE.format(value)}×` : `${value.toFixed(2)}×`;
}

export function share(part, whole) {
  if (!whole) return "0%";
  const percent = (100 * part) / whole;
  if (part !== 0 && percent < 0.1) return "<0.1%";
  if (part !== whole && percent > 99.9) return ">99.9%";
  return `${THREE.format(percent)}%`;
}

export function cellText(value) {
  if (value === null) return "";
  return typeof value === "number" ? number(value) : visible(value);
}

export function plural(count, one, many = `${one}s`) {
  return `${WHOLE.format(count)} ${count === 1 ? one : many}`;
}

export function headingOf(column) {
  const title = visible(column.title);
  return column.unit ? `${title} (${column.unit})` : title;
}

// A sign before a status, so that it is told by more than colour; empty for other words.
export function markOf(value) {
  return Object.hasOwn(MARKS, value) ? MARKS[value] : "";
}

export function toneOf(value) {
  return TONES[markOf(value)] ?? "";
}

// 1, 10, 100 as powers of ten between two numbers above 0.
export function decades(low, high) {
  const found = [];
  for (let n = Math.floor(Math.log10(low)); n <= Math.ceil(Math.log10(high)); n += 1) found.push(n);
  return found;
}

const PREFIXES = new Map([
  [0, ""],
  [3, " k"],
  [6, " M"],
  [9, " G"],
  [12, " T"],
]);

// A power of ten, as on an axis.
export function power(n) {
  const step = Math.floor(n / 3) * 3;
  if (n >= 3 && PREFIXES.has(step)) return `${10 ** (n - step)}${PREFIXES.get(step)}`;
  if (n >= -3 && n < 3) return THREE.format(10 ** n);
  return `1e${n}`;
}
