// The samples of a result: how often which latency came, and in which order.

import { responsive } from "./charts.js";
import { el, svg } from "./dom.js";
import { number, plural } from "./format.js";

const BOX = { height: 132, base: 108, left: 6 };
const LEVELS = 999;
const [MICRO, MILLI, WHOLE_SECOND] = [1e3, 1e6, 1e9];

// A time in nanoseconds with the unit that suits it.
function timeText(nanoseconds) {
  const digits = (value) => number(Number(value.toPrecision(4)));
  if (nanoseconds < MICRO) return `${digits(nanoseconds)} ns`;
  if (nanoseconds < MILLI) return `${digits(nanoseconds / MICRO)} µs`;
  if (nanoseconds < WHOLE_SECOND) return `${digits(nanoseconds / MILLI)} ms`;
  return `${digits(nanoseconds / WHOLE_SECOND)} s`;
}

export function samplesOf(samples) {
  const said =
    `${plural(samples.count, "sample")}${samples.runs > 1 ? ` of ${plural(samples.runs, "run")}` : ""}: ` +
    `lowest ${timeText(samples.low)}, median ${timeText(samples.median)}, ` +
    `90% up to ${timeText(samples.p90)}, highest ${timeText(samples.high)}.`;
  const order =
    samples.stretch === 1
      ? "In the order in which they were taken"
      : `In order, the lowest and the highest of every ${number(samples.stretch)}`;
  return el(
    "div",
    {},
    el("p", { text: said }),
    el(
      "div",
      { class: "pair" },
      figure("How often which latency came", (width) => binsOf(samples, width)),
      figure(order, (width) => traceOf(samples, width)),
    ),
  );
}

function figure(text, draw) {
  return el("figure", {}, responsive(draw), el("figcaption", { class: "quiet", text }));
}

function frame(width, label, ...children) {
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${BOX.height}`, width: String(width), height: String(BOX.height), role: "img", "aria-label": label },
    svg("line", { x1: 0, x2: width, y1: BOX.base, y2: BOX.base, class: "axis" }),
    children,
  );
}

function binsOf(samples, width) {
  const top = Math.max(...samples.bins);
  const step = width / samples.bins.length;
  const bars = samples.bins.map((count, n) => {
    const height = (count / top) * (BOX.base - 6);
    return count === 0
      ? null
      : svg("rect", { x: n * step + 1, y: BOX.base - height, width: Math.max(step - 2, 1), height, class: "column" });
  });
  return frame(
    width,
    `Histogram from ${timeText(samples.low)} to ${timeText(samples.high)}`,
    bars,
    svg("text", { x: 0, y: BOX.height - 8, class: "tick", text: timeText(samples.low) }),
    svg("text", { x: width, y: BOX.height - 8, class: "tick", "text-anchor": "end", text: timeText(samples.high) }),
  );
}

function traceOf(samples, width) {
  const { trace } = samples;
  const step = trace.length > 1 ? (width - 2 * BOX.left) / (trace.length - 1) : 0;
  const points = trace.map((level, n) => {
    const y = BOX.base - 4 - (level / LEVELS) * (BOX.base - 12);
    return `${(BOX.left + n * step).toFixed(1)},${y.toFixed(1)}`;
  });
  return frame(
    width,
    `Trace of the samples between ${timeText(samples.low)} and ${timeText(samples.high)}`,
    svg("polyline", { points: points.join(" "), class: "trace" }),
    svg("text", { x: 0, y: BOX.height - 8, class: "tick", text: "first" }),
    svg("text", { x: width, y: BOX.height - 8, class: "tick", "text-anchor": "end", text: "last" }),
  );
}
