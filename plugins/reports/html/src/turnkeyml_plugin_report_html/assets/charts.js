// What several charts have in common.

import { el, svg } from "./dom.js";
import { decades, number, power } from "./format.js";

// Signs of the series of a chart, told apart by form as well as by colour.
export const SERIES = ["circle", "square", "triangle", "diamond", "cross", "ring", "bar", "down"];

const PATHS = {
  circle: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
  square: "M-3.5-3.5h7v7h-7z",
  triangle: "M0-4.5L4.5 3.5h-9z",
  diamond: "M0-5L5 0L0 5L-5 0z",
  cross: "M-4-2.2L-2.2-4L0-1.8L2.2-4L4-2.2L1.8 0L4 2.2L2.2 4L0 1.8L-2.2 4L-4 2.2L-1.8 0z",
  ring: "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0zM2.5 0a2.5 2.5 0 1 1-5 0a2.5 2.5 0 1 1 5 0z",
  bar: "M-1.8-5h3.6v10h-3.6z",
  down: "M0 4.5L4.5-3.5h-9z",
};

export function pathOf(series) {
  return PATHS[SERIES[series % SERIES.length]];
}

function colourOf(series) {
  return `var(--series-${(series % SERIES.length) + 1})`;
}

export function signOf(series) {
  return svg(
    "svg",
    { class: "sign", viewBox: "-6 -6 12 12", "aria-hidden": "true" },
    svg("path", { d: pathOf(series), style: { fill: colourOf(series) } }),
  );
}

// A bar of parts: lists of `[class, share of the whole from 0 to 1]`.
export function bar(parts) {
  return el(
    "span",
    { class: "track", "aria-hidden": "true" },
    parts.map(([kind, size]) => el("span", { class: `part ${kind}`, style: { width: `${100 * size}%` } })),
  );
}

export function quantile(sorted, share) {
  const place = (sorted.length - 1) * share;
  const [low, high] = [Math.floor(place), Math.ceil(place)];
  return sorted[low] + (sorted[high] - sorted[low]) * (place - low);
}

// A scale by powers of ten; `at` gives pixels from `from` to `to`.
export class LogScale {
  constructor(low, high, from, to) {
    const steps = decades(low, high);
    const [first, last] = [steps[0], Math.max(steps.at(-1), steps[0] + 1)];
    this.at = (value) => from + ((Math.log10(value) - first) / (last - first)) * (to - from);
    const every = Math.ceil((last - first) / Math.max(Math.floor(Math.abs(to - from) / 56), 1));
    this.ticks = [];
    for (let n = first; n <= last; n += every) this.ticks.push({ at: this.at(10 ** n), text: power(n) });
  }
}

// An element in which `draw(width)` makes an SVG element, again whenever there is another width.
export function responsive(draw) {
  const box = el("div", { class: "drawing" });
  let drawn = 0;
  new ResizeObserver(() => {
    const width = Math.floor(box.clientWidth);
    if (width === drawn || width === 0) return;
    drawn = width;
    box.replaceChildren(draw(width));
  }).observe(box);
  return box;
}

const HISTOGRAM = { height: 108, base: 86, top: 34, side: 18 };
const DIGIT = 7;

// Bars over an axis that goes up by powers of ten: the bins of one step of a chain.
export function histogram(options) {
  return responsive((width) => drawHistogram(width, options));
}

function drawHistogram(width, { bins, binsADecade, first, last, mark, markText, describe, act }) {
  const { height, base, side } = HISTOGRAM;
  const step = (width - 2 * side) / (last - first + 1);
  const top = Math.max(...bins.map(([, count]) => count), 1);
  const at = (n) => side + (n - first) * step;
  const labels = [];
  const every = Math.max(Math.ceil(44 / (step * binsADecade)), 1) * binsADecade;
  for (let n = Math.ceil(first / binsADecade) * binsADecade; n <= last + 1; n += every) {
    labels.push(
      svg("text", { x: at(n), y: base + 15, class: "tick", "text-anchor": "middle", text: power(n / binsADecade) }),
    );
  }
  const bars = bins.map(([n, count]) => {
    const size = Math.max((count / top) * (base - HISTOGRAM.top), 2);
    const text = describe(n, count);
    const hasRoom = number(count).length * DIGIT < step;
    return svg(
      "g",
      { role: "button", tabindex: "0", "aria-label": text, class: "bin", on: pressed(() => act(n)) },
      svg("title", { text }),
      svg("rect", { class: "reach", x: at(n), y: 16, width: step, height: base - 16 }),
      svg("rect", { x: at(n) + 1, y: base - size, width: Math.max(step - 2, 1), height: size, rx: 1.5 }),
      hasRoom
        ? svg("text", { x: at(n) + step / 2, y: base - size - 4, class: "tick", "text-anchor": "middle", text: number(count) })
        : null,
    );
  });
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, width: String(width), height: String(height) },
    svg("line", { x1: side, x2: width - side, y1: base, y2: base, class: "axis" }),
    bars,
    labels,
    mark === null ? null : markAt(at(Math.log10(mark) * binsADecade), width, markText),
  );
}

function markAt(place, width, text) {
  const isRight = place > width * 0.7;
  return [
    svg("line", { x1: place, x2: place, y1: 4, y2: HISTOGRAM.base, class: "limit" }),
    svg("text", { x: place + (isRight ? -4 : 4), y: 12, class: "tick", "text-anchor": isRight ? "end" : "start", text }),
  ];
}

// Listeners that make something a button for the mouse and for keys.
function pressed(act) {
  return {
    click: act,
    keydown: (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      act();
    },
  };
}
